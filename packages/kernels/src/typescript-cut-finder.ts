import { type CutFinder, PREDICATE_BYTES } from './cut-finder.ts';

/**
 * The cut predicate in plain TypeScript: the definition of what `assembly/cut-finder.ts` computes with vectors,
 * its test oracle, and what runs where WebAssembly is not allowed. Any difference between the two is a bug in
 * one of them: devices would cut the same file differently.
 *
 * Stage 1, on 8-bit lanes, for the byte b at every position (index: distance back):
 *   g = b + NIBBLES[b & 15]   h = g + 2g[1]   k = h ^ 2h[2]   z = k + 2k[4]   v = z ^ 2z[8]
 *   candidate = (v + v[16] == SUM) and (v[16] > FLOOR, signed)
 * Stage 2, for candidates only: a 64-bit multiply hash of the last 32 bytes, its upper half below a threshold.
 */

/** The first 16 bytes of the fraction of pi. */
const NIBBLES = Uint8Array.of(
  0x24,
  0x3f,
  0x6a,
  0x88,
  0x85,
  0xa3,
  0x08,
  0xd3,
  0x13,
  0x19,
  0x8a,
  0x2e,
  0x03,
  0x70,
  0x73,
  0x44,
);
/**
 * Odd: in data with a period of 1, 2, 4, 8 or 16 bytes v equals v[16], so their sum is even and never this. Among
 * the odd values, this one passed text, UTF-16, programs, tables and bitmaps at 0.75 to 1.04 of the rate intended.
 */
const SUM = 0x1b;
/** 16 of the 256 signed bytes are greater. */
const FLOOR = 111;

const MULTIPLIER = 0x9e37_79b9_7f4a_7c15n;
const SEED = 0x2436_a885_a308_d313n;
const MASK_64 = 0xffff_ffff_ffff_ffffn;

/** Upper 32 bits of the stage-2 hash of the 32 bytes that end at `last`. */
function hashBefore(view: DataView, last: number): number {
  let hash = SEED;
  for (let offset = last - (PREDICATE_BYTES - 1); offset < last; offset += 8) {
    hash = ((hash ^ view.getBigUint64(offset, true)) * MULTIPLIER) & MASK_64;
    hash ^= hash >> 29n;
  }
  return Number(((hash * MULTIPLIER) & MASK_64) >> 32n);
}

export function createTypeScriptCutFinder(windowBytes: number): CutFinder {
  const window = new Uint8Array(windowBytes);
  const view = new DataView(window.buffer);
  const mixed = new Uint8Array(256);
  for (let byte = 0; byte < 256; byte++) mixed[byte] = byte + (NIBBLES[byte & 15] as number);
  // Rings of the last 16 values of each stage; a position's slot is its offset modulo 16.
  const h = new Uint8Array(16);
  const k = new Uint8Array(16);
  const z = new Uint8Array(16);
  const v = new Uint8Array(16);

  function find(from: number, to: number, threshold: number): number {
    if (from < PREDICATE_BYTES - 1) throw new RangeError('the predicate needs 32 bytes');
    let g = 0;
    for (let offset = from - (PREDICATE_BYTES - 1); offset < to; offset++) {
      const slot = offset & 15;
      const previous = g;
      g = mixed[window[offset] as number] as number;
      const h0 = (g + (previous << 1)) & 255;
      const k0 = (h0 ^ ((h[(slot - 2) & 15] as number) << 1)) & 255;
      const z0 = (k0 + ((k[(slot - 4) & 15] as number) << 1)) & 255;
      const v0 = (z0 ^ ((z[(slot - 8) & 15] as number) << 1)) & 255;
      const v16 = v[slot] as number;
      h[slot] = h0;
      k[slot] = k0;
      z[slot] = z0;
      v[slot] = v0;
      if (v16 > FLOOR && v16 < 128 && ((v0 + v16) & 255) === SUM && offset >= from) {
        if (hashBefore(view, offset) < threshold) return offset;
      }
    }
    return -1;
  }

  const words = new Uint32Array(window.buffer, 0, windowBytes >>> 2);

  function firstNonZero(from: number, to: number): number {
    let at = from;
    while (at < to && (at & 3) !== 0 && window[at] === 0) at++;
    if ((at & 3) === 0) {
      let word = at >>> 2;
      for (const end = to >>> 2; word < end && words[word] === 0; ) word++;
      at = Math.max(at, word << 2);
    }
    while (at < to && window[at] === 0) at++;
    return at;
  }

  return { implementation: 'typescript', window, find, firstNonZero };
}
