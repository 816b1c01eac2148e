import type { BlockId, CopiedRun, ManifestPart } from '@cairn/model';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createCopiedRuns } from './copied-runs.ts';

/** Chunks by their letters, each of a size of its own. */
const parts = (letters: string): ManifestPart[] =>
  [...letters].map((letter) => ({
    block: `01${letter.repeat(64)}` as BlockId,
    sizeBytes: letter.charCodeAt(0) - 90,
  }));
const sizeOf = (list: readonly ManifestPart[]): number =>
  list.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);

function runsOf(older: string, newer: string): CopiedRun[] {
  const runs = createCopiedRuns(parts(older));
  let position = 0;
  for (const part of parts(newer)) {
    runs.add(position, part);
    position += part.sizeBytes;
  }
  return runs.take(Number.MAX_SAFE_INTEGER);
}

it('makes one run of what moved together', () => {
  expect(runsOf('abcd', 'xabcd')).toEqual([
    { position: sizeOf(parts('x')), basePosition: 0, sizeBytes: sizeOf(parts('abcd')) },
  ]);
  expect(runsOf('abcd', 'abxcd').length).toBe(2);
  expect(runsOf('abcd', 'xyz')).toEqual([]);
});

it('follows chunks that are there often through the place where it is', () => {
  expect(runsOf('azzzbzzc', 'azzzbzzc').length).toBe(1);
});

it('covers just the chunks that the other content has, with the same bytes, in the order of the file', () => {
  const letters = fc.string({ unit: fc.constantFrom(...'abcdefz'), maxLength: 30 });
  fc.assert(
    fc.property(letters, letters, (older, newer) => {
      const bytes = (list: string): string =>
        parts(list)
          .map(({ sizeBytes }, index) => list.charAt(index).repeat(sizeBytes))
          .join('');
      const [from, to] = [bytes(older), bytes(newer)];
      const found: string[] = Array.from(to, (letter) => (older.includes(letter) ? '?' : letter));
      let reached = 0;
      for (const { position, basePosition, sizeBytes } of runsOf(older, newer)) {
        expect(position).toBeGreaterThanOrEqual(reached);
        reached = position + sizeBytes;
        found.splice(position, sizeBytes, ...from.slice(basePosition, basePosition + sizeBytes));
      }
      expect(found.join('')).toBe(to);
    }),
  );
});

it('keeps the youngest where nobody takes them, and knows what waits', () => {
  const runs = createCopiedRuns(parts('ab'));
  // No two of these are neighbours.
  for (let index = 0; index < 5000; index++) runs.add(index * 1000, parts('a')[0] as ManifestPart);
  const size = sizeOf(parts('a'));
  expect(runs.sizeBytes).toBe(4096 * size);
  const taken = runs.take(96);
  expect(taken[0]?.position).toBe((5000 - 4096) * 1000);
  expect(runs.sizeBytes).toBe(4000 * size);
});
