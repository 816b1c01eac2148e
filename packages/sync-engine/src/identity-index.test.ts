import type { EntryId } from '@cairn/model';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { IdentityIndex } from './identity-index.ts';

function idOf(number: number): EntryId {
  return `${number}`.padStart(26, 'b') as EntryId;
}

/** The first two, and the next two, have the same hash. */
const IDENTITIES = ['costarring', 'liquid', 'declinate', 'macallums', '65024:1:17', '65024:2:17'];

it('equals a map through any history, also where hashes are equal', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ identity: fc.constantFrom(...IDENTITIES), id: fc.integer({ min: -1, max: 5 }) })),
      (history) => {
        const tree = new Map<EntryId, string>();
        const model = new Map<string, EntryId>();
        const index = new IdentityIndex((entryId) => tree.get(entryId) ?? null);
        for (const { identity, id } of history) {
          const last = model.get(identity);
          if (id < 0) {
            index.delete(identity);
            model.delete(identity);
            if (last !== undefined) tree.delete(last);
          } else {
            const before = tree.get(idOf(id));
            if (before !== undefined && before !== identity && model.get(before) === idOf(id)) {
              index.delete(before);
              model.delete(before);
            }
            tree.set(idOf(id), identity);
            index.set(identity, idOf(id));
            model.set(identity, idOf(id));
          }
          for (const one of IDENTITIES) expect(index.get(one)).toBe(model.get(one));
        }
      },
    ),
  );
});

it('finds each of many while they come and go again and again', () => {
  const tree = new Map<EntryId, string>();
  const index = new IdentityIndex((entryId) => tree.get(entryId) ?? null);
  const identity = (number: number) => `65024:${number}:1700000000000000000`;
  const put = (number: number) => {
    tree.set(idOf(number), identity(number));
    index.set(identity(number), idOf(number));
  };
  for (let number = 0; number < 10_000; number++) put(number);
  for (let round = 0; round < 5; round++)
    for (let number = round; number < 10_000; number += 3) {
      index.delete(identity(number));
      tree.delete(idOf(number));
      if (round < 4) put(number);
    }
  for (let number = 0; number < 10_000; number++) {
    const isGone = number >= 4 && (number - 4) % 3 === 0;
    expect(index.get(identity(number))).toBe(isGone ? undefined : idOf(number));
  }
  expect(index.get('nobody')).toBeUndefined();
});

it('names nobody of whom the tree says something else', () => {
  const tree = new Map([[idOf(1), 'a']]);
  const index = new IdentityIndex((entryId) => tree.get(entryId) ?? null);
  index.set('a', idOf(1));
  tree.set(idOf(1), 'b');
  expect(index.get('a')).toBeUndefined();
  expect(() => index.set('a', 'short' as EntryId)).toThrow(/form of an entry id/);
});
