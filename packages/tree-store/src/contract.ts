import type { Epoch } from '@cairn/model';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { localNode, ROOT_ID, remoteNode, type Shape, syncedNode, testEntryId } from './contract-fixture.ts';
import { change, copy, emptySnapshot, expectEqual, steps } from './contract-model.ts';
import type { TreeStore } from './tree-store.ts';

/** Where one device's trees survive; `open` may be called again after the last store is closed. */
export interface TreeDisk {
  open(): TreeStore;
  remove(): void;
}

/** The contract of {@link TreeStore}: every adapter's test calls this with its own kind of disk. */
export function describeTreeStore(name: string, createDisk: () => TreeDisk): void {
  describe(name, () => {
    let disk: TreeDisk;
    beforeEach(() => {
      disk = createDisk();
    });
    afterEach(() => {
      disk.remove();
    });
    const file: Shape = { id: 1, parent: 0, name: 'a', kind: 'file', content: 1, executable: true };

    it('starts empty, without a cursor', () => {
      const store = disk.open();
      expect([store.rootId, store.cursor, store.remote.size, [...store.touched()]]).toEqual([
        ROOT_ID,
        null,
        0,
        [],
      ]);
      store.close();
    });

    it('loses what was not flushed as one, and keeps what was [S-59]', () => {
      const first = disk.open();
      first.remote.put(remoteNode(file));
      first.flush();
      first.cursor = { epoch: 'e'.repeat(26) as Epoch, sequence: 7, hash: '0'.repeat(16) };
      first.remote.delete(testEntryId(1));
      first.local.put(localNode(file));
      first.setValue('n', 'v');
      first.close();
      const second = disk.open();
      expect(second.remote.get(testEntryId(1))).toEqual(remoteNode(file));
      expect([second.cursor, second.local.size, second.getValue('n')]).toEqual([null, 0, null]);
      second.close();
    });

    it('makes named texts durable alone, and the rest with the next flush', () => {
      const first = disk.open();
      first.setValue('n', 'v');
      first.local.put(localNode(file));
      first.flushValues();
      first.close();
      const second = disk.open();
      expect([second.getValue('n'), second.local.size]).toEqual(['v', 0]);
      second.setValue('n', null);
      second.flushValues();
      second.close();
      const third = disk.open();
      expect(third.getValue('n')).toBeNull();
      third.close();
    });

    it('names as touched what changed since it was told to forget', () => {
      const store = disk.open();
      store.remote.put(remoteNode(file));
      store.local.put(localNode({ ...file, id: 2 }));
      store.local.delete(testEntryId(3));
      expect(new Set(store.touched())).toEqual(new Set([testEntryId(1), testEntryId(2)]));
      store.forgetTouched([testEntryId(1)]);
      expect([...store.touched()]).toEqual([testEntryId(2)]);
      store.local.clear();
      store.forgetTouched([testEntryId(2)]);
      store.remote.delete(testEntryId(1));
      expect([...store.touched()]).toEqual([testEntryId(1)]);
      store.touch([testEntryId(4), testEntryId(1)]);
      expect([...store.touched()]).toEqual([testEntryId(1), testEntryId(4)]);
      store.close();
    });

    it('names after opening what differs, and only that', () => {
      const first = disk.open();
      const differing: [number, Partial<Shape>][] = [
        [2, { name: 'other' }],
        [3, { content: 2 }],
        [4, { executable: false }],
        [5, { parent: 1 }],
        [6, { kind: 'link' }],
      ];
      for (const [id, change] of [[1, {}], [8, { kind: 'link' }], ...differing] as [
        number,
        Partial<Shape>,
      ][]) {
        const shape = id === 8 ? { ...file, ...change, id } : { ...file, id };
        first.remote.put(remoteNode(shape));
        first.synced.put(syncedNode(shape));
        first.local.put(localNode({ ...shape, ...change }));
      }
      first.remote.put(remoteNode({ ...file, id: 7 }));
      first.flush();
      first.close();
      const second = disk.open();
      expect([...second.touched()].sort()).toEqual([2, 3, 4, 5, 6, 7].map(testEntryId));
      second.close();
    });

    it('keeps notices, newest first, at most a thousand', () => {
      const first = disk.open();
      for (let at = 0; at < 1003; at++) first.addNotice({ at, kind: 'k', path: '/p', text: `${at}` });
      first.flush();
      first.close();
      const second = disk.open();
      second.addNotice({ at: 2000, kind: 'k', path: '/p', text: 'last' });
      expect(second.listNotices(2).map((notice) => notice.text)).toEqual(['last', '1002']);
      expect(second.listNotices(5000)).toHaveLength(1000);
      expect(second.listNotices(0)).toEqual([]);
      expect(new Set(second.listNotices(5000).map((notice) => notice.noticeId)).size).toBe(1000);
      second.close();
    });

    it('finds children of a large folder by name while they come, go and change', () => {
      const store = disk.open();
      const named = (folded: string): string[] =>
        [...(store.local.childrenNamed?.(ROOT_ID, folded) ?? [])].sort();
      const put = (id: number, over: Partial<Shape> = {}): void =>
        store.local.put(localNode({ ...file, id, name: `N${id}`, ...over }));
      for (let id = 1; id <= 500; id++) put(id);
      expect(named('n7')).toEqual([testEntryId(7)]);
      put(8, { name: 'n7' });
      put(501);
      put(9, { parent: 8 });
      store.local.delete(testEntryId(10));
      expect(['n7', 'n8', 'n501', 'n9', 'n10', 'n11'].map(named)).toEqual([
        [testEntryId(7), testEntryId(8)].sort(),
        [],
        [testEntryId(501)],
        [],
        [],
        [testEntryId(11)],
      ]);
      for (let id = 1; id <= 501; id++) if (id !== 11 && id !== 9) store.local.delete(testEntryId(id));
      expect([named('n7'), named('n11')]).toEqual([[], [testEntryId(11)]]);
      expect([...store.local.children(ROOT_ID)]).toEqual([testEntryId(11)]);
      store.local.clear();
      expect(named('n11')).toEqual([]);
      store.close();
    });

    it('hands out nodes that nobody can change it through', () => {
      const store = disk.open();
      store.local.put(localNode(file));
      Reflect.set(store.local.get(testEntryId(1)) ?? {}, 'name', 'changed');
      expect(store.local.get(testEntryId(1))?.name).toBe('a');
      store.close();
    });

    it('keeps the nodes that it made while there is work, and lets go of them with the flush after', () => {
      const store = disk.open();
      const id = testEntryId(file.id);
      store.remote.put(remoteNode(file));
      const made = store.remote.get(id);
      store.flush();
      expect(store.remote.get(id)).toBe(made);
      store.remote.put(remoteNode({ ...file, content: 2 }));
      const changed = store.remote.get(id);
      expect(changed).toEqual(remoteNode({ ...file, content: 2 }));
      store.flush();
      store.flush();
      expect(store.remote.get(id)).not.toBe(changed);
      expect(store.remote.get(id)).toEqual(changed);
      store.remote.put(remoteNode(file));
      const last = store.remote.get(id);
      store.forgetTouched([id]);
      store.flush();
      expect(store.remote.get(id)).not.toBe(last);
      store.close();
    });

    it('equals a simple model through any history of changes, flushes and crashes [S-11]', () => {
      fc.assert(
        fc.property(fc.array(steps, { maxLength: 60 }), (history) => {
          const own = createDisk();
          let store = own.open();
          let model = emptySnapshot();
          let durable = copy(model);
          try {
            for (const step of history) {
              if (step.do === 'flush') {
                store.flush();
                durable = copy(model);
              } else if (step.do === 'reopen') {
                store.close();
                store = own.open();
                model = copy(durable);
              } else {
                change(store, model, step);
              }
              expectEqual(store, model);
            }
          } finally {
            store.close();
            own.remove();
          }
        }),
        { numRuns: 60 },
      );
    });
  });
}
