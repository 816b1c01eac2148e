import { createCipheriv, createHash } from 'node:crypto';
import { closeSync, openSync, writeSync } from 'node:fs';

/** Choices that a seed repeats. */
export interface SeededRandom {
  /** From 0, below 1. */
  fraction(): number;
  /** Whole number from `from` to `to`, both included. */
  integer(from: number, to: number): number;
  pick<Item>(items: readonly Item[]): Item;
  chance(probability: number): boolean;
  /** Normally distributed, mean 0, deviation 1. */
  normal(): number;
}

/** mulberry32, seeded by a text. */
export function createSeededRandom(seed: string): SeededRandom {
  let state = createHash('sha256').update(seed).digest().readUInt32LE(0);
  function fraction(): number {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }
  return {
    fraction,
    integer: (from, to) => from + Math.floor(fraction() * (to - from + 1)),
    pick: (items) => {
      const item = items[Math.floor(fraction() * items.length)];
      if (item === undefined) throw new RangeError('nothing to pick from');
      return item;
    },
    chance: (probability) => fraction() < probability,
    normal: () => Math.sqrt(-2 * Math.log(1 - fraction())) * Math.cos(2 * Math.PI * fraction()),
  };
}

/** An endless stream of bytes that do not compress, the same for the same seed. */
export function createByteStream(seed: string): (sizeBytes: number) => Buffer {
  const key = createHash('sha256').update(seed).digest();
  const cipher = createCipheriv('aes-256-ctr', key, Buffer.alloc(16));
  return (sizeBytes) => cipher.update(Buffer.alloc(sizeBytes));
}

/** Writes a file of `sizeBytes` random bytes. */
export function writeRandomFile(path: string, sizeBytes: number, seed: string): void {
  const next = createByteStream(seed);
  const descriptor = openSync(path, 'wx');
  try {
    for (let left = sizeBytes; left > 0; ) {
      const piece = next(Math.min(left, 4 * 1024 * 1024));
      left -= writeSync(descriptor, piece);
    }
  } finally {
    closeSync(descriptor);
  }
}
