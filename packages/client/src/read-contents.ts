import { type ContentPlatform, listChunks } from '@cairn/content';
import { type BlockId, CairnError, type FileContent } from '@cairn/model';
import type { BlockReader } from './block-reader.ts';

const BATCH_BYTES = 8 * 1024 * 1024;
const BATCH_BLOCKS = 2000;

export interface ContentItem {
  readonly content: FileContent;
  /** Bytes at the front that are not wanted. */
  readonly startAt?: number;
}

export interface ContentPiece {
  /** Which item, in the order given. */
  readonly index: number;
  /** Where in the file. */
  readonly position: number;
  /** Read-only: a block that occurs twice may share its memory. */
  readonly bytes: Uint8Array;
  readonly last: boolean;
}

interface Wanted {
  readonly index: number;
  readonly position: number;
  /** Null: nothing to fetch, only the end of an item to tell. */
  readonly blockId: BlockId | null;
  readonly sizeBytes: number;
  /** Bytes of the block before `position`. */
  readonly skipBytes: number;
  readonly last: boolean;
}

/**
 * Contents in order, in pieces, verified. Blocks of many files share one request, and one request is ahead of
 * the reader: at most three batches of 8 MiB are held.
 */
export async function* readContents(
  platform: ContentPlatform,
  reader: BlockReader,
  items: Iterable<ContentItem>,
  signal?: AbortSignal,
): AsyncGenerator<ContentPiece> {
  const stop = new AbortController();
  const inner = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]);
  const batches = gather(listWanted(platform, reader, items, inner));

  async function fetchNext(): Promise<{ wanted: Wanted[]; found: Map<BlockId, Uint8Array> } | null> {
    const { value: wanted, done } = await batches.next();
    if (done === true) return null;
    const ids = new Set<BlockId>();
    for (const { blockId } of wanted) if (blockId !== null) ids.add(blockId);
    return { wanted, found: ids.size === 0 ? new Map() : await reader.read(ids, inner) };
  }

  let ahead = fetchNext();
  try {
    for (;;) {
      const batch = await ahead;
      if (batch === null) return;
      ahead = fetchNext();
      // Thrown at the next `await ahead`; until then nobody else listens.
      ahead.catch(() => undefined);
      for (const wanted of batch.wanted) yield toPiece(wanted, batch.found);
    }
  } finally {
    stop.abort(new CairnError('cancelled', 'the rest was not wanted'));
    ahead.catch(() => undefined);
  }
}

function toPiece(wanted: Wanted, found: Map<BlockId, Uint8Array>): ContentPiece {
  const { index, position, blockId, sizeBytes, skipBytes, last } = wanted;
  if (blockId === null) return { index, position, bytes: new Uint8Array(0), last };
  const plain = found.get(blockId);
  if (plain?.length !== sizeBytes) {
    throw new CairnError(
      'block-wrong',
      `block ${blockId} has not the size that its manifest says. Restore an older version of the file`,
      {
        details: { blockId },
      },
    );
  }
  return { index, position, bytes: skipBytes === 0 ? plain : plain.subarray(skipBytes), last };
}

async function* listWanted(
  platform: ContentPlatform,
  reader: BlockReader,
  items: Iterable<ContentItem>,
  signal: AbortSignal,
): AsyncGenerator<Wanted> {
  let index = -1;
  for (const { content, startAt = 0 } of items) {
    index++;
    if (startAt >= content.sizeBytes) {
      yield { index, position: content.sizeBytes, blockId: null, sizeBytes: 0, skipBytes: 0, last: true };
      continue;
    }
    let position = 0;
    for await (const part of listChunks(platform, content.manifest, (id) =>
      reader.readManifest(id, signal),
    )) {
      const end = position + part.sizeBytes;
      const skipBytes = Math.max(0, startAt - position);
      if (end > startAt) {
        yield {
          index,
          position: position + skipBytes,
          blockId: part.block,
          sizeBytes: part.sizeBytes,
          skipBytes,
          last: end === content.sizeBytes,
        };
      }
      position = end;
    }
    if (position !== content.sizeBytes) {
      throw new CairnError(
        'block-wrong',
        'a manifest does not cover its file. Restore an older version of the file',
        {
          details: { contentId: content.contentId },
        },
      );
    }
  }
}

async function* gather(all: AsyncIterable<Wanted>): AsyncGenerator<Wanted[]> {
  let batch: Wanted[] = [];
  let bytes = 0;
  for await (const wanted of all) {
    if (batch.length >= BATCH_BLOCKS || bytes + wanted.sizeBytes > BATCH_BYTES) {
      if (batch.length > 0) yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(wanted);
    bytes += wanted.sizeBytes;
  }
  if (batch.length > 0) yield batch;
}
