import { createHash } from 'node:crypto';
import { createByteStream, type SeededRandom } from '@cairn/bench';
import type { ByteSource } from '@cairn/content';

/** Bytes that can be made again at any time. */
export interface SoakContent {
  readonly hash: string;
  readonly sizeBytes: number;
  bytes(): Uint8Array;
}

export interface SoakContents {
  /** Mostly one of the few that all users have, so that they share blocks; sometimes one that nobody has had. */
  pick(random: SeededRandom): SoakContent;
  /** One that nobody has had. */
  makeFresh(random: SeededRandom): SoakContent;
}

const KIBIBYTE = 1024;
const POOL = 24;
const LARGE_BYTES = 3 * 1024 * KIBIBYTE;
const FRESH_CHANCE = 0.2;

/** The bytes as the client wants them. */
export function sourceOf(content: SoakContent): ByteSource {
  const bytes = content.bytes();
  return {
    async read(into, position) {
      const piece = bytes.subarray(position, position + into.length);
      into.set(piece);
      return piece.length;
    },
  };
}

export function createSoakContents(seed: string): SoakContents {
  let made = 0;

  function make(name: string, sizeBytes: number, tail: number): SoakContent {
    // Two with one name and different tails share all blocks but their last ones.
    const bytes = () => {
      const whole = createByteStream(`${seed} ${name}`)(sizeBytes);
      if (tail > 0) whole.writeUInt32LE(tail, sizeBytes - 4);
      return whole;
    };
    return { hash: createHash('sha256').update(bytes()).digest('hex'), sizeBytes, bytes };
  }

  const pool = Array.from({ length: POOL }, (_, index) => {
    if (index % 4 === 0) return make(`large ${Math.floor(index / 8)}`, LARGE_BYTES, 1 + index);
    return make(`small ${index}`, KIBIBYTE + index * 9 * KIBIBYTE, 0);
  });

  const makeFresh = (random: SeededRandom) => make(`fresh ${made++}`, random.integer(500, 400 * KIBIBYTE), 0);
  return {
    makeFresh,
    pick: (random) => (random.chance(FRESH_CHANCE) ? makeFresh(random) : random.pick(pool)),
  };
}
