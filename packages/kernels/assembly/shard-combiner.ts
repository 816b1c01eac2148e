// Sums over GF(2^8) with 128-bit vectors: byte for byte what src/typescript-shard-combiner.ts computes.
// All lengths are multiples of 32; shards lie `stride` bytes apart, the four sources first.

const REDUCTION: u8 = 0x1d;

// @ts-ignore: decorator
@inline
function double(lanes: v128): v128 {
  const carries = i8x16.lt_s(lanes, i8x16.splat(0));
  return v128.xor(i8x16.add(lanes, lanes), v128.and(carries, i8x16.splat(REDUCTION)));
}

// @ts-ignore: decorator
@inline
function encodeAt(at: usize, stride: usize): void {
  const a = v128.load(at);
  const b = v128.load(at + stride);
  const c = v128.load(at + 2 * stride);
  const d = v128.load(at + 3 * stride);
  v128.store(at + 4 * stride, v128.xor(v128.xor(a, b), v128.xor(c, d)));
  const high = v128.xor(c, double(d));
  const middle = v128.xor(b, double(high));
  v128.store(at + 5 * stride, v128.xor(a, double(middle)));
}

/** Both parities of four sources: their sum, and the one with the powers of two. */
export function encode(start: usize, stride: usize, length: usize): void {
  const end = start + length;
  for (let at = start; at < end; at += 32) {
    encodeAt(at, stride);
    encodeAt(at + 16, stride);
  }
}

// @ts-ignore: decorator
@inline
function product(bytes: v128, low: v128, high: v128): v128 {
  return v128.xor(
    i8x16.swizzle(low, v128.and(bytes, i8x16.splat(15))),
    i8x16.swizzle(high, i8x16.shr_u(bytes, 4)),
  );
}

/**
 * Four sources, each times its factor, summed up at `output`. At `tables` are two vectors for each factor: what it gives
 * with each low, and with each high half of a byte.
 */
export function combine(start: usize, stride: usize, length: usize, tables: usize, output: usize): void {
  const low0 = v128.load(tables);
  const high0 = v128.load(tables, 16);
  const low1 = v128.load(tables, 32);
  const high1 = v128.load(tables, 48);
  const low2 = v128.load(tables, 64);
  const high2 = v128.load(tables, 80);
  const low3 = v128.load(tables, 96);
  const high3 = v128.load(tables, 112);
  const end = start + length;
  for (let at = start; at < end; at += 16) {
    const first = product(v128.load(at), low0, high0);
    const second = product(v128.load(at + stride), low1, high1);
    const third = product(v128.load(at + 2 * stride), low2, high2);
    const fourth = product(v128.load(at + 3 * stride), low3, high3);
    v128.store(output + (at - start), v128.xor(v128.xor(first, second), v128.xor(third, fourth)));
  }
}
