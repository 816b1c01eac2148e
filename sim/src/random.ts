import { createSeededRandom, type Random } from '@cairn/environment';

/** Choices from one seed. */
export interface Draw {
  /** An integer in [0, limit). */
  below(limit: number): number;
  chance(percent: number): boolean;
  pick<Item>(items: readonly Item[]): Item;
  /** A 32-bit number, to seed something else with. */
  word(): number;
}

export function createDraw(seed: number): Draw {
  const next = createSeededRandom(seed);
  const below = (limit: number): number => next() % limit;
  return {
    below,
    chance: (percent) => below(100) < percent,
    pick: (items) => items[below(items.length)] as (typeof items)[number],
    word: next,
  };
}

/** A seed for a stream of its own: adding a stream, or drawing more from one, leaves the others as they were. */
export function deriveSeed(seed: number, ...labels: readonly (string | number)[]): number {
  let mixed = (seed ^ 0x9e3779b9) >>> 0;
  for (const label of labels) {
    for (const character of `${label}/`) {
      mixed = Math.imul(mixed ^ character.charCodeAt(0), 0x01000193) >>> 0;
      mixed = (mixed ^ (mixed >>> 15)) >>> 0;
    }
  }
  return mixed;
}

/** What a program in the simulation gets for chance. */
export function createSeededChance(seed: number): Random {
  const next = createSeededRandom(seed);
  return {
    bytes(count) {
      const bytes = new Uint8Array(count);
      for (let index = 0; index < count; index++) bytes[index] = next() & 0xff;
      return bytes;
    },
    fraction: () => next() / 0x1_0000_0000,
  };
}
