import { describe, expect, it } from 'vitest';
import { addFile, file, folder, id, ROOT, SPACE, trashRecord, version } from './contract-fixture.ts';
import { InvalidStateError } from './invalid-state.ts';
import type { MetadataStore } from './metadata-store.ts';
import type { EntryRecord } from './records.ts';

/** Part of the contract: marks of conflict copies, and what folders say about conflicts. */
export function describeConflicts(getStore: () => MetadataStore): void {
  describe('conflicts', () => {
    const conflictOf = {
      entryId: id<EntryRecord['entryId']>('f'),
      baseSequence: 3,
      deviceName: 'Ünï',
      at: 7,
    };

    it('keeps the mark through updates and the trash, and lists what is live', async () => {
      const store = getStore();
      await addFile(store, 'f');
      await addFile(store, 'copy');
      const marked = file('copy', ROOT, { conflictOf, sequence: 1 });
      const list = () => store.read((reader) => reader.listConflicts(SPACE, null, 10));
      expect(await list()).toEqual([]);
      await store.transact((t) => t.updateEntries([marked]));
      expect(await list()).toEqual([marked]);
      expect(await store.read((reader) => reader.listConflicts(SPACE, id('copy'), 10))).toEqual([]);
      await store.transact((t) => t.trashSubtree(trashRecord('copy')));
      expect(await list()).toEqual([]);
      await store.transact((t) => t.restoreSubtree(SPACE, id('copy'), ROOT, 'copy', 10));
      expect(await list()).toEqual([{ ...marked, sequence: 10 }]);
      await store.transact((t) => t.updateEntries([file('copy', ROOT, { sequence: 11 })]));
      expect(await list()).toEqual([]);
    });

    it('keeps what a folder says, the root too', async () => {
      const store = getStore();
      const said = folder('d', ROOT, { conflictPolicy: 'last-write-wins' });
      await store.transact((t) => t.insertEntries([said]));
      expect(await store.read((reader) => reader.getEntries(SPACE, [id('d')]))).toEqual([said]);
      const root = folder('root', null, { name: '', conflictPolicy: 'keep-both', sequence: 1 });
      await store.transact((t) => t.updateEntries([root]));
      expect(await store.read((reader) => reader.getEntries(SPACE, [ROOT]))).toEqual([root]);
    });

    it('finds the version that was current at a sequence', async () => {
      const store = getStore();
      await addFile(store, 'f');
      const second = version('f', { versionId: id('second'), sequence: 4 });
      await store.transact((t) => t.insertVersions([second]));
      const at = (sequence: number) => store.read((reader) => reader.findVersionAt(SPACE, id('f'), sequence));
      expect(await at(0)).toBeUndefined();
      expect(await at(3)).toEqual(version('f'));
      expect(await at(4)).toEqual(second);
      expect(await at(99)).toEqual(second);
    });

    it('marks no folder, and no file says what happens to conflicts', async () => {
      const store = getStore();
      await expect(
        store.transact((t) => t.insertEntries([folder('x', ROOT, { conflictOf })])),
      ).rejects.toBeInstanceOf(InvalidStateError);
      await addFile(store, 'f');
      await expect(
        store.transact((t) =>
          t.updateEntries([file('f', ROOT, { conflictPolicy: 'keep-both', sequence: 1 })]),
        ),
      ).rejects.toBeInstanceOf(InvalidStateError);
    });
  });
}
