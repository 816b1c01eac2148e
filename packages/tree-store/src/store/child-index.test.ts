import { foldName } from '@cairn/model';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { testEntryId } from '../contract-fixture.ts';
import { createChildIndex } from './child-index.ts';

it('finds the same names after it let go of them, whatever was added and removed', () => {
  const steps = fc.array(
    fc.record({
      deed: fc.constantFrom('add', 'add', 'add', 'remove', 'ask', 'forgetNames'),
      parent: fc.nat(1),
      child: fc.nat(120),
    }),
    { maxLength: 300 },
  );
  fc.assert(
    fc.property(steps, (deeds) => {
      const names = new Map<string, string>();
      const parents = new Map<string, number>();
      const nameOf = (child: string) => names.get(child) as string;
      const index = createChildIndex<string>(nameOf);
      const find = (parent: number, folded: string) =>
        [...parents]
          .filter(([child, at]) => at === parent && foldName(nameOf(child)) === folded)
          .map(([child]) => child);
      for (const { deed, parent, child: number } of deeds) {
        const child = testEntryId(number);
        // Some fold to the same name.
        const name = number % 3 === 0 ? `NAME ${number - 1}` : `name ${number}`;
        const at = parents.get(child);
        if (deed === 'forgetNames') index.forgetNames();
        if (deed === 'add' && at === undefined) {
          names.set(child, name);
          parents.set(child, parent);
          index.add(testEntryId(1000 + parent), child);
        }
        if (deed === 'remove' && at !== undefined) {
          parents.delete(child);
          index.remove(testEntryId(1000 + at), child);
        }
        const folded = foldName(name);
        expect(index.named(testEntryId(1000 + parent), folded).sort()).toEqual(find(parent, folded).sort());
      }
    }),
    { numRuns: 100 },
  );
});
