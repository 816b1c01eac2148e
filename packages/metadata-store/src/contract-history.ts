import type { Entry, EntryId, JournalChange } from '@cairn/model';
import { describe, expect, it } from 'vitest';
import { append, folder, id, journalRow, ROOT, SPACE, trashRecord } from './contract-fixture.ts';
import type { FoundPlace } from './history-port.ts';
import type { MetadataStore } from './metadata-store.ts';
import type { JournalRecord } from './records.ts';

/** A row that leaves a folder in a place; `parent: null` removes it. */
function row(sequence: number, name: string, parent: string | null, at = sequence * 10): JournalRecord {
  const entryId = id<EntryId>(name);
  const parentId = parent === 'root' ? ROOT : id<EntryId>(parent ?? '');
  const entry: Entry | null = parent === null ? null : { kind: 'folder', entryId, parentId, name, sequence };
  const kind: JournalChange['kind'] = parent === null ? 'remove' : 'create';
  const like = journalRow(sequence);
  return { ...like, change: { ...like.change, kind, entryId, entry, committedAt: at } };
}

/** Part of the contract: looking for names, the past, and figures over time. */
export function describeHistory(getStore: () => MetadataStore): void {
  describe('names', () => {
    const find = (
      text: string,
      where: 'beginning' | 'further',
      after: FoundPlace | null = null,
      limit = 10,
    ) =>
      getStore()
        .read((reader) => reader.findNames(SPACE, text, where, after, limit))
        .then((found) => found.map(({ name }) => name));

    it('are found by their beginning, then further behind, whatever case and accents they have', async () => {
      const store = getStore();
      const names = ['Über', 'ubahn', 'Kübel', 'nothing', 'a%b_c'];
      await store.transact((t) =>
        t.insertEntries(names.map((name, index) => folder(`n${index}`, ROOT, { name }))),
      );
      expect(await find('ub', 'beginning')).toEqual(['ubahn', 'Über']);
      expect(await find('ub', 'further')).toEqual(['Kübel']);
      expect(await find('%', 'further')).toEqual(['a%b_c']);
      expect(await find('ub', 'beginning', null, 1)).toEqual(['ubahn']);
      expect(await find('ub', 'beginning', { searchName: 'ubahn', entryId: id('n1') })).toEqual(['Über']);
      await store.transact((t) => t.updateEntries([folder('n0', ROOT, { name: 'Ödland', sequence: 1 })]));
      expect(await find('ub', 'beginning')).toEqual(['ubahn']);
      expect(await find('od', 'beginning')).toEqual(['Ödland']);
    });

    it('are found in the live tree only, under the name that they have there', async () => {
      const store = getStore();
      await store.transact((t) => t.insertEntries([folder('old')]));
      await store.transact((t) => t.trashSubtree(trashRecord('old')));
      expect(await find('old', 'beginning')).toEqual([]);
      await store.transact((t) => t.restoreSubtree(SPACE, id('old'), ROOT, 'new', 10));
      expect(await find('old', 'beginning')).toEqual([]);
      expect(await find('new', 'beginning')).toEqual(['new']);
    });
  });

  describe('the past', () => {
    const children = (parentIds: EntryId[], sequence: number, limit = 10) =>
      getStore()
        .read((reader) => reader.listChildrenAt(SPACE, parentIds, sequence, limit))
        .then((rows) => rows.map(({ sequence: at, change }) => `${change.entry?.name}@${at}`));

    it('is read from the journal, back and by instant', async () => {
      const store = getStore();
      await store.transact((t) =>
        append(t, [
          row(1, 'a', 'root', 10),
          row(2, 'b', 'root', 30),
          row(3, 'c', 'root', 20),
          row(4, 'd', 'root', 20),
        ]),
      );
      const back = await store.read((reader) => reader.readJournalBack(SPACE, 4, 2));
      expect(back.map(({ sequence }) => sequence)).toEqual([3, 2]);
      const at = async (instant: number) =>
        (await store.read((reader) => reader.findJournalAt(SPACE, instant)))?.sequence;
      expect(await at(9)).toBeUndefined();
      expect(await at(10)).toBe(1);
      expect(await at(20)).toBe(4);
      expect(await at(99)).toBe(2);
    });

    it('knows each entry as it was, and what was in a folder', async () => {
      const store = getStore();
      await store.transact((t) =>
        append(t, [
          row(1, 'a', 'root'),
          row(2, 'b', 'a'),
          row(3, 'c', 'a'),
          row(4, 'b', 'root'),
          row(5, 'a', null),
          row(6, 'a', 'root'),
          row(7, 'b', 'a'),
        ]),
      );
      const states = await store.read((reader) =>
        reader.listStates(SPACE, [
          { entryId: id('b'), sequence: 3 },
          { entryId: id('b'), sequence: 6 },
          { entryId: id('a'), sequence: 5 },
          { entryId: id('c'), sequence: 2 },
        ]),
      );
      expect(states.map((state) => state?.sequence)).toEqual([2, 4, 5, undefined]);
      expect(await children([id('a')], 3)).toEqual(['b@2', 'c@3']);
      expect(await children([id('a')], 4)).toEqual(['c@3']);
      expect((await children([ROOT, id('a')], 4)).sort()).toEqual(['a@1', 'b@4', 'c@3']);
      // What went with the folder did not come back by itself.
      expect(await children([id('a')], 6)).toEqual([]);
      expect(await children([id('a')], 7)).toEqual(['b@7']);
      expect(await children([id('a')], 3, 1)).toHaveLength(1);
      const removal = (sequence: number) =>
        store.read((reader) => reader.findRemoval(SPACE, id('a'), sequence));
      expect([await removal(4), await removal(5), await removal(7)]).toEqual([0, 5, 5]);
    });
  });

  it('counts what a space holds, and keeps samples of how full the server was', async () => {
    const store = getStore();
    await store.transact((t) => t.insertEntries([folder('a'), folder('b', id('a'))]));
    const contents = await store.read((reader) => reader.measureContents(SPACE));
    expect(contents).toEqual({ files: 0, folders: 2, chunks: { plainBytes: 0, storedBytes: 0 } });
    const sample = (sampledAt: number) => ({ sampledAt, usedBytes: 5, capacityBytes: null, liveBytes: 4 });
    for (const at of [1, 2, 3, 3]) await store.transact((t) => t.putCapacity(sample(at), 2));
    expect(await store.read((reader) => reader.listCapacity(0, 10))).toEqual([sample(2), sample(3)]);
    expect(await store.read((reader) => reader.listCapacity(3, 10))).toEqual([sample(3)]);
  });
}
