import { encodeShards } from '@cairn/block-store';
import {
  contentIdOf,
  createNodePlatform,
  encodeBlock,
  encodeManifestBlock,
  type StoredBlock,
} from '@cairn/content';
import type { BlockId, ContentId, FileContent, ManifestPart } from '@cairn/model';
import { createSeededChance, deriveSeed } from '../../random.ts';

/** What a file can hold, with every block that it needs, children before parents. */
export interface PoolContent {
  readonly label: string;
  readonly bytes: Uint8Array;
  readonly content: FileContent;
  readonly blocks: readonly StoredBlock[];
}

export const platform = createNodePlatform();

/** More than the least payload that becomes shards. */
const LARGE_BYTES = 17 * 1024;

/** Words in capitals say a lot, so that their blocks are worth coding. */
function speak(word: string): Uint8Array {
  const said = new TextEncoder().encode(`what ${word} says`);
  if (word !== word.toUpperCase()) return said;
  return Buffer.concat([said, createSeededChance(deriveSeed(5, word)).bytes(LARGE_BYTES)]);
}

function make(...words: string[]): PoolContent {
  const chunks = words.map((word) => encodeBlock(platform, 'chunk', speak(word)));
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
    bytes: Buffer.concat(words.map(speak)),
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

/** Besides, where old blocks become shards. */
export const LARGE_CONTENTS: readonly PoolContent[] = [make('IDA'), make('JON'), make('IDA', 'Ben', 'KIM')];
const ALL = [...CONTENTS, ...LARGE_CONTENTS];

const byContentId = new Map<ContentId, PoolContent>(ALL.map((each) => [each.content.contentId, each]));

export function findContent(contentId: ContentId): PoolContent | null {
  return byContentId.get(contentId) ?? null;
}

/** Whether the block is large enough to become shards. */
export function isLarge(blockId: BlockId): boolean {
  return (payloads.get(blockId)?.length ?? 0) >= LARGE_BYTES;
}

const payloads = new Map<BlockId, Uint8Array>();
for (const { blocks } of ALL) {
  for (const block of blocks) {
    payloads.set(block.blockId, block.payload);
    if (block.payload.length < LARGE_BYTES) continue;
    for (const shard of encodeShards(block)) payloads.set(shard.blockId, shard.payload);
  }
}

/** Whether these are the bytes that everybody has sent under this id. */
export function isTrue({ blockId, payload }: StoredBlock): boolean {
  const known = payloads.get(blockId);
  return known !== undefined && Buffer.compare(known, payload) === 0;
}
