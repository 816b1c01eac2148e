import { type ContentPlatform, listChunks } from '@cairn/content';
import { type BlockId, CairnError, type FileContent } from '@cairn/model';
import type { BlockReader } from './block-reader.ts';
import type { ContentBase, DeltaReader } from './delta-reader.ts';

const BATCH_BYTES = 5 * 1024 * 1024;
const BATCH_BLOCKS = 2000;

export interface ContentItem {
  readonly content: FileContent;
  /** Bytes at the front that are not wanted. */
  readonly startAt?: number;
  /** What is here that its blocks may be like. */
  readonly base?: ContentBase | null;
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
  readonly base: ContentBase | null;
}

/** One request's worth of blocks on their way. */
interface Batch {
  readonly wanted: readonly Wanted[];
  /** Arrived and still to be handed on, with how often. */
  readonly arrived: Map<BlockId, Uint8Array>;
  readonly uses: Map<BlockId, number>;
  /** Settles when all have arrived, or will not. */
  readonly done: Promise<void>;
  /** Resolves when something has arrived since the last call. */
  progress(): Promise<void>;
}

function fetchBatch(deltas: DeltaReader, wanted: readonly Wanted[], signal: AbortSignal): Batch {
  const uses = new Map<BlockId, number>();
  const blocks = new Map<BlockId, ContentBase | null>();
  for (const { blockId, base } of wanted) {
    if (blockId === null) continue;
    uses.set(blockId, (uses.get(blockId) ?? 0) + 1);
    blocks.set(blockId, blocks.get(blockId) ?? base);
  }
  const arrived = new Map<BlockId, Uint8Array>();
  let wake = (): void => undefined;
  let next = new Promise<void>((resolve) => {
    wake = resolve;
  });
  const done =
    uses.size === 0
      ? Promise.resolve()
      : deltas.read(
          blocks,
          (blockId, plain) => {
            arrived.set(blockId, plain);
            wake();
          },
          signal,
        );
  return {
    wanted,
    arrived,
    uses,
    done,
    async progress() {
      await Promise.race([next, done]);
      next = new Promise<void>((resolve) => {
        wake = resolve;
      });
    },
  };
}

/**
 * Contents in order, in pieces, verified, each as soon as it has arrived: who stops in the middle has what came.
 * Blocks of many files share one request; the next request begins when one has arrived whole, so at most two
 * batches of 5 MiB are held.
 */
export async function* readContents(
  platform: ContentPlatform,
  reader: BlockReader,
  deltas: DeltaReader,
  items: Iterable<ContentItem>,
  signal?: AbortSignal,
): AsyncGenerator<ContentPiece> {
  const stop = new AbortController();
  const inner = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]);
  const batches = gather(listWanted(platform, reader, items, inner));

  async function begin(after: Promise<void>): Promise<Batch | null> {
    await after;
    const { value: wanted, done } = await batches.next();
    if (done === true) return null;
    const batch = fetchBatch(deltas, wanted, inner);
    // Thrown where the batch is read; until then nobody else listens.
    batch.done.catch(() => undefined);
    return batch;
  }

  let ahead = begin(Promise.resolve());
  try {
    for (;;) {
      const batch = await ahead;
      if (batch === null) return;
      ahead = begin(batch.done);
      ahead.catch(() => undefined);
      for (const wanted of batch.wanted) yield toPiece(wanted, await take(batch, wanted.blockId));
    }
  } finally {
    stop.abort(new CairnError('cancelled', 'the rest was not wanted'));
    ahead.catch(() => undefined);
  }
}

/** Waits for a block of the batch; its memory is let go with its last use. */
async function take(batch: Batch, blockId: BlockId | null): Promise<Uint8Array | undefined> {
  if (blockId === null) return undefined;
  let settled = false;
  for (;;) {
    const plain = batch.arrived.get(blockId);
    if (plain !== undefined) {
      const left = (batch.uses.get(blockId) ?? 1) - 1;
      batch.uses.set(blockId, left);
      if (left === 0) batch.arrived.delete(blockId);
      return plain;
    }
    if (settled) return undefined;
    await batch.progress();
    settled = await Promise.race([batch.done.then(() => true), Promise.resolve(false)]);
  }
}

function toPiece(wanted: Wanted, plain: Uint8Array | undefined): ContentPiece {
  const { index, position, blockId, sizeBytes, skipBytes, last } = wanted;
  if (blockId === null) return { index, position, bytes: new Uint8Array(0), last };
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
  for (const { content, startAt = 0, base = null } of items) {
    index++;
    if (startAt >= content.sizeBytes) {
      const position = content.sizeBytes;
      yield { index, position, blockId: null, sizeBytes: 0, skipBytes: 0, last: true, base };
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
          base,
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
