import {
  contentIdOf,
  createNodePlatform,
  encodeBlock,
  encodeManifestBlock,
  type StoredBlock,
} from '@cairn/content';
import type { BlockId, ContentId, FileContent, ManifestPart } from '@cairn/model';

/** What a file can hold, with every block that it needs, children before parents. */
export interface PoolContent {
  readonly label: string;
  readonly bytes: Uint8Array;
  readonly content: FileContent;
  readonly blocks: readonly StoredBlock[];
}

export const platform = createNodePlatform();

function make(...words: string[]): PoolContent {
  const chunks = words.map((word) =>
    encodeBlock(platform, 'chunk', new TextEncoder().encode(`what ${word} says`)),
  );
  let parts: ManifestPart[] = chunks.map(({ blockId, plainBytes }) => ({
    block: blockId,
    sizeBytes: plainBytes,
  }));
  const sizeBytes = parts.reduce((sum, part) => sum + part.sizeBytes, 0);
  const blocks = [...chunks];
  const depth = chunks.length > 1 ? 1 : 0;
  if (depth > 0) {
    const list = encodeBlock(platform, 'manifest', encodeManifestBlock(0, parts));
    blocks.push(list);
    parts = [{ block: list.blockId, sizeBytes }];
  }
  const manifest = { profile: 't32-64k', depth, parts } as const;
  return {
    label: words.join('+'),
    bytes: new TextEncoder().encode(words.map((word) => `what ${word} says`).join('')),
    content: { contentId: contentIdOf(platform, manifest, sizeBytes), sizeBytes, manifest },
    blocks,
  };
}

/** Few, so that the same blocks are sent, let go and sent again all the time; some share blocks. */
export const CONTENTS: readonly PoolContent[] = [
  make('Ada'),
  make('Ben'),
  make('Cleo'),
  make('Dora'),
  make('Ada', 'Ben'),
  make('Ada', 'Cleo', 'Emil'),
  make('Fay', 'Gus', 'Ben', 'Hal'),
];

const byContentId = new Map<ContentId, PoolContent>(CONTENTS.map((each) => [each.content.contentId, each]));

export function findContent(contentId: ContentId): PoolContent | null {
  return byContentId.get(contentId) ?? null;
}

const payloads = new Map<BlockId, Uint8Array>(
  CONTENTS.flatMap(({ blocks }) => blocks.map(({ blockId, payload }) => [blockId, payload] as const)),
);

/** Whether these are the bytes that everybody has sent under this id. */
export function isTrue({ blockId, payload }: StoredBlock): boolean {
  const known = payloads.get(blockId);
  return known !== undefined && Buffer.compare(known, payload) === 0;
}
