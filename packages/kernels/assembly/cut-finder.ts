// The cut predicate with 128-bit vectors: bit for bit what src/typescript-cut-finder.ts computes, which also says
// what the stages are. Every constant here is frozen together with the chunk profiles.

const PREDICATE_BYTES: usize = 32;
const SUM: u8 = 0x1b;
const FLOOR: i8 = 111;
const SEED: u64 = 0x2436a885a308d313;
const MULTIPLIER: u64 = 0x9e3779b97f4a7c15;

// @ts-ignore: decorator
@inline
function mix(bytes: v128): v128 {
  const nibbles = i64x2(0xd308a385886a3f24, 0x447370032e8a1913);
  return i8x16.add(bytes, i8x16.swizzle(nibbles, v128.and(bytes, i8x16.splat(15))));
}

// @ts-ignore: decorator
@inline
function double(lanes: v128): v128 {
  return i8x16.add(lanes, lanes);
}

// Lanes moved on by 1, 2, 4 and 8 positions, filled up from the vector before.

// @ts-ignore: decorator
@inline
function back1(before: v128, now: v128): v128 {
  return i8x16.shuffle(before, now, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30);
}

// @ts-ignore: decorator
@inline
function back2(before: v128, now: v128): v128 {
  return i8x16.shuffle(before, now, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29);
}

// @ts-ignore: decorator
@inline
function back4(before: v128, now: v128): v128 {
  return i8x16.shuffle(before, now, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27);
}

// @ts-ignore: decorator
@inline
function back8(before: v128, now: v128): v128 {
  return i8x16.shuffle(before, now, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23);
}

// @ts-ignore: decorator
@inline
function candidates(before: v128, now: v128): v128 {
  return v128.and(
    i8x16.eq(i8x16.add(now, before), i8x16.splat(SUM)),
    i8x16.gt_s(before, i8x16.splat(FLOOR)),
  );
}

/** Upper 32 bits of the stage-2 hash of the 32 bytes that end at `last`. */
function hashBefore(last: usize): u32 {
  let hash: u64 = SEED;
  const first = last - (PREDICATE_BYTES - 1);
  for (let offset: usize = 0; offset < PREDICATE_BYTES; offset += 8) {
    hash = (hash ^ load<u64>(first + offset)) * MULTIPLIER;
    hash ^= hash >> 29;
  }
  return <u32>((hash * MULTIPLIER) >> 32);
}

/** Address of the first of the marked lanes that passes stage 2, or 0. */
function passing(marks: u32, base: usize, to: usize, threshold: u32): usize {
  while (marks != 0) {
    const at = base + <usize>ctz(marks);
    if (at >= to) return 0;
    if (hashBefore(at) < threshold) return at;
    marks &= marks - 1;
  }
  return 0;
}

/**
 * First address in `[from, to)` at which a chunk may end, or 0. Reads 32 bytes before `from` and up to 64 behind
 * `to`, which never change the answer.
 */
export function find(from: usize, to: usize, threshold: u32): usize {
  const zero = i8x16.splat(0);
  let g = zero;
  let h = zero;
  let k = zero;
  let z = zero;
  let v = zero;

  // Two vectors of run-up: v is right from the second one on, since it depends on 16 bytes.
  for (let at = from - PREDICATE_BYTES; at < from; at += 16) {
    const g0 = mix(v128.load(at));
    const h0 = i8x16.add(g0, double(back1(g, g0)));
    const k0 = v128.xor(h0, double(back2(h, h0)));
    const z0 = i8x16.add(k0, double(back4(k, k0)));
    v = v128.xor(z0, double(back8(z, z0)));
    g = g0;
    h = h0;
    k = k0;
    z = z0;
  }

  for (let at = from; at < to; at += 64) {
    const g0 = mix(v128.load(at));
    const g1 = mix(v128.load(at, 16));
    const g2 = mix(v128.load(at, 32));
    const g3 = mix(v128.load(at, 48));
    const h0 = i8x16.add(g0, double(back1(g, g0)));
    const h1 = i8x16.add(g1, double(back1(g0, g1)));
    const h2 = i8x16.add(g2, double(back1(g1, g2)));
    const h3 = i8x16.add(g3, double(back1(g2, g3)));
    const k0 = v128.xor(h0, double(back2(h, h0)));
    const k1 = v128.xor(h1, double(back2(h0, h1)));
    const k2 = v128.xor(h2, double(back2(h1, h2)));
    const k3 = v128.xor(h3, double(back2(h2, h3)));
    const z0 = i8x16.add(k0, double(back4(k, k0)));
    const z1 = i8x16.add(k1, double(back4(k0, k1)));
    const z2 = i8x16.add(k2, double(back4(k1, k2)));
    const z3 = i8x16.add(k3, double(back4(k2, k3)));
    const v0 = v128.xor(z0, double(back8(z, z0)));
    const v1 = v128.xor(z1, double(back8(z0, z1)));
    const v2 = v128.xor(z2, double(back8(z1, z2)));
    const v3 = v128.xor(z3, double(back8(z2, z3)));
    const c0 = candidates(v, v0);
    const c1 = candidates(v0, v1);
    const c2 = candidates(v1, v2);
    const c3 = candidates(v2, v3);
    if (v128.any_true(v128.or(v128.or(c0, c1), v128.or(c2, c3)))) {
      let found = passing(i8x16.bitmask(c0), at, to, threshold);
      if (found == 0) found = passing(i8x16.bitmask(c1), at + 16, to, threshold);
      if (found == 0) found = passing(i8x16.bitmask(c2), at + 32, to, threshold);
      if (found == 0) found = passing(i8x16.bitmask(c3), at + 48, to, threshold);
      if (found != 0) return found;
    }
    g = g3;
    h = h3;
    k = k3;
    z = z3;
    v = v3;
  }
  return 0;
}

/** Address of the first byte in `[from, to)` that is not zero, or `to`. */
export function firstNonZero(from: usize, to: usize): usize {
  let at = from;
  for (; at + 128 <= to; at += 128) {
    const first = v128.or(v128.or(v128.load(at), v128.load(at, 16)), v128.or(v128.load(at, 32), v128.load(at, 48)));
    const second = v128.or(
      v128.or(v128.load(at, 64), v128.load(at, 80)),
      v128.or(v128.load(at, 96), v128.load(at, 112)),
    );
    if (v128.any_true(v128.or(first, second))) break;
  }
  while (at < to && load<u8>(at) == 0) at++;
  return at;
}
