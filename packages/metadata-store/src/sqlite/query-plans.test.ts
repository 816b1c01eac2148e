import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSystemEnvironment } from '@cairn/environment';
import type { ChangesetId, EntryId, SpaceId, UploadId } from '@cairn/model';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  addAccount,
  append,
  blockId,
  chunk,
  DEVICE,
  file,
  folder,
  GENESIS,
  id,
  journalRow,
  NEW_BLOCKS,
  ROOT,
  SPACE,
  trashRecord,
  USER,
  user,
  version,
} from '../contract-fixture.ts';
import type { BlockLocationRecord } from '../location-port.ts';
import type { MetadataTransaction } from '../metadata-store.ts';
import { openSqliteMetadataStore } from './open-store.ts';
import { createConnection, createSession } from './session.ts';
import { type Database, openDatabase } from './sqlite.ts';
import { createTransaction } from './transaction.ts';

const OTHER = id<SpaceId>('otherspace');
const COUNT = 3000;

type Calls = { [Name in keyof MetadataTransaction]: (t: MetadataTransaction) => Promise<unknown> };

const upload = {
  uploadId: id<UploadId>('upload'),
  userId: USER,
  spaceId: SPACE,
  path: '/f',
  sizeBytes: 5,
  partBytes: 3,
  sha256: null,
  createdAt: 1,
  expiresAt: 10,
};
const token = { tokenHash: 't', deviceId: DEVICE, state: 'current' as const, issuedAt: 1, expiresAt: 99 };

const NODE = {
  nodeId: 'node',
  address: 'a:1',
  zone: '',
  weight: 1,
  state: 'active' as const,
  sealedKey: Uint8Array.of(1),
  storeUuid: null,
  bootCount: 0,
  joinedAt: 1,
};

const LOCATION: BlockLocationRecord = {
  serverId: 's',
  place: { placeId: 'a', setting: 'file:/a' },
  previous: null,
  movedAt: null,
  leftBlocks: 0,
  move: {
    target: { placeId: 'b', setting: 'nodes:' },
    phase: 'copying',
    isReturn: false,
    leavesDamaged: false,
    bytesPerSecond: null,
    startedAt: 1,
    position: 0,
    checkedBlocks: 0,
    copiedBlocks: 0,
    copiedBytes: 0,
    badBlocks: 0,
  },
};

/** One call of every method, in an order that works: the compiler asks for those that are added. */
const calls: Calls = {
  getValue: (t) => t.getValue('x'),
  countUsers: (t) => t.countUsers(),
  getUser: (t) => t.getUser(USER),
  getUserByName: (t) => t.getUserByName('user'),
  getDevice: (t) => t.getDevice(DEVICE),
  listDevices: (t) => t.listDevices(USER),
  getRefreshToken: (t) => t.getRefreshToken('t'),
  getSpace: (t) => t.getSpace(SPACE),
  listSpaces: (t) => t.listSpaces(USER),
  getMemberRole: (t) => t.getMemberRole(SPACE, USER),
  getEntries: async (t) => [
    await t.getEntries(SPACE, [id('f1')]),
    await t.getEntries(SPACE, [id('f1'), ROOT]),
  ],
  findChild: (t) => t.findChild(SPACE, ROOT, 'p'),
  listChildren: (t) => t.listChildren(SPACE, id('p'), 'f1', 10),
  pageEntries: (t) => t.pageEntries(SPACE, id('f1'), 10),
  listConflicts: (t) => t.listConflicts(SPACE, id('f1'), 10),
  findVersionAt: (t) => t.findVersionAt(SPACE, id('f1'), 10),
  listSubtree: (t) => t.listSubtree(SPACE, id('p')),
  listAncestors: (t) => t.listAncestors(SPACE, id('f1')),
  getTrash: (t) => t.getTrash(SPACE, id('f1')),
  listTrash: (t) => t.listTrash(SPACE, 10, 0),
  getVersions: (t) => t.getVersions(SPACE, [id('vf1'), id('vf2')]),
  listVersions: (t) => t.listVersions(SPACE, id('f1'), 10),
  readJournal: (t) => t.readJournal(SPACE, 5, 10),
  getJournalHash: (t) => t.getJournalHash(SPACE, 5),
  getChangeset: (t) => t.getChangeset(SPACE, id('c')),
  getBlocks: (t) => t.getBlocks([blockId(1), blockId(2)]),
  hasReferences: (t) => t.hasReferences(SPACE, [blockId(1), blockId(2)]),
  canReach: (t) => t.canReach(USER, [blockId(1), blockId(2)], 1),
  getUpload: (t) => t.getUpload(upload.uploadId),
  listUploadParts: (t) => t.listUploadParts(upload.uploadId),
  countAll: (t) => t.countAll(),
  countPrunings: (t) => t.countPrunings(),
  readGenerationFloor: (t) => t.readGenerationFloor(),
  getTombstones: (t) => t.getTombstones([blockId(1), blockId(2)]),
  pageUnused: (t) => t.pageUnused({ now: 1, touchedBefore: 1 }, 5, 10),
  pageReferences: (t) => t.pageReferences({ blockNumber: 5, spaceId: SPACE }, 10),
  areOrphans: (t) => t.areOrphans([{ blockId: blockId(1), generation: 1 }]),
  listUnreclaimed: (t) => t.listUnreclaimed(10),
  countGarbage: (t) => t.countGarbage({ condemnedBefore: 1, seenBefore: 1 }),
  pageSpaces: (t) => t.pageSpaces(SPACE, 10),
  getRetention: (t) => t.getRetention(SPACE),
  pageVersionedEntries: (t) => t.pageVersionedEntries({ spaceId: SPACE, entryId: id('f1') }, 10),
  pageTrash: (t) => t.pageTrash(SPACE, 5, 10),
  countReferences: (t) => t.countReferences(SPACE, [blockId(1), blockId(2)]),
  listContents: (t) => t.listContents(SPACE, [id('f1'), id('f2')]),
  measure: async (t) => [await t.measure(null), await t.measure(SPACE)],
  findNames: async (t) => [
    await t.findNames(SPACE, 'f', 'beginning', null, 10),
    await t.findNames(SPACE, 'f', 'further', { searchName: 'a', entryId: id('f1') }, 10),
  ],
  readJournalBack: (t) => t.readJournalBack(SPACE, 5, 10),
  findJournalAt: (t) => t.findJournalAt(SPACE, 5),
  listStates: (t) => t.listStates(SPACE, [{ entryId: id('f'), sequence: 5 }]),
  listChildrenAt: (t) => t.listChildrenAt(SPACE, [ROOT], 5, 10),
  findRemoval: (t) => t.findRemoval(SPACE, id('f'), 5),
  measureContents: (t) => t.measureContents(SPACE),
  listCapacity: (t) => t.listCapacity(5, 10),
  putCapacity: (t) => t.putCapacity({ sampledAt: 5, usedBytes: 1, capacityBytes: null, liveBytes: 1 }, 1),
  setValue: (t) => t.setValue('x', '1'),
  insertUser: (t) => t.insertUser(user('third', id('thirdspace'))),
  insertDevice: (t) =>
    t.insertDevice({
      deviceId: id('d3'),
      userId: USER,
      name: '',
      createdAt: 1,
      lastSeenAt: 1,
      revokedAt: null,
    }),
  setPasswordHash: (t) => t.setPasswordHash(USER, 'x'),
  updateDevice: (t) => t.updateDevice(DEVICE, { name: 'x' }),
  insertRefreshToken: (t) => t.insertRefreshToken(token),
  setRefreshTokenState: (t) => t.setRefreshTokenState('t', 'previous'),
  killRefreshTokens: (t) => t.killRefreshTokens(DEVICE),
  insertSpace: (t) =>
    t.insertSpace({
      spaceId: id('thirdspace'),
      kind: 'personal',
      ownerId: id('third'),
      rootId: id('r3'),
      sequence: 0,
      journalHash: GENESIS,
      createdAt: 1,
    }),
  advanceSpace: (t) => t.advanceSpace(SPACE, COUNT, journalRow(COUNT).hash),
  insertEntries: (t) => t.insertEntries([folder('n1'), folder('n2', id('n1'))]),
  vacateNames: (t) => t.vacateNames(SPACE, [id('n1')]),
  trashSubtree: (t) => t.trashSubtree(trashRecord('n1')),
  updateEntries: (t) =>
    t.updateEntries([folder('n1', ROOT, { sequence: 10 }), folder('q', ROOT, { name: 'q2' })]),
  restoreSubtree: (t) => t.restoreSubtree(SPACE, id('n2'), ROOT, 'n2', 11),
  insertVersions: (t) => t.insertVersions([version('f1', { versionId: id('new') })]),
  deleteVersions: (t) => t.deleteVersions(SPACE, [id('new')]),
  deleteTrashed: async (t) => {
    await t.trashSubtree(trashRecord('n1', { sequence: 12 }));
    await t.deleteTrashed(SPACE, id('n1'), [id('n1')]);
  },
  setRetention: async (t) => [
    await t.setRetention(SPACE, { versions: { keep: 'all' }, trash: { keep: 'all' } }),
    await t.setRetention(SPACE, null),
  ],
  appendJournal: (t) => t.appendJournal([journalRow(COUNT + 1)]),
  insertChangeset: (t) =>
    t.insertChangeset({
      spaceId: SPACE,
      changesetId: id<ChangesetId>('c'),
      requestHash: 'h',
      result: {
        changesetId: id<ChangesetId>('c'),
        sequence: 0,
        journal: { before: '', after: '' },
        results: [],
      },
      committedAt: 1,
    }),
  insertBlocks: (t) => t.insertBlocks([chunk(COUNT + 1)], NEW_BLOCKS),
  leaseBlocks: (t) => t.leaseBlocks(USER, [blockId(1)], 9),
  addReferences: (t) => t.addReferences(SPACE, [blockId(1)]),
  releaseReferences: async (t) => [
    await t.releaseReferences(SPACE, [blockId(1)], 1),
    await t.releaseReferences(SPACE, [blockId(1), blockId(2)], 1),
  ],
  condemnBlocks: (t) =>
    t.condemnBlocks([{ blockId: blockId(2), generation: 1 }], { now: 200, touchedBefore: 200 }),
  sweepCondemned: (t) => t.sweepCondemned({ now: 300, condemnedBefore: 200, limit: 10 }),
  noteOrphans: (t) => t.noteOrphans([{ blockId: blockId(2), generation: 2, storedBytes: 9 }], 300),
  sweepOrphans: (t) => t.sweepOrphans({ now: 400, seenBefore: 300, limit: 10 }),
  markReclaimed: (t) => t.markReclaimed([{ blockId: blockId(2), generation: 2 }], 500),
  pruneTombstones: (t) => t.pruneTombstones(600, 10),
  takeJobLease: (t) => t.takeJobLease('job', 'me', 1, 2),
  releaseJobLease: (t) => t.releaseJobLease('job', 'me', 1),
  insertUpload: (t) => t.insertUpload(upload),
  putUploadPart: (t) => t.putUploadPart({ uploadId: upload.uploadId, partNumber: 1, parts: [] }),
  deleteUpload: (t) => t.deleteUpload(upload.uploadId),
  insertStorageNode: (t) => t.insertStorageNode(NODE),
  listStorageNodes: (t) => t.listStorageNodes(),
  getStorageNode: (t) => t.getStorageNode('node'),
  updateStorageNode: (t) => t.updateStorageNode('node', { weight: 2 }),
  deleteStorageNode: (t) => t.deleteStorageNode('node'),
  insertJoinToken: (t) =>
    t.insertJoinToken({ tokenId: 'join', sealedSecret: Uint8Array.of(1), createdAt: 1, expiresAt: 2 }),
  pageBlockIds: (t) => t.pageBlockIds(0, 10),
  getJoinToken: (t) => t.getJoinToken('join'),
  deleteJoinToken: (t) => t.deleteJoinToken('join'),
  deleteOldJoinTokens: (t) => t.deleteOldJoinTokens(1),
  deleteExpired: (t) => t.deleteExpired(0, 100),
  getBlockLocation: async (t) => {
    await t.setBlockLocation(LOCATION);
    return t.getBlockLocation();
  },
  setBlockLocation: (t) => t.setBlockLocation(LOCATION),
  refuseEarlierPuts: (t) => t.refuseEarlierPuts(),
};

/** What may be walked from end to end: lists that the caller gave, results of a recursion, and work to be done. */
const WALKED =
  /^SCAN (wanted|found|json_each|subtree|line|CONSTANT ROW|members|\d+-ROW|block_tombstones USING INDEX block_tombstones_to_reclaim)/;
/** A look-up by the space alone walks all of it. */
const WHOLE_SPACE =
  /^SEARCH (entries|child|versions|journal|held|block_references|lease|block_leases) .*\((space_id|user_id)=\?\)$/;

function plan(database: Database, sql: string): string[] {
  return database
    .prepare(`EXPLAIN QUERY PLAN ${sql}`)
    .all()
    .map((row) => row['detail'] as string);
}

describe('query plans', () => {
  let folderPath: string;
  let database: Database;
  const statements = new Map<string, string>();

  beforeAll(async () => {
    folderPath = await mkdtemp(join(tmpdir(), 'cairn-plans-'));
    const path = join(folderPath, 'metadata.db');
    const store = await openSqliteMetadataStore({ path, environment: createSystemEnvironment() });
    const numbers = Array.from({ length: COUNT }, (_, index) => index + 1);
    await store.transact(async (t) => {
      await addAccount(t, 'user', SPACE);
      await addAccount(t, 'other', OTHER);
      await t.insertEntries([folder('p'), folder('q')]);
      await t.insertEntries(numbers.map((n) => file(`f${n}`, id<EntryId>('p'))));
      await t.insertVersions(numbers.map((n) => version(`f${n}`)));
      await t.insertBlocks(numbers.map(chunk), NEW_BLOCKS);
      await t.leaseBlocks(USER, numbers.map(blockId), 100);
      await t.addReferences(SPACE, numbers.map(blockId));
      await append(
        t,
        numbers.map((n) => journalRow(n)),
      );
    });
    await store.close();
    database = openDatabase(path, { readOnly: false, busyTimeoutMs: 0 });
    database.exec('BEGIN');
    const session = createSession(createConnection(database));
    let current = '';
    const note =
      <Result>(action: (sql: string, ...parameters: never[]) => Result) =>
      (sql: string, ...parameters: never[]): Result => {
        statements.set(sql, current);
        return action(sql, ...parameters);
      };
    const transaction = createTransaction({
      ...session,
      one: note(session.one),
      all: note(session.all),
      run: note(session.run),
    });
    for (const name of Object.keys(calls) as (keyof Calls)[]) {
      current = name;
      await calls[name](transaction);
    }
    database.exec('ROLLBACK');
  });
  afterAll(async () => {
    database.close();
    await rm(folderPath, { recursive: true, force: true });
  });

  it.each([
    ['with the statistics that the schema brings', ''],
    // Writes depend on the schema's statistics: SQLite plans the look-ups of references too. Reads must not.
    ['as a reader with true statistics of a small store', 'ANALYZE'],
  ])('never walk a whole table or space, %s', (_name, sql) => {
    database.exec(sql);
    expect(statements.size).toBeGreaterThan(60);
    const bad: string[] = [];
    for (const [statement, method] of statements) {
      if (['countAll', 'countUsers', 'countGarbage', 'measure', 'measureContents'].includes(method)) continue;
      if (sql !== '' && !/^(get|find|list|page|read|has|can)/.test(method)) continue;
      // What refers to a user or space that is just made is looked for too, and there is none.
      const fresh = method === 'insertUser' || method === 'insertSpace';
      for (const step of plan(database, statement)) {
        // There are a few storage nodes, and fewer invitations.
        const few =
          ['listStorageNodes', 'deleteOldJoinTokens'].includes(method) ||
          step.startsWith('SCAN block_location') ||
          step.startsWith('SCAN block_move');
        const small = few || step === 'SCAN devices' || (step === 'SCAN uploads' && fresh);
        const walks = step.startsWith('SCAN ') && !WALKED.test(step) && !small;
        // Lists that pages are read from come in the order of an index, or each page would sort all.
        const sorts =
          /TEMP B-TREE/.test(step) &&
          !few &&
          !['listSubtree', 'listAncestors', 'listDevices', 'listSpaces', 'updateEntries'].includes(method);
        if (walks || sorts || (WHOLE_SPACE.test(step) && !fresh)) bad.push(`${method}: ${step}`);
      }
    }
    expect(bad).toEqual([]);
  });

  it('find the walks that they are there to find', () => {
    const walks = plan(database, 'SELECT * FROM versions WHERE size_bytes = 1');
    expect(walks.every((step) => step.startsWith('SCAN ') && !WALKED.test(step))).toBe(true);
    const whole = plan(database, `SELECT * FROM entries INDEXED BY entries_by_trash WHERE space_id = 'x'`);
    expect(whole.every((step) => WHOLE_SPACE.test(step))).toBe(true);
  });
});
