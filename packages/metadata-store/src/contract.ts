import { type EntryId, isCairnError, type SpaceId } from '@cairn/model';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { describeBlocks } from './contract-blocks.ts';
import { describeCluster } from './contract-cluster.ts';
import { describeCollection } from './contract-collection.ts';
import { describeConflicts } from './contract-conflicts.ts';
import {
  addAccount,
  addFile,
  append,
  DEVICE,
  file,
  folder,
  GENESIS,
  id,
  journalRow,
  ROOT,
  SPACE,
  trashRecord,
  USER,
  user,
  version,
} from './contract-fixture.ts';
import { describeHistories } from './contract-histories.ts';
import { describeHistory } from './contract-history.ts';
import { describeInvalidStates } from './contract-invalid-states.ts';
import { describeLocation } from './contract-location.ts';
import { describeRetention } from './contract-retention.ts';
import { describeTransactions } from './contract-transactions.ts';
import type { MetadataStore, MetadataTransaction } from './metadata-store.ts';
import type { RefreshTokenRecord } from './records.ts';

/** A database that outlives its store: `open` may be called again after closing. */
export interface MetadataPlace {
  open(): Promise<MetadataStore>;
  remove(): Promise<void>;
}

/** The contract of {@link MetadataStore}: every adapter's test calls this. */
export function describeMetadataStore(name: string, createPlace: () => Promise<MetadataPlace>): void {
  describe(name, () => {
    let place: MetadataPlace;
    let store: MetadataStore;
    const OTHER = id<SpaceId>('otherspace');

    beforeEach(async () => {
      place = await createPlace();
      store = await place.open();
      await store.transact((transaction) => addAccount(transaction, 'user', SPACE));
    });
    afterEach(async () => {
      await store.close();
      await place.remove();
    });
    const names = async (parentId: EntryId = ROOT): Promise<string[]> =>
      (await store.read((reader) => reader.listChildren(SPACE, parentId, null, 1000))).map(
        (entry) => entry.name,
      );

    describe('accounts', () => {
      it('changes the password of one user only', async () => {
        await store.transact(async (transaction) => {
          await addAccount(transaction, 'other', id('otherspace'));
          await transaction.setPasswordHash(USER, 'new');
        });
        expect(await store.read((reader) => reader.getUser(USER))).toEqual({
          ...user('user', SPACE),
          passwordHash: 'new',
        });
        expect((await store.read((reader) => reader.getUserByName('other')))?.passwordHash).not.toBe('new');
      });

      it('keeps users, devices and values', async () => {
        await store.transact(async (transaction) => {
          await transaction.setValue('epoch', '1');
          await transaction.setValue('epoch', '2');
          await transaction.updateDevice(DEVICE, { name: 'Desk' });
          await transaction.updateDevice(DEVICE, { revokedAt: 7 });
          await transaction.updateDevice(DEVICE, { lastSeenAt: 8 });
        });
        await store.read(async (reader) => {
          expect(await reader.getValue('epoch')).toBe('2');
          expect(await reader.getValue('none')).toBeUndefined();
          expect(await reader.getUser(USER)).toEqual(user('user', SPACE));
          expect(await reader.getUserByName('user')).toEqual(user('user', SPACE));
          expect(await reader.getUserByName('USER')).toBeUndefined();
          expect(await reader.countUsers()).toBe(1);
          const device = await reader.getDevice(DEVICE);
          expect(device).toMatchObject({ name: 'Desk', revokedAt: 7, lastSeenAt: 8 });
          expect(await reader.listDevices(USER)).toEqual([device]);
          expect(await reader.getMemberRole(SPACE, USER)).toBe('owner');
          expect(await reader.getMemberRole(SPACE, id('nobody'))).toBeUndefined();
          expect((await reader.listSpaces(USER)).map((space) => space.spaceId)).toEqual([SPACE]);
          expect(await reader.countAll()).toEqual({
            users: 1,
            devices: 1,
            entries: 1,
            versions: 0,
            blocks: 0,
          });
        });
      });

      it('refuses a taken user name with its code, and leaves nothing of the attempt', async () => {
        const attempt = store.transact(async (transaction) => {
          await transaction.setValue('attempt', 'yes');
          await transaction.insertUser({ ...user('two', OTHER), foldedUsername: 'user' });
        });
        await expect(attempt).rejects.toSatisfy((error) => isCairnError(error, 'name-taken'));
        expect(await store.read((reader) => reader.getValue('attempt'))).toBeUndefined();
      });

      it('keeps refresh tokens of a family and forgets expired ones', async () => {
        const token = (tokenHash: string, expiresAt: number): RefreshTokenRecord => ({
          tokenHash,
          deviceId: DEVICE,
          state: 'current',
          issuedAt: 1,
          expiresAt,
        });
        await store.transact(async (transaction) => {
          await transaction.insertRefreshToken(token('t1', 10));
          await transaction.insertRefreshToken(token('t2', 20));
          await transaction.setRefreshTokenState('t1', 'previous');
        });
        expect((await store.read((reader) => reader.getRefreshToken('t1')))?.state).toBe('previous');
        await store.transact(async (transaction) => {
          await transaction.killRefreshTokens(DEVICE);
          await transaction.deleteExpired(10, 100);
        });
        expect(await store.read((reader) => reader.getRefreshToken('t1'))).toBeUndefined();
        expect((await store.read((reader) => reader.getRefreshToken('t2')))?.state).toBe('dead');
      });
    });

    describe('entries', () => {
      it('answers in the order asked for, with gaps', async () => {
        await addFile(store, 'f');
        await store.transact((transaction) =>
          transaction.insertEntries([folder('Ärger'), folder('sub', id('Ärger'))]),
        );
        await store.read(async (reader) => {
          const found = await reader.getEntries(SPACE, [id('sub'), id('none'), id('f'), id('sub')]);
          expect(found).toEqual([
            folder('sub', id('Ärger')),
            undefined,
            file('f'),
            folder('sub', id('Ärger')),
          ]);
          expect(await reader.getEntries(SPACE, [id('f')])).toEqual([file('f')]);
          expect(await reader.getEntries(OTHER, [id('f')])).toEqual([undefined]);
          expect((await reader.findChild(SPACE, ROOT, 'ärger'))?.name).toBe('Ärger');
          expect(await reader.findChild(SPACE, ROOT, 'Ärger')).toBeUndefined();
          expect((await reader.listAncestors(SPACE, id('sub'))).map((entry) => entry.name)).toEqual([
            'Ärger',
            '',
          ]);
          expect(await reader.listAncestors(SPACE, ROOT)).toEqual([]);
          expect((await reader.listSubtree(SPACE, ROOT)).map((entry) => entry.name)).toEqual([
            '',
            'f',
            'Ärger',
            'sub',
          ]);
        });
      });

      it('pages children by folded name and entries by id', async () => {
        await store.transact((transaction) =>
          transaction.insertEntries(['b', 'A', 'c'].map((name) => folder(name))),
        );
        await store.read(async (reader) => {
          const first = await reader.listChildren(SPACE, ROOT, null, 2);
          expect(first.map((entry) => entry.name)).toEqual(['A', 'b']);
          expect((await reader.listChildren(SPACE, ROOT, 'b', 2)).map((entry) => entry.name)).toEqual(['c']);
          const page = await reader.pageEntries(SPACE, null, 3);
          const rest = await reader.pageEntries(SPACE, page.at(-1)?.entryId as EntryId, 3);
          expect([...page, ...rest].map((entry) => entry.entryId)).toEqual(
            [id('A'), id('b'), id('c'), ROOT].sort(),
          );
        });
      });

      it('swaps names and places, in one batch or by vacating them', async () => {
        await store.transact((transaction) =>
          transaction.insertEntries([folder('a'), folder('b'), folder('c', id('b'))]),
        );
        await store.transact((transaction) =>
          transaction.updateEntries([folder('a', ROOT, { name: 'b' }), folder('b', ROOT, { name: 'a' })]),
        );
        await store.transact(async (transaction) => {
          await transaction.vacateNames(SPACE, [id('a'), id('b')]);
          await transaction.updateEntries([folder('a')]);
          await transaction.updateEntries([folder('b')]);
        });
        expect(await names()).toEqual(['a', 'b']);
        await store.transact((transaction) =>
          transaction.updateEntries([folder('b', id('c')), folder('c', ROOT)]),
        );
        expect(await names()).toEqual(['a', 'c']);
        expect(await names(id('c'))).toEqual(['b']);
      });

      it('moves a subtree to the trash and back', async () => {
        await store.transact((transaction) =>
          transaction.insertEntries([folder('a'), folder('b', id('a')), folder('d')]),
        );
        await addFile(store, 'f', id('b'));
        await store.transact((transaction) => transaction.trashSubtree(trashRecord('a')));
        expect(await names()).toEqual(['d']);
        await store.read(async (reader) => {
          expect(await reader.getTrash(SPACE, id('a'))).toEqual(trashRecord('a'));
          expect(await reader.listTrash(SPACE, 10, 0)).toEqual([trashRecord('a')]);
          expect(await reader.listTrash(SPACE, 10, 1)).toEqual([]);
          const subtree = await reader.listSubtree(SPACE, id('a'));
          expect(subtree.map((entry) => [entry.name, entry.trashId])).toEqual(
            ['a', 'b', 'f'].map((n) => [n, id('a')]),
          );
          expect(subtree[0]).toMatchObject({ parentId: null, sequence: 9 });
          expect((await reader.pageEntries(SPACE, null, 10)).map((entry) => entry.name).sort()).toEqual([
            '',
            'd',
          ]);
        });
        // The name is free for another one meanwhile.
        await store.transact((transaction) => transaction.insertEntries([folder('a2', ROOT, { name: 'a' })]));
        await store.transact((transaction) =>
          transaction.restoreSubtree(SPACE, id('a'), id('d'), 'Back', 10),
        );
        expect(await names(id('d'))).toEqual(['Back']);
        expect(await names(id('a'))).toEqual(['b']);
        expect(await names(id('b'))).toEqual(['f']);
        expect(await store.read((reader) => reader.listTrash(SPACE, 10, 0))).toEqual([]);
      });

      it('keeps a folder trashed earlier apart from the one it was in', async () => {
        await store.transact((transaction) => transaction.insertEntries([folder('a'), folder('b', id('a'))]));
        await store.transact(async (transaction) => {
          await transaction.trashSubtree(trashRecord('b', { parentId: id('a'), path: '/a/b' }));
          await transaction.trashSubtree(trashRecord('a', { sequence: 10 }));
        });
        const trash = await store.read((reader) => reader.listTrash(SPACE, 10, 0));
        expect(trash.map((record) => record.path)).toEqual(['/a', '/a/b']);
        await store.transact((transaction) => transaction.restoreSubtree(SPACE, id('a'), ROOT, 'a', 11));
        expect(await names(id('a'))).toEqual([]);
      });

      it('lets one entry leave the trash alone: its children stay there as items of their own', async () => {
        await store.transact((transaction) =>
          transaction.insertEntries([
            folder('a'),
            folder('b', id('a')),
            folder('c', id('b')),
            folder('d', id('c')),
          ]),
        );
        await store.transact((transaction) => transaction.trashSubtree(trashRecord('a')));
        await store.transact((transaction) =>
          transaction.updateEntries([folder('b', ROOT, { sequence: 10 })]),
        );
        expect(await names()).toEqual(['b']);
        expect(await names(id('b'))).toEqual([]);
        const item = await store.read((reader) => reader.getTrash(SPACE, id('c')));
        expect(item).toMatchObject({ parentId: id('b'), name: 'c', path: '/a/b/c' });
        await store.transact((transaction) => transaction.restoreSubtree(SPACE, id('c'), id('b'), 'c', 11));
        expect(await names(id('c'))).toEqual(['d']);
      });

      it.each([
        ['the child first', ['b', 'a']],
        ['the parent first', ['a', 'b']],
        ['a grandchild without its parent', ['c', 'a']],
        ['all but the top', ['d', 'b', 'c']],
        ['all of them', ['d', 'c', 'b', 'a']],
      ])('lets several entries of one item leave the trash in one batch: %s', async (_name, leaving) => {
        const line = ['a', 'b', 'c', 'd'];
        const parentOf = (name: string): EntryId =>
          name === 'a' ? ROOT : id(line[line.indexOf(name) - 1] as string);
        await store.transact((transaction) =>
          transaction.insertEntries(line.map((name) => folder(name, parentOf(name)))),
        );
        await store.transact((transaction) => transaction.trashSubtree(trashRecord('a')));
        const back = leaving.map((name) =>
          folder(name, leaving.includes(line[line.indexOf(name) - 1] as string) ? parentOf(name) : ROOT, {
            sequence: 10,
          }),
        );
        await store.transact((transaction) => transaction.updateEntries(back));
        await store.read(async (reader) => {
          const rows = await reader.getEntries(SPACE, leaving.map(id<EntryId>));
          expect(rows).toEqual(back);
          // What stayed is an item by itself if its folder left, else inside the item of its folder.
          const items = (await reader.listTrash(SPACE, 10, 0)).map((item) => [item.name, item.path]).sort();
          const stayed = line.filter((name) => !leaving.includes(name));
          const tops = stayed.filter(
            (name) => name === 'a' || leaving.includes(line[line.indexOf(name) - 1] as string),
          );
          expect(items).toEqual(
            tops.map((name) => [name, `/${line.slice(0, line.indexOf(name) + 1).join('/')}`]),
          );
        });
      });

      it('trashes a folder in which a name was given up and taken, and lets its giver leave the trash again', async () => {
        await store.transact((transaction) =>
          transaction.insertEntries([folder('a'), folder('giver', id('a'), { name: 'n' })]),
        );
        const giveAndTrash = async (transaction: MetadataTransaction): Promise<void> => {
          await transaction.vacateNames(SPACE, [id('giver')]);
          await transaction.insertEntries([folder('taker', id('a'), { name: 'n' })]);
          await transaction.trashSubtree(trashRecord('a'));
        };
        await expect(store.transact(giveAndTrash)).rejects.toThrow(/entries_to_never/);
        await store.transact(async (transaction) => {
          await giveAndTrash(transaction);
          await transaction.updateEntries([folder('giver', ROOT, { name: 'new', sequence: 10 })]);
        });
        expect(await names()).toEqual(['new']);
        await store.transact((transaction) => transaction.restoreSubtree(SPACE, id('a'), ROOT, 'a', 11));
        expect(await names(id('a'))).toEqual(['n']);
      });

      it('turns a folder and what was in it around while both leave the trash', async () => {
        await store.transact((transaction) => transaction.insertEntries([folder('a'), folder('b', id('a'))]));
        await store.transact((transaction) => transaction.trashSubtree(trashRecord('a')));
        await store.transact((transaction) =>
          transaction.updateEntries([
            folder('a', id('b'), { sequence: 10 }),
            folder('b', ROOT, { sequence: 10 }),
          ]),
        );
        expect([await names(), await names(id('b')), await names(id('a'))]).toEqual([['b'], ['a'], []]);
        expect(await store.read((reader) => reader.listTrash(SPACE, 10, 0))).toEqual([]);
      });
    });

    describe('versions and journal', () => {
      it('keeps versions whole, newest first', async () => {
        await addFile(store, 'f');
        const second = version('f', { versionId: id('v2'), sequence: 2, executable: false });
        await store.transact((transaction) => transaction.insertVersions([second]));
        await store.read(async (reader) => {
          expect(await reader.listVersions(SPACE, id('f'), 10)).toEqual([second, version('f')]);
          expect(await reader.listVersions(SPACE, id('f'), 1)).toEqual([second]);
          expect(await reader.getVersions(SPACE, [id('none'), id('v2')])).toEqual([undefined, second]);
        });
      });

      it('keeps the journal and answers of changesets', async () => {
        const content = version('f').content;
        if (content === null) throw new Error('the fixture has a content');
        const rows = [journalRow(1), journalRow(2), journalRow(3)];
        rows[1] = journalRow(2, {
          change: {
            ...journalRow(2).change,
            entryKind: 'file',
            entry: {
              ...{
                kind: 'file',
                entryId: id('f'),
                parentId: ROOT,
                name: 'f',
                sequence: 2,
                versionId: id('vf'),
              },
              ...{ content, executable: false, modifiedAtUs: 3 },
            } as never,
          },
        });
        rows[2] = journalRow(3, { change: { ...journalRow(3).change, kind: 'remove', entry: null } });
        const record = {
          spaceId: SPACE,
          changesetId: id<never>('changeset'),
          requestHash: 'h',
          result: {
            changesetId: id<never>('changeset'),
            sequence: 3,
            journal: { before: 'before', after: 'after' },
            results: [],
          },
          committedAt: 4,
        };
        await store.transact(async (transaction) => {
          await append(transaction, rows);
          await transaction.insertChangeset(record);
        });
        await store.read(async (reader) => {
          expect(await reader.readJournal(SPACE, 0, 10)).toEqual(rows);
          expect(await reader.readJournal(SPACE, 1, 1)).toEqual([rows[1]]);
          expect(await reader.getJournalHash(SPACE, 0)).toBe(GENESIS);
          expect(await reader.getJournalHash(SPACE, 2)).toBe(rows[1]?.hash);
          expect(await reader.getJournalHash(SPACE, 4)).toBeUndefined();
          expect(await reader.getSpace(SPACE)).toMatchObject({ sequence: 3, journalHash: rows[2]?.hash });
          expect(await reader.getChangeset(SPACE, id('changeset'))).toEqual(record);
          expect(await reader.getChangeset(OTHER, id('changeset'))).toBeUndefined();
        });
      });
    });

    describeBlocks(() => store);
    describeCollection(() => store);
    describeHistory(() => store);
    describeRetention(() => store);
    describeCluster(() => store);
    describeLocation(() => store);
    describeConflicts(() => store);
    describeInvalidStates(() => store);
    describeHistories(() => store);
    describeTransactions(() => store);

    it('keeps everything over closing and opening again', async () => {
      await addFile(store, 'f');
      await store.close();
      store = await place.open();
      await store.checkHealth();
      expect(await names()).toEqual(['f']);
      expect(await store.read((reader) => reader.getVersions(SPACE, [id('vf')]))).toEqual([version('f')]);
    });
  });
}
