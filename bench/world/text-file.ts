import { closeSync, openSync, writeSync } from 'node:fs';
import { createSeededRandom } from './seeded-random.ts';

const VOCABULARY = 20_000;
const WORDS_IN_A_LINE = 12;
const PIECE_BYTES = 1024 * 1024;
const LETTERS = 'etaoinshrdlcumwfgypbvk';

/**
 * Writes a file of lines of words that occur about as often as those of a language do (the k-th with 1/k), with a time
 * in front of each. No passage repeats another one; zstd -1 makes half of it or less.
 */
export function writeTextFile(path: string, sizeBytes: number, seed: string): void {
  const random = createSeededRandom(seed);
  const words = createVocabulary(random.integer);
  const logarithm = Math.log(VOCABULARY);
  const piece = Buffer.allocUnsafe(PIECE_BYTES + 4096);
  const descriptor = openSync(path, 'wx');
  let seconds = 1_700_000_000;
  try {
    for (let left = sizeBytes; left > 0; ) {
      let length = 0;
      while (length < PIECE_BYTES) {
        seconds += random.integer(0, 9);
        let line = `${seconds}`;
        for (let index = 0; index < WORDS_IN_A_LINE; index++)
          line += ` ${words[Math.floor(Math.exp(random.fraction() * logarithm)) - 1]}`;
        length += piece.write(`${line}\n`, length, 'latin1');
      }
      left -= writeSync(descriptor, piece, 0, Math.min(left, length));
    }
  } finally {
    closeSync(descriptor);
  }
}

function createVocabulary(integer: (from: number, to: number) => number): string[] {
  return Array.from({ length: VOCABULARY }, () => {
    let word = '';
    // Frequent letters come first, and are taken more often: the smaller of two draws.
    for (let length = integer(2, 11); length > 0; length--)
      word += LETTERS[Math.min(integer(0, LETTERS.length - 1), integer(0, LETTERS.length - 1))];
    return word;
  });
}
