const MIB = 1024 * 1024;
const SMALLEST_PART_BYTES = 8 * MIB;
const MAX_PARTS = 4096;

/** Length of every part but the last: 8 MiB, more for files that would have over 4096 parts. */
export function choosePartBytes(sizeBytes: number): number {
  return Math.max(SMALLEST_PART_BYTES, Math.ceil(sizeBytes / MAX_PARTS / MIB) * MIB);
}

export function countParts(sizeBytes: number, partBytes: number): number {
  return Math.ceil(sizeBytes / partBytes);
}

/** Length that a part must have; `null` when there is no part of that number (they start at 1). */
export function partLength(sizeBytes: number, partBytes: number, partNumber: number): number | null {
  if (!Number.isInteger(partNumber) || partNumber < 1) return null;
  const start = (partNumber - 1) * partBytes;
  return start >= sizeBytes ? null : Math.min(partBytes, sizeBytes - start);
}
