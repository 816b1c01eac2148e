import {
  type BlockKind,
  type ByteSource,
  type ContentPlatform,
  encodeNamedBlock,
  type PlainBlock,
} from '@cairn/content';
import type { BlockId } from '@cairn/model';
import { createPackWriter, PACK_BLOCK_HEADER_BYTES, PACK_EDGES, PROTOCOL_LIMITS } from '@cairn/protocol';
import type { BodyPiece } from './transport.ts';

/** Larger than any block; a batch that cannot take the next block is full. */
const BATCH_BYTES = 4 * 1024 * 1024;
const MAX_BLOCKS = Math.min(PROTOCOL_LIMITS.maxBlockIds, PROTOCOL_LIMITS.maxPackBlocks);
/** Buffers kept while none is in use. */
const IDLE_BUFFERS = 2;
/** Buffers of all uploads together: 16 MiB. One more for each upload that has none, so that none waits for others. */
const MAX_BUFFERS = 4;

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
   */
  add(block: PlainBlock, held: HeldBytes | null): void;
  /** The pack of the missing ones; once only. */
  encode(platform: ContentPlatform, missing: ReadonlySet<BlockId>): EncodedBatch;
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
  /** Where something is read only when it is sent: the pack without what is not any more what it was, and that. */
  recheck?(keep: { readonly withManifests: boolean }): Promise<Rechecked>;
}

export interface Rechecked {
  readonly pack: readonly BodyPiece[] | null;
  readonly gone: readonly BlockId[];
}

interface GatheredBlock {
  readonly blockId: BlockId;
  readonly kind: BlockKind;
  readonly start: number;
  readonly sizeBytes: number;
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
  add({ blockId, kind, plain }: PlainBlock): void {
    const start = this.#position + PACK_BLOCK_HEADER_BYTES;
    this.buffer.set(plain, start);
    this.#blocks.push({ blockId, kind, start, sizeBytes: plain.length });
    this.#position = start + plain.length;
  }

  /** The pack of the missing ones, compressed where that helps; once only, as the plain bytes are gone then. */
  encode(platform: ContentPlatform, missing: ReadonlySet<BlockId>): EncodedBatch {
    const writer = createPackWriter(this.buffer);
    let skippedBytes = 0;
    let hasManifests = false;
    for (const { blockId, kind, start, sizeBytes } of this.#blocks) {
      if (!missing.has(blockId)) {
        skippedBytes += sizeBytes;
        continue;
      }
      const plain = this.buffer.subarray(start, start + sizeBytes);
      writer.add(encodeNamedBlock(platform, blockId, kind, plain, { keep: true }));
      if (kind === 'manifest') hasManifests = true;
    }
    return { pack: writer.count === 0 ? null : [writer.finish()], hasManifests, skippedBytes };
  }
}
