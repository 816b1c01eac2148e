import { alignParts, findBlockId, type NewPart } from '@cairn/content';
import type { TemporaryFile } from '@cairn/filesystem';
import type { BlockId, FileContent, ManifestPart } from '@cairn/model';
import type { ContentBase } from '../ports.ts';
import type { DownloadDeps } from './deps.ts';

/** So many bases in a row that were of no use, and no more are named for a file: what is new has none. */
const MAX_VAIN = 4;
/** A file of one chunk that is smaller is fetched as it is. */
const MIN_SINGLE_BYTES = 16 * 1024;

/** The chunks of the content that a file has on this disk, as far as is known. */
export interface LocalBase {
  /** Where the chunk is in the file, if it has it. */
  positionOf(blockId: BlockId): number | undefined;
  /** Takes the next chunk of the content that is fetched: one call for each, in order. */
  next(part: ManifestPart): void;
  /** What of the file the missing ones of these may be like. Its bytes are looked at again when they are used. */
  toContentBase(): ContentBase;
}

/** Lists the chunks of a file's present content. */
export async function openLocalBase(
  deps: DownloadDeps,
  path: string,
  content: FileContent,
  signal: AbortSignal,
): Promise<LocalBase> {
  const chunks: ManifestPart[] = [];
  const places = new Map<BlockId, { readonly part: ManifestPart; readonly position: number }>();
  let position = 0;
  for await (const part of deps.space.listChunks(content, signal)) {
    places.set(part.block, { part, position });
    chunks.push(part);
    position += part.sizeBytes;
  }
  const alignment = alignParts(chunks);
  const added = new Map<BlockId, NewPart>();
  let vain = 0;

  return {
    positionOf: (blockId) => places.get(blockId)?.position,
    next(part) {
      const place = alignment.next(part);
      if (place !== null) added.set(part.block, place);
    },
    toContentBase() {
      alignment.end();
      return {
        basesOf: (blockId) =>
          vain >= MAX_VAIN
            ? []
            : (added
                .get(blockId)
                ?.bases()
                .map(({ block }) => block) ?? []),
        async read(blockId) {
          const place = places.get(blockId);
          return place === undefined ? null : readFrom(deps, path, place.part, place.position);
        },
        note(wasOfUse) {
          vain = wasOfUse ? 0 : vain + 1;
        },
      };
    },
  };
}

/** The same for a file of one chunk that replaces one of few: no list has to be looked at for that. */
export function smallContentBase(
  deps: DownloadDeps,
  path: string,
  content: FileContent | null | undefined,
): ContentBase | null {
  if (!content || content.sizeBytes < MIN_SINGLE_BYTES || content.manifest.depth > 0) return null;
  const { parts } = content.manifest;
  return {
    basesOf: () => [...new Set(parts.map(({ block }) => block))].slice(0, 2),
    async read(blockId) {
      let position = 0;
      for (const part of parts) {
        if (part.block === blockId) return readFrom(deps, path, part, position);
        position += part.sizeBytes;
      }
      return null;
    },
  };
}

/** Opened for each: few are read, and whoever replaces the file meanwhile is not held up. */
async function readFrom(
  { filesystem, platform }: Pick<DownloadDeps, 'filesystem' | 'platform'>,
  path: string,
  part: ManifestPart,
  position: number,
): Promise<Uint8Array | null> {
  let handle: Awaited<ReturnType<DownloadDeps['filesystem']['openRead']>>;
  try {
    handle = await filesystem.openRead(path);
  } catch {
    // Gone or not to be read: then it is no base, and the plan finds out about the rest.
    return null;
  }
  try {
    return await readKnown(platform, handle, position, part);
  } finally {
    await handle.close();
  }
}

/**
 * The part's bytes from a place where they may be; `null` unless they are exactly these.
 * @param bytes where they are read to: as many as the part has
 */
export async function readKnown(
  platform: DownloadDeps['platform'],
  source: Pick<TemporaryFile, 'read'>,
  position: number | undefined,
  part: ManifestPart,
  bytes: Uint8Array = new Uint8Array(part.sizeBytes),
): Promise<Uint8Array | null> {
  if (position === undefined) return null;
  let length = 0;
  while (length < bytes.length) {
    const count = await source.read(bytes.subarray(length), position + length);
    if (count === 0) return null;
    length += count;
  }
  return (await findBlockId(platform, 'chunk', bytes)) === part.block ? bytes : null;
}
