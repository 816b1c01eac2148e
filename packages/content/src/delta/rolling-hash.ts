/**
 * The weak hash of a span: a polynomial in its bytes modulo 2^32, which can be moved on by one byte at a time. It only
 * says where looking closer is worth it.
 */
const FACTOR = 0x2c9277b5;
const FACTOR_2 = Math.imul(FACTOR, FACTOR);
const FACTOR_3 = Math.imul(FACTOR_2, FACTOR);
const FACTOR_4 = Math.imul(FACTOR_3, FACTOR);

/** Of `length` bytes from `start` on; a 32-bit integer with sign. */
export function weakHash(bytes: Uint8Array, start: number, length: number): number {
  let hash = 0;
  let at = start;
  const end = start + length;
  // Four at a time, so that one multiplication does not wait for the other.
  for (; at + 4 <= end; at += 4) {
    hash =
      (Math.imul(hash, FACTOR_4) +
        Math.imul(bytes[at] as number, FACTOR_3) +
        Math.imul(bytes[at + 1] as number, FACTOR_2) +
        Math.imul(bytes[at + 2] as number, FACTOR) +
        (bytes[at + 3] as number)) |
      0;
  }
  for (; at < end; at++) hash = (Math.imul(hash, FACTOR) + (bytes[at] as number)) | 0;
  return hash;
}

/** What a byte that has left a span of `length` would count in the hash of the next one. */
export function leavingFactor(length: number): number {
  let factor = 1;
  for (let left = length; left > 0; left--) factor = Math.imul(factor, FACTOR);
  return factor;
}

/** The hash of the span that begins one byte later. */
export function rollHash(hash: number, leaving: number, leaves: number, enters: number): number {
  // Only the first product waits for the hash before.
  return (Math.imul(hash, FACTOR) + (enters - Math.imul(leaves, leaving))) | 0;
}
