import {
  BLOCK_ID_BYTES,
  type BlockId,
  blockKindOf,
  isBlockId,
  MAX_BLOCK_BYTES,
  type ManifestPart,
} from '@cairn/model';
import { formatHex, writeHex } from './hex.ts';

/** A part in binary form: the block id and its file bytes as a little-endian 64-bit number. */
export const PART_BYTES = BLOCK_ID_BYTES + 8;

const HALF = 2 ** 32;

/** Writes a size (safe integer) as 8 bytes, little-endian. */
export function writeSize(view: DataView, offset: number, sizeBytes: number): void {
  view.setUint32(offset, sizeBytes % HALF, true);
  view.setUint32(offset + 4, Math.floor(sizeBytes / HALF), true);
}

function readSize(view: DataView, offset: number): number {
  return view.getUint32(offset, true) + view.getUint32(offset + 4, true) * HALF;
}

/** Writes parts one after another from `offset` on. */
export function writeParts(bytes: Uint8Array, offset: number, parts: readonly ManifestPart[]): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = offset;
  for (const part of parts) {
    writeHex(bytes, at, part.block);
    writeSize(view, at + BLOCK_ID_BYTES, part.sizeBytes);
    at += PART_BYTES;
  }
}

/** The inverse of {@link writeParts}; does not judge what it finds. */
export function readParts(bytes: Uint8Array, offset: number, count: number): ManifestPart[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: count }, (_, index) => {
    const at = offset + index * PART_BYTES;
    return {
      block: formatHex(bytes.subarray(at, at + BLOCK_ID_BYTES)) as BlockId,
      sizeBytes: readSize(view, at + BLOCK_ID_BYTES),
    };
  });
}

/**
 * File bytes that `parts` cover together, or the problem that makes them no valid list.
 * @param depth 0 when the parts are chunks
 */
export function sumParts(depth: number, parts: readonly ManifestPart[]): number | string {
  let total = 0;
  const kind = depth === 0 ? 'chunk' : 'manifest';
  for (const part of parts) {
    if (!isBlockId(part.block)) return 'a part has no valid block id';
    if (blockKindOf(part.block) !== kind) return `a part at depth ${depth} is no ${kind}`;
    if (!Number.isSafeInteger(part.sizeBytes) || part.sizeBytes < 1) return 'a part has no valid size';
    if (depth === 0 && part.sizeBytes > MAX_BLOCK_BYTES) return 'a chunk is too large';
    total += part.sizeBytes;
  }
  return Number.isSafeInteger(total) ? total : 'the parts are too large together';
}
