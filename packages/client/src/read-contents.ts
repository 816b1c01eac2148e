import { type ContentPlatform, listChunks } from '@cairn/content';
import { type BlockId, CairnError, type FileContent } from '@cairn/model';
import { BATCH_BYTES, type BatchMemories, type BatchMemory, joinAdjacent } from './batch-memory.ts';
import type { BlockReader } from './block-reader.ts';
import type { ContentBase, DeltaReader } from './delta-reader.ts';

const BATCH_BLOCKS = 2000;
/** Blocks that have arrived side by side are handed on together up to this size: few large writes are cheaper than many. */
const MAX_PIECE_BYTES = 2 * 1024 * 1024;

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
  /**
   * Read-only: a block that occurs twice may share its memory. Overwritten once the next piece is asked for: who keeps
   * them copies them.
   */
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
  readonly memory: BatchMemory;
  readonly wanted: readonly Wanted[];
  /** Arrived and still to be handed on, with how often. */
  readonly arrived: Map<BlockId, Uint8Array>;
  readonly uses: Map<BlockId, number>;
  /** Settles when all have arrived, or will not. */
  readonly done: Promise<void>;
  /** Whether `done` has settled. */
  readonly isDone: boolean;
  /** Resolves when something has arrived, or `done` has settled, since the last call. */
  progress(): Promise<void>;
}

function fetchBatch(
  deltas: DeltaReader,
  wanted: readonly Wanted[],
  memory: BatchMemory,
  signal: AbortSignal,
): Batch {
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
  let isDone = false;
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
          (sizeBytes, roomBytes) => memory.allocate(sizeBytes, roomBytes),
        );
  const end = (): void => {
    isDone = true;
    wake();
  };
  // Once for all who wait: each race with it would be kept until it settles.
  done.then(end, end);
  return {
    memory,
    wanted,
    arrived,
    uses,
    done,
    get isDone() {
      return isDone;
    },
    async progress() {
      await next;
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
  memories: BatchMemories,
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
    const batch = fetchBatch(deltas, wanted, memories.take(sumBytes(wanted)), inner);
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
      yield* takePieces(batch);
      await batch.done;
      memories.give(batch.memory);
    }
  } finally {
    stop.abort(new CairnError('cancelled', 'the rest was not wanted'));
    ahead.catch(() => undefined);
  }
}

/** In order, each when it has arrived, and together with those behind it that have arrived, too. */
async function* takePieces(batch: Batch): AsyncGenerator<ContentPiece> {
  let piece: ContentPiece | null = null;
  for (const wanted of batch.wanted) {
    if (piece !== null) {
      const joined: ContentPiece | null = joinNext(piece, wanted, batch);
      if (joined !== null) {
        piece = joined;
        continue;
      }
      yield piece;
    }
    piece = toPiece(wanted, await take(batch, wanted.blockId));
  }
  if (piece !== null) yield piece;
}

/** The piece with the one behind it, if that has arrived and lies behind it in memory as it does in the file. */
function joinNext(piece: ContentPiece, wanted: Wanted, batch: Batch): ContentPiece | null {
  const { index, position, blockId, sizeBytes, skipBytes, last } = wanted;
  const follows = piece.index === index && piece.position + piece.bytes.length === position;
  if (!follows || blockId === null || skipBytes > 0) return null;
  const plain = batch.arrived.get(blockId);
  if (plain?.length !== sizeBytes || piece.bytes.length + sizeBytes > MAX_PIECE_BYTES) return null;
  const bytes = joinAdjacent(piece.bytes, plain);
  if (bytes === null) return null;
  letGo(batch, blockId);
  return { index, position: piece.position, bytes, last };
}

/** Waits for a block of the batch; its memory is let go with its last use. */
async function take(batch: Batch, blockId: BlockId | null): Promise<Uint8Array | undefined> {
  if (blockId === null) return undefined;
  for (;;) {
    const plain = batch.arrived.get(blockId);
    if (plain !== undefined) {
      letGo(batch, blockId);
      return plain;
    }
    if (batch.isDone) {
      await batch.done;
      return undefined;
    }
    await batch.progress();
  }
}

function letGo(batch: Batch, blockId: BlockId): void {
  const left = (batch.uses.get(blockId) ?? 1) - 1;
  batch.uses.set(blockId, left);
  if (left === 0) batch.arrived.delete(blockId);
}

/** Of different blocks: one that comes again is held once. */
function sumBytes(wanted: readonly Wanted[]): number {
  const sizes = new Map(wanted.map(({ blockId, sizeBytes }) => [blockId, sizeBytes]));
  return [...sizes.values()].reduce((total, sizeBytes) => total + sizeBytes, 0);
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
  // A block that comes again in a batch is fetched and held once: a hole of any size is one of them.
  let asked = new Set<BlockId | null>();
  for await (const wanted of all) {
    const more = asked.has(wanted.blockId) ? 0 : wanted.sizeBytes;
    if (batch.length >= BATCH_BLOCKS || bytes + more > BATCH_BYTES) {
      if (batch.length > 0) yield batch;
      batch = [];
      bytes = 0;
      asked = new Set();
    }
    batch.push(wanted);
    if (!asked.has(wanted.blockId)) bytes += wanted.sizeBytes;
    asked.add(wanted.blockId);
  }
  if (batch.length > 0) yield batch;
}
