import { closeSync, openSync, writeSync } from 'node:fs';
import { createSeededRandom, type SeededRandom } from './seeded-random.ts';

const VOCABULARY = 20_000;
const WORDS_IN_A_LINE = 12;
const PIECE_BYTES = 1024 * 1024;
/** Longest line, and more. */
const LINE_BYTES = 1024;
const LETTERS = 'etaoinshrdlcumwfgypbvk';
/** Draws are numbers of this many values, each of which stands for a word. */
const DRAWS = 1 << 16;

/**
 * Writes a file of lines of words that occur about as often as those of a language do (the k-th with 1/k), with a time
 * in front of each. No passage repeats another one; zstd -1 makes less than half of it.
 */
export function writeTextFile(path: string, sizeBytes: number, seed: string): void {
  const random = createSeededRandom(seed);
  const draws = createDraws(random);
  const piece = Buffer.allocUnsafe(PIECE_BYTES + LINE_BYTES);
  const descriptor = openSync(path, 'wx');
  let seconds = 1_700_000_000;
  try {
    for (let left = sizeBytes; left > 0; ) {
      let length = 0;
      while (length < PIECE_BYTES) {
        seconds += random.integer(0, 9);
        length += piece.write(String(seconds), length, 'latin1');
        for (let index = 0; index < WORDS_IN_A_LINE; index++) {
          const word = draws[Math.floor(random.fraction() * DRAWS)] ?? piece;
          for (let at = 0; at < word.length; at++) piece[length++] = word[at] ?? 0;
        }
        piece[length++] = 0x0a;
      }
      left -= writeSync(descriptor, piece, 0, Math.min(left, length));
    }
  } finally {
    closeSync(descriptor);
  }
}

/** Words with a space in front of each, the k-th of them about 1/k as often as the first. */
function createDraws(random: SeededRandom): Buffer[] {
  const words = Array.from({ length: VOCABULARY }, () => {
    let word = ' ';
    // Frequent letters come first, and are taken more often: the smaller of two draws.
    for (let length = random.integer(2, 11); length > 0; length--)
      word += LETTERS[Math.min(random.integer(0, LETTERS.length - 1), random.integer(0, LETTERS.length - 1))];
    return Buffer.from(word, 'latin1');
  });
  const fallback = Buffer.from(' a');
  return Array.from(
    { length: DRAWS },
    (_draw, index) => words[Math.floor(VOCABULARY ** (index / DRAWS)) - 1] ?? fallback,
  );
}
