import { writeBlockHeader } from './block-header.ts';
import { writeEnd } from './encode-pack.ts';
import { BLOCK_HEADER_BYTES, END_BYTES, MAGIC, type PackBlock } from './pack-format.ts';

/** Bytes in front of a pack's first block and behind its last one. */
export const PACK_EDGES = { before: MAGIC.length, after: END_BYTES } as const;
/** Bytes in front of each payload. */
export const PACK_BLOCK_HEADER_BYTES = BLOCK_HEADER_BYTES;

/** Writes a pack into memory that the caller brings. */
export interface PackWriter {
  /**
   * Appends a block. Its payload may lie in the same memory, from where it would be written on: so plain bytes that
   * were gathered there, each behind room for a header, become a pack in place.
   */
  add(block: PackBlock): void;
  readonly count: number;
  /** The pack; nothing can be added any more. */
  finish(): Uint8Array;
}

/** Throws `RangeError` when the memory is too small; the limits of a pack are the caller's to keep. */
export function createPackWriter(memory: Uint8Array): PackWriter {
  const view = new DataView(memory.buffer, memory.byteOffset, memory.byteLength);
  let position = MAGIC.length;
  let count = 0;
  return {
    add(block) {
      const start = position + BLOCK_HEADER_BYTES;
      const { payload } = block;
      const isThere = payload.buffer === memory.buffer && payload.byteOffset === memory.byteOffset + start;
      if (!isThere) memory.set(payload, start);
      writeBlockHeader(memory, view, position, block);
      position = start + payload.length;
      count++;
    },
    get count() {
      return count;
    },
    finish() {
      memory.set(MAGIC);
      writeEnd(view, position, count);
      return memory.subarray(0, position + END_BYTES);
    },
  };
}
