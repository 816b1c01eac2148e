import { createNodePlatform } from '@cairn/content';
import type { JournalChange } from '@cairn/model';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { chainJournalHash } from './journal-hash.ts';

const platform = createNodePlatform();

/** Rows as the chain sees them: values that differ only by what they hold. */
const rows = fc.array(fc.record({ entryId: fc.string(), sequence: fc.nat() }), {
  minLength: 1,
  maxLength: 8,
});

function hashesOf(changes: readonly unknown[]): string[] {
  const hashes: string[] = [];
  for (const change of changes)
    hashes.push(chainJournalHash(platform, hashes.at(-1) ?? '0'.repeat(64), change as JournalChange));
  return hashes;
}

test('histories that part once never have the same hash again, whatever follows [S-55]', () => {
  fc.assert(
    fc.property(rows, rows, rows, (before, other, after) => {
      fc.pre(JSON.stringify(before) !== JSON.stringify(other));
      const one = hashesOf([...before, ...after]);
      const two = hashesOf([...other, ...after]);
      for (let back = 1; back <= after.length; back++) expect(one.at(-back)).not.toBe(two.at(-back));
    }),
  );
});

test('the same history has the same hashes', () => {
  fc.assert(
    fc.property(rows, (changes) => {
      expect(hashesOf(changes)).toEqual(hashesOf(structuredClone(changes)));
    }),
  );
});
