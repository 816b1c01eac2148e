import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSystemEnvironment } from '@cairn/environment';
import { type EntryId, isCairnError } from '@cairn/model';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { describeTreeStore } from '../contract.ts';
import { localNode, ROOT_ID, remoteNode, syncedNode, testEntryId } from '../contract-fixture.ts';
import { type OpenedTreeStore, openSqliteTreeStore } from './open-tree-store.ts';
import { type Database, openDatabase } from './sqlite.ts';

const environment = createSystemEnvironment();

describeTreeStore('SQLite tree store', () => {
  const folder = mkdtempSync(join(tmpdir(), 'cairn-trees-'));
  return {
    open: () => openSqliteTreeStore({ path: join(folder, 'trees.db'), rootId: ROOT_ID, environment }).store,
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
});

describe('the file of a SQLite tree store', () => {
  let folder: string;
  let path: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'cairn-trees-'));
    path = join(folder, 'state', 'trees.db');
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const shape = { id: 1, parent: 0, name: 'a', kind: 'file', content: 1, executable: true } as const;
  function open(rootId: EntryId | undefined = ROOT_ID): OpenedTreeStore {
    return openSqliteTreeStore(rootId === undefined ? { path, environment } : { path, rootId, environment });
  }
  function fill(count = 1): void {
    const { store } = open();
    for (let id = 1; id <= count; id++) store.remote.put(remoteNode({ ...shape, id }));
    store.flush();
    store.close();
  }

  it('says whether it found something', () => {
    const first = open();
    expect(first.recovered).toBe('fresh');
    first.store.close();
    fill();
    const second = openSqliteTreeStore({ path, environment });
    expect([second.recovered, second.store.rootId, second.store.remote.size]).toEqual(['kept', ROOT_ID, 1]);
    second.store.close();
  });

  it.each([
    ['garbage', () => Buffer.alloc(20_000, 7)],
    ['a damaged page', (bytes: Buffer) => bytes.fill(0xab, 4096 * 2, 4096 * 6)],
    ['a file cut short', (bytes: Buffer) => bytes.subarray(0, 4096 * 3 + 100)],
  ])('moves %s aside and starts empty', (_name, damage) => {
    fill(2000);
    writeFileSync(path, damage(readFileSync(path)));
    const opened = open();
    expect([opened.recovered, opened.store.remote.size]).toEqual(['lost', 0]);
    expect(existsSync(opened.movedTo as string)).toBe(true);
    opened.store.remote.put(remoteNode(shape));
    opened.store.flush();
    opened.store.close();
    const again = open();
    expect([again.recovered, again.store.remote.size]).toEqual(['kept', 1]);
    again.store.close();
  });

  it.each([
    ['a newer schema', 'PRAGMA user_version = 99'],
    ['another program', 'PRAGMA application_id = 5'],
    ['a damaged content', `UPDATE nodes SET content = x'0102'`],
    [
      'a damaged observation',
      `INSERT INTO nodes SELECT 1, entry_id, parent_id, name, kind, sequence, executable,
      modified_at_us, content, target, NULL, 'nonsense', NULL FROM nodes`,
    ],
    ['damaged marks', `UPDATE nodes SET marks = 'nonsense'`],
    ['a damaged page of entries', `INSERT INTO settled VALUES (0, x'0102')`],
    ['a damaged cursor', `INSERT OR REPLACE INTO store VALUES ('cursor', 'nonsense')`],
  ])('moves a file of %s aside', (_name, sql) => {
    fill();
    const database = openDatabase(path, { readOnly: false, busyTimeoutMs: 0 });
    database.exec(sql);
    database.close();
    const opened = open();
    expect(opened.recovered).toBe('lost');
    opened.store.close();
  });

  function inDatabase<Result>(work: (database: Database) => Result): Result {
    const database = openDatabase(path, { readOnly: false, busyTimeoutMs: 0 });
    try {
      return work(database);
    } finally {
      database.close();
    }
  }

  function countRows(): { nodes: unknown; pages: unknown } {
    return inDatabase((database) => ({
      nodes: database.prepare('SELECT count(*) AS n FROM nodes').get()?.['n'],
      pages: database.prepare('SELECT count(*) AS n FROM settled').get()?.['n'],
    }));
  }

  it('keeps entries on which the trees agree in pages, and others for each tree', () => {
    const { store } = open();
    for (let id = 1; id <= 200; id++) {
      store.remote.put(remoteNode({ ...shape, id }));
      store.synced.put(syncedNode({ ...shape, id }));
      if (id > 2) store.local.put(localNode({ ...shape, id }));
    }
    store.flush();
    store.close();
    expect(countRows()).toEqual({ nodes: 4, pages: 4 });
    const again = open().store;
    for (const id of [1, 2]) again.local.put(localNode({ ...shape, id }));
    again.local.put(localNode({ ...shape, id: 3, name: 'b' }));
    again.flush();
    again.close();
    expect(countRows()).toEqual({ nodes: 3, pages: 4 });
    const last = open().store;
    expect([last.local.size, last.local.get(testEntryId(3))?.name]).toEqual([200, 'b']);
    expect([...last.touched()]).toEqual([testEntryId(3)]);
    for (const tree of [last.remote, last.local, last.synced]) tree.clear();
    last.flush();
    last.close();
    expect(countRows()).toEqual({ nodes: 0, pages: 0 });
  });

  it('moves a file aside that has an entry in a page and in a tree as well', () => {
    const { store } = open();
    store.remote.put(remoteNode(shape));
    store.synced.put(syncedNode(shape));
    store.local.put(localNode(shape));
    store.remote.put(remoteNode({ ...shape, id: 2 }));
    store.flush();
    store.close();
    inDatabase((database) =>
      database.exec(`UPDATE nodes SET entry_id = '${testEntryId(1)}' WHERE entry_id = '${testEntryId(2)}'`),
    );
    const opened = open();
    expect(opened.recovered).toBe('lost');
    opened.store.close();
  });

  it.each([
    [2, 'before conflict copies had marks', 'ALTER TABLE nodes DROP COLUMN marks;'],
    [3, 'before entries on which the trees agree were kept once', ''],
  ])('takes over a file of version %i, from %s', (version, _since, undo) => {
    fill(300);
    inDatabase((database) =>
      database.exec(`INSERT INTO nodes SELECT 1, entry_id, parent_id, name, kind, 0, executable, modified_at_us,
          content, target, NULL, 'k5 3 1:2:-5', NULL FROM nodes WHERE tree = 0 AND entry_id <> '${testEntryId(300)}';
        INSERT INTO nodes SELECT 2, entry_id, parent_id, name, kind, sequence, executable, modified_at_us,
          substr(content, 1, 33), target, NULL, NULL, NULL FROM nodes WHERE tree = 0;
        DROP TABLE settled; ${undo} PRAGMA user_version = ${version}`),
    );
    for (let round = 0; round < 2; round++) {
      const { store, recovered } = open();
      expect([recovered, store.remote.size, store.local.size, store.synced.size]).toEqual([
        'kept',
        300,
        299,
        300,
      ]);
      expect(store.remote.get(testEntryId(1))).toEqual(remoteNode(shape));
      expect(store.local.get(testEntryId(7))).toMatchObject({
        state: 'known',
        identity: '1:2',
        sizeBytes: 5,
      });
      expect(store.synced.get(testEntryId(300))).toEqual(syncedNode({ ...shape, id: 300 }));
      expect([...store.touched()]).toEqual([testEntryId(300)]);
      store.close();
      expect(countRows()).toEqual({ nodes: 2, pages: 5 });
    }
  });

  it('refuses another space, a missing root, and a second process, and moves nothing', () => {
    expect(() => openSqliteTreeStore({ path, environment })).toThrow(/not synced yet/);
    fill();
    expect(() => open(testEntryId(5))).toThrow(/another space/);
    const holder = open();
    try {
      open();
      expect.unreachable();
    } catch (error) {
      expect(isCairnError(error, 'already-running')).toBe(true);
    }
    expect(holder.store.remote.size).toBe(1);
    holder.store.close();
  });

  it('opens 30,000 entries in three trees', () => {
    const count = 30_000;
    const { store } = open();
    for (let id = 1; id <= count; id++) {
      const own = { ...shape, id, parent: id % 300, name: `file ${id}.txt`, content: id };
      store.remote.put(remoteNode(own));
      store.local.put(localNode(own));
      store.synced.put(syncedNode(own));
    }
    store.flush();
    store.close();
    const opened = open();
    expect(opened.store.remote.size).toBe(count);
    expect(opened.store.local.size).toBe(count);
    opened.store.close();
  });
});
