import {
  type ByteSource,
  type ContentPlatform,
  type DeltaBlock,
  encodeNamedBlock,
  isWorthwhile,
  type PlainBlock,
  type StoredBlock,
} from '@cairn/content';
import { type BlockId, MAX_BLOCK_BYTES } from '@cairn/model';
import {
  createPackWriter,
  encodeDeltaPack,
  encodePack,
  PACK_BLOCK_HEADER_BYTES,
  PACK_EDGES,
  PROTOCOL_LIMITS,
} from '@cairn/protocol';
import type { BodyPiece } from './transport.ts';
import type { BatchDeltas, DeltaHint, HintedBlock } from './upload-deltas.ts';

/** Larger than any block; a batch that cannot take the next block is full. */
const BATCH_BYTES = 4 * 1024 * 1024;
const MAX_BLOCKS = Math.min(PROTOCOL_LIMITS.maxBlockIds, PROTOCOL_LIMITS.maxPackBlocks);
/** Buffers kept while none is in use. */
const IDLE_BUFFERS = 2;
/**
 * Buffers of all uploads together: 24 MiB, of which four are packs on their way. One more for each upload that has none, so
 * that none waits for others.
 */
const MAX_BUFFERS = 6;

/** Memory of batches, used again and again: fresh memory for every batch is garbage of the size of all uploads. */
export interface BatchBuffers {
  /** What one upload takes its buffers from. */
  createShare(): BufferShare;
}

export interface BufferShare {
  /** `null`: not before one that this upload has is given back. */
  take(): Uint8Array | null;
  /** Only once nobody reads from it any more. */
  give(buffer: Uint8Array): void;
  /** Instead of `give`, for a buffer that a failed request may still read from. */
  forget(): void;
}

export function createBatchBuffers(): BatchBuffers {
  const spare: Uint8Array[] = [];
  let inUse = 0;

  function createShare(): BufferShare {
    let held = 0;

    function release(): void {
      held--;
      inUse--;
      if (inUse === 0) spare.splice(IDLE_BUFFERS);
    }

    return {
      take() {
        if (held > 0 && inUse >= MAX_BUFFERS) return null;
        held++;
        inUse++;
        return spare.pop() ?? new Uint8Array(BATCH_BYTES);
      },
      give(buffer) {
        if (spare.length < MAX_BUFFERS) spare.push(buffer);
        release();
      },
      forget: release,
    };
  }

  return { createShare };
}

/** Blocks that the server is asked about together, and that travel in one pack. */
export interface Batch {
  readonly blockIds: BlockId[];
  hasRoomFor(sizeBytes: number): boolean;
  /**
   * There must be room.
   * @param held where the same bytes can be read again, without the memory that they are in
   * @param hint what the block may be like
   */
  add(block: PlainBlock, held: HeldBytes | null, hint?: DeltaHint | null): void;
  /** Blocks of which it is known what they may be like. */
  readonly hinted: readonly HintedBlock[];
  /**
   * The pack of the missing ones; once only.
   * @param deltas makes deltas of some of them
   */
  encode(platform: ContentPlatform, missing: ReadonlySet<BlockId>, deltas?: BatchDeltas | null): EncodedBatch;
}

/** Bytes of a source that can be read again, from `start` on. */
export interface HeldBytes {
  readonly source: HeldSource;
  readonly start: number;
}

export type HeldSource = Required<Pick<ByteSource, 'hold'>>;

export interface EncodedBatch {
  /** `null`: the server has everything. */
  readonly pack: readonly BodyPiece[] | null;
  readonly hasManifests: boolean;
  /** Plain bytes that the server has already. */
  readonly skippedBytes: number;
  /** Where the pack has deltas: the same without them. */
  whole?(): readonly BodyPiece[];
  /** Where something is read only when it is sent: the pack without what is not any more what it was, and that. */
  recheck?(keep: { readonly withManifests: boolean }): Promise<Rechecked>;
}

export interface Rechecked {
  readonly pack: readonly BodyPiece[] | null;
  readonly gone: readonly BlockId[];
}

interface GatheredBlock extends HintedBlock {
  readonly start: number;
}

/** A delta of so small a part of the block is sent without a look at how well the block itself can be compressed. */
const SMALL_SHARE = 1 / 8;

let blockScratch: Uint8Array | undefined;

/** Memory for one compressed block, the same for all: made anew for each, it would be garbage of the size of all uploads. */
function scratch(): Uint8Array {
  blockScratch ??= new Uint8Array(MAX_BLOCK_BYTES);
  return blockScratch;
}

/**
 * Blocks in memory. Their plain bytes stand where they will be in the pack, so that
 * the pack of those that are missing is made in place.
 */
export class UploadBatch implements Batch {
  readonly buffer: Uint8Array;
  readonly #blocks: GatheredBlock[] = [];
  #position = PACK_EDGES.before;

  constructor(buffer: Uint8Array) {
    this.buffer = buffer;
  }

  get blockIds(): BlockId[] {
    return this.#blocks.map(({ blockId }) => blockId);
  }

  hasRoomFor(sizeBytes: number): boolean {
    const end = this.#position + PACK_BLOCK_HEADER_BYTES + sizeBytes + PACK_EDGES.after;
    return end <= this.buffer.length && this.#blocks.length < MAX_BLOCKS;
  }

  /** Copies the block's bytes; there must be room. */
  add(
    { blockId, kind, plain }: PlainBlock,
    _held: HeldBytes | null = null,
    hint: DeltaHint | null = null,
  ): void {
    const start = this.#position + PACK_BLOCK_HEADER_BYTES;
    this.buffer.set(plain, start);
    this.#blocks.push({ blockId, kind, start, sizeBytes: plain.length, hint });
    this.#position = start + plain.length;
  }

  get hinted(): readonly HintedBlock[] {
    return this.#blocks.filter(({ hint }) => hint !== null);
  }

  /** The pack of the missing ones, compressed where that helps; once only, as the plain bytes may be gone then. */
  encode(
    platform: ContentPlatform,
    missing: ReadonlySet<BlockId>,
    deltas: BatchDeltas | null = null,
  ): EncodedBatch {
    return (
      (deltas && this.#encodeDeltas(platform, missing, deltas)) ?? this.#encodeInPlace(platform, missing)
    );
  }

  #plainOf({ start, sizeBytes }: GatheredBlock): Uint8Array {
    return this.buffer.subarray(start, start + sizeBytes);
  }

  /** Leaves the plain bytes where they are, should the server not take the deltas; `null` when there are none. */
  #encodeDeltas(
    platform: ContentPlatform,
    missing: ReadonlySet<BlockId>,
    deltas: BatchDeltas,
  ): EncodedBatch | null {
    const wanted = this.#blocks.filter(({ blockId }) => missing.has(blockId));
    const whole = (block: GatheredBlock): StoredBlock =>
      encodeNamedBlock(platform, block.blockId, block.kind, this.#plainOf(block), { keep: true });
    let made = 0;
    const records = wanted.map((block): StoredBlock | DeltaBlock | null => {
      const delta = deltas.make(block, this.#plainOf(block));
      if (delta === null) return null;
      if (delta.payload.length > block.sizeBytes * SMALL_SHARE) {
        const stored = whole(block);
        if (!isWorthwhile(delta, stored.payload.length)) return stored;
      }
      made++;
      return delta;
    });
    if (made === 0) return null;
    const wantedBytes = wanted.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    return {
      pack: encodeDeltaPack(wanted.map((block, index) => records[index] ?? whole(block))),
      hasManifests: wanted.some(({ kind }) => kind === 'manifest'),
      skippedBytes: this.#blocks.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) - wantedBytes,
      whole: () => encodePack(wanted.map(whole)),
    };
  }

  #encodeInPlace(platform: ContentPlatform, missing: ReadonlySet<BlockId>): EncodedBatch {
    const writer = createPackWriter(this.buffer);
    let skippedBytes = 0;
    let hasManifests = false;
    for (const block of this.#blocks) {
      const { blockId, kind, sizeBytes } = block;
      if (!missing.has(blockId)) {
        skippedBytes += sizeBytes;
        continue;
      }
      // Copied to its place in the pack before the next one is compressed.
      writer.add(
        encodeNamedBlock(platform, blockId, kind, this.#plainOf(block), { keep: true, into: scratch() }),
      );
      if (kind === 'manifest') hasManifests = true;
    }
    return { pack: writer.count === 0 ? null : [writer.finish()], hasManifests, skippedBytes };
  }
}
