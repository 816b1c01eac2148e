import {
  type ByteSource,
  type ContentPlatform,
  type DeltaBlock,
  encodeNamedBlock,
  isWorthwhile,
  type PlainBlock,
  type StoredBlock,
} from '@cairn/content';
import type { BlockId } from '@cairn/model';
import {
  createPackWriter,
  encodeDeltaPack,
  encodePack,
  PACK_BLOCK_HEADER_BYTES,
  PACK_EDGES,
  PROTOCOL_LIMITS,
} from '@cairn/protocol';
import { BATCH_BYTES, type BufferShare } from './batch-buffers.ts';
import type { BodyPiece } from './transport.ts';
import type { BatchDeltas, DeltaHint, HintedBlock } from './upload-deltas.ts';

const MAX_BLOCKS = Math.min(PROTOCOL_LIMITS.maxBlockIds, PROTOCOL_LIMITS.maxPackBlocks);
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

/**
 * Blocks in memory. Their plain bytes stand where they will be in the pack, so that
 * the pack of those that are missing is made in place.
 */
export class UploadBatch implements Batch {
  readonly #buffers: BufferShare;
  readonly #blocks: GatheredBlock[] = [];
  #buffer: Uint8Array;
  #position = PACK_EDGES.before;

  /** @param buffer taken from `buffers` */
  constructor(buffers: BufferShare, buffer: Uint8Array) {
    this.#buffers = buffers;
    this.#buffer = buffer;
  }

  /** What is to be given back, or forgotten. */
  get buffer(): Uint8Array {
    return this.#buffer;
  }

  get blockIds(): BlockId[] {
    return this.#blocks.map(({ blockId }) => blockId);
  }

  hasRoomFor(sizeBytes: number): boolean {
    return this.#endWith(sizeBytes) <= BATCH_BYTES && this.#blocks.length < MAX_BLOCKS;
  }

  /** Copies the block's bytes; there must be room. */
  add(
    { blockId, kind, plain }: PlainBlock,
    _held: HeldBytes | null = null,
    hint: DeltaHint | null = null,
  ): void {
    if (this.#endWith(plain.length) > this.#buffer.length) this.#buffer = this.#buffers.enlarge(this.#buffer);
    const start = this.#position + PACK_BLOCK_HEADER_BYTES;
    this.#buffer.set(plain, start);
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

  /** Where the pack would end with one more block of so many bytes. */
  #endWith(sizeBytes: number): number {
    return this.#position + PACK_BLOCK_HEADER_BYTES + sizeBytes + PACK_EDGES.after;
  }

  #plainOf({ start, sizeBytes }: GatheredBlock): Uint8Array {
    return this.#buffer.subarray(start, start + sizeBytes);
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
    const writer = createPackWriter(this.#buffer);
    let skippedBytes = 0;
    let hasManifests = false;
    for (const block of this.#blocks) {
      const { blockId, kind, sizeBytes } = block;
      if (!missing.has(blockId)) {
        skippedBytes += sizeBytes;
        continue;
      }
      // Copied to its place in the pack before the next one is compressed.
      const into = this.#buffers.scratch(sizeBytes);
      writer.add(encodeNamedBlock(platform, blockId, kind, this.#plainOf(block), { keep: true, into }));
      if (kind === 'manifest') hasManifests = true;
    }
    return { pack: writer.count === 0 ? null : [writer.finish()], hasManifests, skippedBytes };
  }
}
