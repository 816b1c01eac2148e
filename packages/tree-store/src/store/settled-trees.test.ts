import { describe, expect, it } from 'vitest';
import { localNode, ROOT_ID, remoteNode, type Shape, syncedNode, testEntryId } from '../contract-fixture.ts';
import { createMemoryTreeStore } from '../memory/memory-tree-store.ts';

const file: Shape = { id: 1, parent: 0, name: 'a', kind: 'file', content: 1, executable: true };
const treeNames = ['remote', 'local', 'synced'] as const;

describe('trees that agree on most of their entries', () => {
  it('goes through every node once that is there all the time, whatever changes meanwhile', () => {
    const store = createMemoryTreeStore(ROOT_ID);
    for (let id = 1; id <= 40; id++) {
      const shape: Shape = { ...file, id, name: `n${id}` };
      store.remote.put(remoteNode(shape));
      store.synced.put(syncedNode(shape));
      if (id <= 30) store.local.put(localNode(shape));
    }
    store.flush();
    const seen: string[] = [];
    let next = 0;
    for (const { entryId, name } of store.remote.sketches()) {
      seen.push(entryId);
      if (entryId === testEntryId(40)) expect(name).toBe('n40');
      // Every kind of change to the one that comes and to the others: agreeing, ceasing to, leaving.
      next++;
      if (next === 3)
        for (let id = 5; id <= 25; id++) store.local.put(localNode({ ...file, id, name: 'other' }));
      if (next === 6) store.flush();
      if (next === 9) {
        for (let id = 1; id <= 40; id++) store.local.put(localNode({ ...file, id, name: `n${id}` }));
        store.flush();
      }
      if (next === 12) for (let id = 11; id <= 20; id++) store.remote.delete(testEntryId(id));
    }
    expect(new Set(seen).size).toBe(seen.length);
    const always = [...Array(10).keys(), ...Array.from({ length: 20 }, (_, index) => 20 + index)];
    for (const index of always) expect(seen).toContain(testEntryId(index + 1));
    expect([...store.remote.sketches()].map(({ entryId }) => entryId)).toHaveLength(30);
    store.close();
  });

  it('says what a sketch said when it was asked for, whatever became of the entry', () => {
    const store = createMemoryTreeStore(ROOT_ID);
    for (let id = 1; id <= 20_000; id++) {
      const shape: Shape = { ...file, id, name: `n${id}` };
      store.remote.put(remoteNode(shape));
      store.synced.put(syncedNode(shape));
      store.local.put(localNode(shape));
    }
    store.flush();
    const sketch = store.local.sketch(testEntryId(7));
    const all = [...store.local.sketches()];
    for (let id = 1; id <= 19_000; id++) for (const name of treeNames) store[name].delete(testEntryId(id));
    store.flush();
    expect([sketch?.name, sketch?.entryId, sketch?.parentId]).toEqual(['n7', testEntryId(7), ROOT_ID]);
    expect(all.map(({ name }) => name).sort()).toEqual(
      Array.from({ length: 20_000 }, (_, index) => `n${index + 1}`).sort(),
    );
    expect(store.local.sketch(testEntryId(7))).toBeUndefined();
    for (const id of [19_001, 20_000])
      expect(store.local.get(testEntryId(id))).toEqual(localNode({ ...file, id, name: `n${id}` }));
    store.close();
  });
});
