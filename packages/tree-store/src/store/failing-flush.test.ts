import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ROOT_ID } from '../contract-fixture.ts';
import { change, copy, emptySnapshot, expectEqual, steps } from '../contract-model.ts';
import { createMemoryTreeDisk } from '../memory/memory-tree-store.ts';

it('loses nothing by flushes that fail: the next one writes it', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(steps, fc.boolean()), { maxLength: 60 }), (history) => {
      let isFull = false;
      const disk = createMemoryTreeDisk(ROOT_ID, () => {
        if (isFull) throw new Error('full');
      });
      let store = disk.open();
      let model = emptySnapshot();
      let durable = copy(model);
      for (const [step, fails] of history) {
        if (step.do === 'flush') {
          isFull = fails;
          if (fails) expect(() => store.flush()).toThrow('full');
          else store.flush();
          if (!fails) durable = copy(model);
        } else if (step.do === 'reopen') {
          store.close();
          store = disk.open();
          model = copy(durable);
        } else {
          change(store, model, step);
        }
        expectEqual(store, model);
      }
      store.close();
    }),
    { numRuns: 200 },
  );
});
