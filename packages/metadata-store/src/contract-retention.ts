import type { EntryId } from '@cairn/model';
import { expect, describe as group, it } from 'vitest';
import {
  addAccount,
  blockId,
  chunk,
  file,
  folder,
  id,
  NEW_BLOCKS,
  ROOT,
  SPACE,
  trashRecord,
  version,
} from './contract-fixture.ts';
import type { MetadataStore } from './metadata-store.ts';
import type { RetentionRecord } from './records.ts';

const OTHER = id<typeof SPACE>('otherspace');

/** The part of the contract about what is kept for how long, and how much that is. */
export function describeRetention(store: () => MetadataStore): void {
  /** A live file with three versions, and a trashed folder with a file in it. */
  async function fill(): Promise<void> {
    await store().transact(async (transaction) => {
      await addAccount(transaction, 'other', OTHER);
      await transaction.insertEntries([file('live'), folder('gone'), file('below', id<EntryId>('gone'))]);
      await transaction.insertVersions([
        version('live', { sizeBytes: 10, sequence: 3 }),
        version('live', { versionId: id('old1'), sizeBytes: 20, sequence: 1 }),
        version('live', { versionId: id('old2'), sizeBytes: 30, sequence: 2 }),
        version('below', { sizeBytes: 100 }),
      ]);
      await transaction.insertBlocks([1, 2].map(chunk), NEW_BLOCKS);
      await transaction.addReferences(SPACE, [blockId(1), blockId(1)]);
      await transaction.addReferences(OTHER, [blockId(1), blockId(2)]);
      await transaction.trashSubtree(trashRecord('gone'));
    });
  }

  group('what is kept', () => {
    it('has settings for each space, or none', async () => {
      const settings: RetentionRecord = {
        versions: { keep: 'thinned', allDays: 1, dailyDays: 2 },
        trash: { keep: 'days', days: 3 },
      };
      await store().transact((transaction) => transaction.setRetention(SPACE, settings));
      expect(await store().read((reader) => reader.getRetention(SPACE))).toEqual(settings);
      await store().transact((transaction) => transaction.setRetention(SPACE, null));
      expect(await store().read((reader) => reader.getRetention(SPACE))).toBeUndefined();
      await expect(
        store().transact((transaction) => transaction.setRetention(id('none'), settings)),
      ).rejects.toMatchObject({ rules: ['space_retention_to_spaces'] });
    });

    it('lists spaces, entries with versions, and the trash, some at a time', async () => {
      await fill();
      await store().read(async (reader) => {
        const [first] = await reader.pageSpaces(null, 1);
        expect(first?.spaceId).toBe(OTHER);
        expect((await reader.pageSpaces(OTHER, 5)).map((space) => space.spaceId)).toEqual([SPACE]);
        const below = { spaceId: SPACE, entryId: id<EntryId>('below') };
        expect(await reader.pageVersionedEntries(null, 1)).toEqual([{ ...below, versions: 1 }]);
        expect(await reader.pageVersionedEntries(below, 5)).toEqual([
          { spaceId: SPACE, entryId: id('live'), versions: 3 },
        ]);
        expect(await reader.pageTrash(SPACE, 0, 5)).toEqual([trashRecord('gone')]);
        expect(await reader.pageTrash(SPACE, 9, 5)).toEqual([]);
        expect(await reader.listContents(SPACE, [id('live'), id('gone')])).toHaveLength(3);
      });
    });

    it('counts references, and measures what is live, old, trashed and stored', async () => {
      await fill();
      await store().read(async (reader) => {
        expect(await reader.countReferences(SPACE, [blockId(2), blockId(1)])).toEqual([
          { count: 0, elsewhere: false, storedBytes: 0 },
          { count: 2, elsewhere: true, storedBytes: 9 },
        ]);
        expect(await reader.countReferences(OTHER, [blockId(2)])).toEqual([
          { count: 1, elsewhere: false, storedBytes: 9 },
        ]);
        const measured = {
          live: { files: 1, bytes: 10 },
          versions: { versions: 2, bytes: 50 },
          trash: { files: 1, bytes: 100 },
        };
        expect(await reader.measure(SPACE)).toEqual({ ...measured, stored: { blocks: 1, bytes: 9 } });
        expect(await reader.measure(null)).toEqual({ ...measured, stored: { blocks: 2, bytes: 18 } });
        expect(await reader.measure(OTHER)).toMatchObject({ live: { files: 0 }, stored: { blocks: 2 } });
      });
    });

    it('removes old versions, and never a current one', async () => {
      await fill();
      await store().transact((transaction) => transaction.deleteVersions(SPACE, [id('old1')]));
      const left = await store().read((reader) => reader.listVersions(SPACE, id('live'), 10));
      expect(left.map((one) => one.versionId)).toEqual([id('vlive'), id('old2')]);
      await expect(
        store().transact((transaction) => transaction.deleteVersions(SPACE, [id('vlive')])),
      ).rejects.toMatchObject({ rules: ['entries_to_versions'] });
    });

    it('removes trashed entries from below, and never live ones or a part of which something is left', async () => {
      await fill();
      const remove = (...names: string[]) =>
        store().transact((transaction) =>
          transaction.deleteTrashed(
            SPACE,
            id('gone'),
            names.map((name) => id<EntryId>(name)),
          ),
        );
      await expect(remove('live')).rejects.toMatchObject({ rules: ['trashed_entry_exists'] });
      await expect(remove('gone')).rejects.toMatchObject({
        rules: expect.arrayContaining(['entries_to_entries']),
      });
      await remove('below');
      expect(await store().read((reader) => reader.getTrash(SPACE, id('gone')))).toBeDefined();
      await remove('gone');
      await store().read(async (reader) => {
        expect(await reader.getTrash(SPACE, id('gone'))).toBeUndefined();
        expect(await reader.getEntries(SPACE, [id('gone'), id('below')])).toEqual([undefined, undefined]);
        expect(await reader.getVersions(SPACE, [id('vbelow')])).toEqual([undefined]);
        expect((await reader.listChildren(SPACE, ROOT, null, 5)).map(({ name }) => name)).toEqual(['live']);
      });
    });
  });
}
