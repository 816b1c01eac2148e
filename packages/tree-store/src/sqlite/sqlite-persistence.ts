import { CairnError, type EntryId, formatCursor, parseCursor } from '@cairn/model';
import { isPacked, packedIdOf } from '../store/packed-content.ts';
import { areMarks, isObservation, type PackedNode, type StoredEntry } from '../store/packed-node.ts';
import {
  DamagedStore,
  MAX_NOTICES,
  type Persistence,
  TREE_NAMES,
  type TreeName,
} from '../store/persistence.ts';
import type { Notice } from '../tree-store.ts';
import type { Database, Row, SqlValue } from './sqlite.ts';

type SQLOutput = Row[string];

/** Marks our files (`PRAGMA application_id`): "CRNT". */
const APPLICATION_ID = 0x43524e54;
const SCHEMA_VERSION = 4;
/** Entries on which the three trees agree, see `SettledPage`: none of them has a row in `nodes`. */
const SETTLED = 'CREATE TABLE settled (page INTEGER PRIMARY KEY, entries BLOB NOT NULL) STRICT;';
/** Schema versions that differ from the present one only by what is added to them. */
const ADDED_SINCE = new Map([
  [2, `ALTER TABLE nodes ADD COLUMN marks TEXT; ${SETTLED}`],
  [3, SETTLED],
]);
const KINDS: readonly PackedNode['kind'][] = ['folder', 'file', 'link'];
const COLUMNS = `tree, entry_id, parent_id, name, kind, sequence, executable, modified_at_us, content, target,
  version_id, observation, marks`;

const SCHEMA = `
CREATE TABLE store (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE named_values (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE nodes (
  tree INTEGER NOT NULL CHECK (tree IN (0, 1, 2)),
  entry_id TEXT NOT NULL,
  parent_id TEXT,
  name TEXT NOT NULL,
  -- 0 folder, 1 file, 2 link
  kind INTEGER NOT NULL CHECK (kind IN (0, 1, 2)),
  sequence INTEGER NOT NULL,
  executable INTEGER NOT NULL CHECK (executable IN (0, 1)),
  modified_at_us INTEGER NOT NULL,
  content BLOB,
  target TEXT,
  version_id TEXT,
  observation TEXT,
  marks TEXT,
  PRIMARY KEY (tree, entry_id),
  CHECK ((tree = 1) = (observation IS NOT NULL)),
  CHECK (kind = 1 OR content IS NULL),
  CHECK (tree = 0 OR version_id IS NULL),
  CHECK (tree <> 0 OR (kind = 0) = (version_id IS NULL)),
  CHECK (tree <> 0 OR (kind = 1) = (content IS NOT NULL))
) STRICT, WITHOUT ROWID;
${SETTLED}
CREATE TABLE notices (
  notice_id INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  kind TEXT NOT NULL,
  path TEXT NOT NULL,
  text TEXT NOT NULL
) STRICT;
`;

const NODES_OF = `SELECT ${COLUMNS} FROM nodes WHERE tree = ? ORDER BY entry_id`;

/** Rows that one statement writes where there are many: each call of SQLite costs about as much as a row. */
const ROWS_AT_ONCE = 8;
const SET_COLUMNS = COLUMNS.split(',')
  .map((column) => column.trim())
  .filter((column) => column !== 'tree' && column !== 'entry_id')
  .map((column) => `${column} = excluded.${column}`)
  .join(', ');
/** Not `OR REPLACE`, which deletes a row and inserts it anew where it could be overwritten in its place. */
const putRows = (count: number): string =>
  `INSERT INTO nodes (${COLUMNS}) VALUES ${Array(count).fill('(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)').join(', ')}
  ON CONFLICT (tree, entry_id) DO UPDATE SET ${SET_COLUMNS}`;

const PRIMARY_CODE_MASK = 0xff;
const DAMAGED_CODES: readonly number[] = [11, 26]; // SQLITE_CORRUPT, SQLITE_NOTADB
const BUSY = 5;
const FULL = 13;

function sqliteCode(error: unknown): number | null {
  const errcode = error instanceof Error ? (error as Error & { errcode?: unknown }).errcode : undefined;
  return typeof errcode === 'number' ? errcode & PRIMARY_CODE_MASK : null;
}

/** What SQLite and the disk report, in our codes. */
export function translateError(error: unknown): unknown {
  if (error instanceof CairnError) return error;
  if (sqliteCode(error) === BUSY) {
    return new CairnError('already-running', 'another process syncs this folder; stop it first', {
      cause: error,
    });
  }
  if (sqliteCode(error) === FULL || (error as NodeJS.ErrnoException).code === 'ENOSPC') {
    return new CairnError('local-disk-full', 'the disk is full; free some space, sync goes on by itself', {
      cause: error,
    });
  }
  return new CairnError(
    'local-io',
    `the sync state cannot be used: ${(error as Error).message}; check the disk`,
    {
      cause: error,
    },
  );
}

/**
 * Checks the file, makes the schema where there is none, and tells whose trees these are.
 * Throws {@link DamagedStore}, or `not-configured` for a new store without `rootId`.
 */
export function prepareSchema(
  database: Database,
  rootId: EntryId | null,
): { readonly rootId: EntryId; readonly found: 'nothing' | 'older' | 'current' } {
  try {
    // One process only: the lock is held until the store is closed or the process is gone.
    database.exec(`PRAGMA locking_mode = EXCLUSIVE; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;
      PRAGMA cache_size = -2048; PRAGMA temp_store = MEMORY;`);
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; BEGIN IMMEDIATE');
    const found = Number(database.prepare('PRAGMA user_version').get()?.['user_version']);
    const application = Number(database.prepare('PRAGMA application_id').get()?.['application_id']);
    const tables = Number(database.prepare('SELECT count(*) AS count FROM sqlite_schema').get()?.['count']);
    if (found === 0 && application === 0 && tables === 0) {
      if (rootId === null) {
        throw new CairnError('not-configured', 'this folder is not synced yet; run "cairn sync add FOLDER"');
      }
      database.exec(SCHEMA);
      database.prepare(`INSERT INTO store VALUES ('root', ?)`).run(rootId);
      database.exec(
        `PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${SCHEMA_VERSION}; COMMIT`,
      );
      return { rootId, found: 'nothing' };
    }
    if (application !== APPLICATION_ID) throw new DamagedStore('the file is not a tree store');
    const addition = ADDED_SINCE.get(found);
    if (addition === undefined && found !== SCHEMA_VERSION) {
      throw new DamagedStore(`the file has the schema version ${found}`);
    }
    if (addition !== undefined) database.exec(`${addition}; PRAGMA user_version = ${SCHEMA_VERSION}`);
    database.exec('COMMIT');
    const check = database.prepare('PRAGMA quick_check(1)').get()?.['quick_check'];
    if (check !== 'ok') throw new DamagedStore(`the file is damaged: ${check}`);
    const stored = database.prepare(`SELECT value FROM store WHERE name = 'root'`).get()?.['value'];
    if (typeof stored !== 'string') throw new DamagedStore('the file names no root folder');
    return { rootId: stored as EntryId, found: addition === undefined ? 'current' : 'older' };
  } catch (error) {
    throw asDamaged(error);
  }
}

/** Id of the root folder of a sound store of exactly this version. Throws `local-io` for anything else. */
export function checkSchema(database: Database): string {
  const found = Number(database.prepare('PRAGMA user_version').get()?.['user_version']);
  const application = Number(database.prepare('PRAGMA application_id').get()?.['application_id']);
  const stored =
    application === APPLICATION_ID && found === SCHEMA_VERSION
      ? database.prepare(`SELECT value FROM store WHERE name = 'root'`).get()?.['value']
      : undefined;
  if (typeof stored === 'string') return stored;
  throw new CairnError(
    'local-io',
    'what was known about this folder is damaged or of another version; "cairn sync start" sees to it',
  );
}

function asDamaged(error: unknown): unknown {
  const code = sqliteCode(error);
  if (code === null || !DAMAGED_CODES.includes(code)) return error;
  return new DamagedStore((error as Error).message, { cause: error });
}

function toPacked(row: readonly SQLOutput[]): PackedNode {
  const content = row[8] as Uint8Array | null;
  return {
    entryId: row[1] as EntryId,
    parentId: row[2] as EntryId | null,
    name: row[3] as string,
    kind: KINDS[row[4] as number] as PackedNode['kind'],
    sequence: row[5] as number,
    executable: row[6] === 1,
    modifiedAtUs: row[7] as number,
    content:
      content === null
        ? null
        : Buffer.from(content.buffer, content.byteOffset, content.length).toString('latin1'),
    target: row[9] as string | null,
    versionId: row[10] as PackedNode['versionId'],
    observation: row[11] as string | null,
    marks: row[12] as string | null,
  };
}

/** Throws {@link DamagedStore} where a stored text has not the form that it must have. */
function checked(tree: TreeName, node: PackedNode): PackedNode {
  if (node.observation !== null && !isObservation(node.observation))
    throw new DamagedStore(`the stored observation of ${node.entryId} is damaged`);
  if (node.marks !== null && !areMarks(node.marks))
    throw new DamagedStore(`the stored marks of ${node.entryId} are damaged`);
  if (node.content !== null && !isPacked(node.content, tree === 'synced' ? 'id' : 'content'))
    throw new DamagedStore(`the stored content of ${node.entryId} is damaged`);
  return node;
}

/** Goes through nodes in the order of their ids, one tree beside the other. */
function* entriesOf(trees: Readonly<Record<TreeName, Iterator<PackedNode>>>): Generator<StoredEntry> {
  const next = (name: TreeName): PackedNode | undefined => {
    const { value, done } = trees[name].next();
    return done === true ? undefined : value;
  };
  const heads = { remote: next('remote'), local: next('local'), synced: next('synced') };
  for (;;) {
    let first: EntryId | undefined;
    for (const name of TREE_NAMES) {
      const id = heads[name]?.entryId;
      if (id !== undefined && (first === undefined || id < first)) first = id;
    }
    if (first === undefined) return;
    const take = (name: TreeName): PackedNode | undefined => {
      const head = heads[name];
      if (head?.entryId !== first) return undefined;
      heads[name] = next(name);
      return head;
    };
    yield { remote: take('remote'), local: take('local'), synced: take('synced') };
  }
}

/** Keeps flushed trees in a prepared database; owns it from now on. */
export function createSqlitePersistence(database: Database, rootId: EntryId): Persistence {
  const put = database.prepare(putRows(1));
  const putSeveral = database.prepare(putRows(ROWS_AT_ONCE));
  const remove = database.prepare('DELETE FROM nodes WHERE tree = ? AND entry_id = ?');
  const removeAll = database.prepare('DELETE FROM nodes WHERE tree = ?');
  const putPage = database.prepare('INSERT OR REPLACE INTO settled VALUES (?, ?)');
  const removePage = database.prepare('DELETE FROM settled WHERE page = ?');
  const putValue = database.prepare('INSERT OR REPLACE INTO named_values VALUES (?, ?)');
  const removeValue = database.prepare('DELETE FROM named_values WHERE name = ?');
  const putCursor = database.prepare(`INSERT OR REPLACE INTO store VALUES ('cursor', ?)`);
  const putNotice = database.prepare('INSERT INTO notices VALUES (?, ?, ?, ?, ?)');
  const trimNotices = database.prepare(
    'DELETE FROM notices WHERE notice_id <= (SELECT max(notice_id) FROM notices) - ?',
  );

  function addRow(row: SqlValue[], tree: number, node: PackedNode): void {
    const synced = TREE_NAMES[tree] === 'synced';
    row.push(
      tree,
      node.entryId,
      node.parentId,
      node.name,
      KINDS.indexOf(node.kind),
      node.sequence,
      node.executable ? 1 : 0,
      node.modifiedAtUs,
      node.content === null ? null : Buffer.from(synced ? packedIdOf(node.content) : node.content, 'latin1'),
      node.target,
      // The synced tree may hold the remote tree's object.
      synced ? null : node.versionId,
      node.observation,
      synced ? null : node.marks,
    );
  }

  function writeNodes(tree: number, nodes: readonly PackedNode[]): void {
    let written = 0;
    for (; written + ROWS_AT_ONCE <= nodes.length; written += ROWS_AT_ONCE) {
      const rows: SqlValue[] = [];
      for (const node of nodes.slice(written, written + ROWS_AT_ONCE)) addRow(rows, tree, node);
      putSeveral.run(...rows);
    }
    for (const node of nodes.slice(written)) {
      const row: SqlValue[] = [];
      addRow(row, tree, node);
      put.run(...row);
    }
  }

  function rowsOf(sql: string, ...values: SqlValue[]): Iterable<readonly SQLOutput[]> {
    const select = database.prepare(sql);
    select.setReturnArrays(true);
    return select.iterate(...values) as Iterable<unknown> as Iterable<readonly SQLOutput[]>;
  }

  function* nodesOf(tree: TreeName): Generator<PackedNode> {
    for (const row of rowsOf(NODES_OF, TREE_NAMES.indexOf(tree))) yield checked(tree, toPacked(row));
  }

  return {
    rootId,
    load(onPage, onEntry) {
      try {
        for (const [page, rows] of rowsOf('SELECT page, entries FROM settled ORDER BY page'))
          onPage({ page: page as number, rows: rows as Uint8Array });
        const trees = { remote: nodesOf('remote'), local: nodesOf('local'), synced: nodesOf('synced') };
        for (const entry of entriesOf(trees)) onEntry(entry);
        const text = database.prepare(`SELECT value FROM store WHERE name = 'cursor'`).get()?.['value'];
        const cursor = typeof text === 'string' && text !== '' ? parseCursor(text) : null;
        if (cursor === null && text !== undefined && text !== '')
          throw new DamagedStore('the cursor is damaged');
        const values = database.prepare('SELECT name, value FROM named_values').all();
        const notices = database
          .prepare('SELECT notice_id AS noticeId, at, kind, path, text FROM notices ORDER BY notice_id')
          .all();
        return {
          cursor,
          values: new Map(values.map((row) => [row['name'] as string, row['value'] as string])),
          notices: notices.map((row) => ({ ...row }) as unknown as Notice),
        };
      } catch (error) {
        throw asDamaged(error);
      }
    },
    save(batch) {
      try {
        database.exec('BEGIN IMMEDIATE');
        for (const [tree, name] of TREE_NAMES.entries()) {
          const { cleared, written, deleted } = batch.trees[name];
          if (cleared) removeAll.run(tree);
          for (const entryId of deleted) remove.run(tree, entryId);
          writeNodes(tree, written);
        }
        for (const { page, rows } of batch.settled) {
          if (rows.length === 0) removePage.run(page);
          else putPage.run(page, rows);
        }
        if (batch.cursor !== undefined)
          putCursor.run(batch.cursor === null ? '' : formatCursor(batch.cursor));
        for (const [name, value] of batch.values) {
          if (value === null) removeValue.run(name);
          else putValue.run(name, value);
        }
        for (const { noticeId, at, kind, path, text } of batch.notices) {
          putNotice.run(noticeId, at, kind, path, text);
        }
        if (batch.notices.length > 0) trimNotices.run(MAX_NOTICES);
        database.exec('COMMIT');
      } catch (error) {
        if (database.isOpen && database.isTransaction) database.exec('ROLLBACK');
        throw translateError(error);
      }
    },
    close() {
      if (database.isOpen) database.close();
    },
  };
}
