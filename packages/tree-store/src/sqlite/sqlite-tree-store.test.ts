import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSystemEnvironment } from '@cairn/environment';
import { type EntryId, isCairnError } from '@cairn/model';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { describeTreeStore } from '../contract.ts';
import { localNode, ROOT_ID, remoteNode, syncedNode, testEntryId } from '../contract-fixture.ts';
import { type OpenedTreeStore, openSqliteTreeStore } from './open-tree-store.ts';
import { openDatabase } from './sqlite.ts';

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

  it('takes over a file from before conflict copies had marks', () => {
    fill();
    const database = openDatabase(path, { readOnly: false, busyTimeoutMs: 0 });
    database.exec('ALTER TABLE nodes DROP COLUMN marks; PRAGMA user_version = 2');
    database.close();
    const opened = open();
    expect([opened.recovered, opened.store.remote.get(testEntryId(1))]).toEqual(['kept', remoteNode(shape)]);
    opened.store.close();
    const again = open();
    expect(again.recovered).toBe('kept');
    again.store.close();
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
