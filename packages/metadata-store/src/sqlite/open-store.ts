import { AsyncLocalStorage } from 'node:async_hooks';
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Environment } from '@cairn/environment';
import { CairnError } from '@cairn/model';
import { InvalidStateError } from '../invalid-state.ts';
import type { MetadataStore } from '../metadata-store.ts';
import { createLogFlush, noLogFlush } from './log-flush.ts';
import { migrate } from './migrations/migrate.ts';
import { createReader } from './reader.ts';
import { type Connection, createConnection, createSession } from './session.ts';
import { openDatabase } from './sqlite.ts';
import { isConstraint, isFatal, translateError } from './sqlite-errors.ts';
import { createTransaction } from './transaction.ts';
import { createTurns } from './turns.ts';

export interface SqliteMetadataStoreOptions {
  /** The database file; its folder is made if need be. `:memory:` is a store that is gone when closed. */
  readonly path: string;
  readonly environment: Environment;
  /** Pages of 4 KiB that the file may have; as many as the disk holds when not given. */
  readonly maxPages?: number;
  /**
   * How commits become durable. `shared` (unless told): transactions are committed one after the other and those
   * that wait for the disk at the same time share its flush, which runs beside them (docs/adr/0025-group-commit.md).
   * `each`: every commit flushes by itself, in this thread: for simulations, where nothing may happen beside it.
   */
  readonly flushes?: 'shared' | 'each';
  /** In place of the flush of the log. For tests. */
  readonly flushLog?: (flush: () => Promise<void>) => Promise<void>;
}

const BUSY_TIMEOUT_MS = 5000;
const MAX_WAITING = 1024;
const MAX_READERS = 8;
const MAX_PAGES_TO_SEARCH = 4096;

const COMMON_PRAGMAS =
  'PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY;';
// The log goes into the file when it has 32 MiB, not after nearly every large commit: pages that many commits
// change are then copied and flushed once.
const WRITER_PRAGMAS = `${COMMON_PRAGMAS} PRAGMA journal_mode = WAL; PRAGMA cache_size = -32768;
  PRAGMA wal_autocheckpoint = 8192; PRAGMA journal_size_limit = 67108864;`;
const READER_PRAGMAS = `${COMMON_PRAGMAS} PRAGMA query_only = ON; PRAGMA cache_size = -4096;`;

/**
 * Opens (and creates or migrates) the metadata store of one server on SQLite. Throws `data-damaged` when the
 * file is not sound, `unavailable` when it belongs to a newer program or cannot be opened.
 */
export async function openSqliteMetadataStore(options: SqliteMetadataStoreOptions): Promise<MetadataStore> {
  const { environment } = options;
  // Readers are connections of their own, which a database in memory cannot have: it gets a temporary folder.
  const temporary = options.path === ':memory:' ? mkdtempSync(join(tmpdir(), 'cairn-metadata-')) : null;
  const path = temporary === null ? options.path : join(temporary, 'metadata.db');
  const isShared = temporary === null && options.flushes !== 'each';
  const synchronous = temporary !== null ? 'OFF' : isShared ? 'NORMAL' : 'FULL';
  let writer: Connection;
  let log: FileHandle | null = null;
  try {
    writer = openWriter(path, synchronous, options.maxPages ?? null);
    if (isShared) log = await openLog(path, writer);
  } catch (error) {
    if (temporary !== null) rmSync(temporary, { recursive: true, force: true });
    throw translateError(error);
  }

  const writing = createTurns({ places: 1, maxWaiting: MAX_WAITING });
  const reading = createTurns({ places: MAX_READERS, maxWaiting: MAX_WAITING });
  const idleReaders: Connection[] = [];
  const insideTransaction = new AsyncLocalStorage<{ over: boolean }>();
  let failure: unknown = null;
  let closed = false;

  const logFlush = log === null ? noLogFlush : createLogFlush(() => flushLog(log));

  async function flushLog(file: FileHandle): Promise<void> {
    const flush = (): Promise<void> => file.datasync();
    try {
      await (options.flushLog === undefined ? flush() : options.flushLog(flush));
    } catch (error) {
      throw fail(
        new CairnError(
          'unavailable',
          'the disk failed under the metadata database; check the disk, then start the server again',
          { cause: error },
        ),
      );
    }
  }

  /** After a failed write or sync nobody knows what is on disk; only a restart, which checks, may go on. */
  function fail(error: CairnError): CairnError {
    failure = error;
    environment.log.error('metadata.failed', { error: String(error.cause) });
    return error;
  }

  function checkOpen(): void {
    if (closed) throw new Error('the metadata store is closed');
    if (failure !== null) throw failure;
  }

  function openReader(): Connection {
    const database = openDatabase(path, { readOnly: true, busyTimeoutMs: BUSY_TIMEOUT_MS });
    database.exec(READER_PRAGMAS);
    return createConnection(database);
  }

  function rollBack(connection: Connection): void {
    if (connection.database.isOpen && connection.database.isTransaction) connection.database.exec('ROLLBACK');
  }

  return {
    async read(work, { sees = 'durable' } = {}) {
      checkOpen();
      let seen = 0;
      const result = await reading.take(async () => {
        checkOpen();
        let reader: Connection | undefined;
        try {
          reader = idleReaders.pop() ?? openReader();
          const connection = reader;
          connection.database.exec('BEGIN');
          // BEGIN alone takes no snapshot; the first read does.
          connection.prepare('SELECT 1 FROM server_values LIMIT 1').get();
          seen = logFlush.mark();
          const session = createSession(connection);
          try {
            return await work(createReader(session));
          } finally {
            session.end();
          }
        } catch (error) {
          throw translateError(error);
        } finally {
          if (reader !== undefined) {
            rollBack(reader);
            if (closed) reader.close();
            else idleReaders.push(reader);
          }
        }
      });
      // What a failing disk may still lose must not get around.
      if (sees === 'durable') await logFlush.settle(seen);
      return result;
    },

    async transact(work) {
      checkOpen();
      // The inner one would wait for the outer one's end, and the outer one for the inner one.
      if (insideTransaction.getStore()?.over === false) {
        throw new Error(
          'a transaction was begun inside another one of the same store; pass the outer one on',
        );
      }
      const outcome = await writing.take(async () => {
        checkOpen();
        try {
          writer.database.exec('BEGIN IMMEDIATE');
          const session = createSession(writer);
          const scope = { over: false };
          let result: Awaited<ReturnType<typeof work>>;
          try {
            result = await insideTransaction.run(scope, () => work(createTransaction(session)));
          } finally {
            scope.over = true;
            session.end();
          }
          commit(writer);
          logFlush.noteCommit();
          return { result, mark: logFlush.mark() };
        } catch (error) {
          const translated = translateError(error);
          if (translated instanceof CairnError && isFatal(translated)) fail(translated);
          rollBack(writer);
          return { refusal: translated, mark: logFlush.mark() };
        }
      });
      // A refusal tells of what was committed before, too.
      await logFlush.settle(outcome.mark);
      if ('refusal' in outcome) throw outcome.refusal;
      return outcome.result;
    },

    async checkHealth() {
      checkOpen();
      try {
        writer.prepare('SELECT 1 FROM server_values LIMIT 1').get();
      } catch (error) {
        throw new CairnError('unavailable', 'the metadata database cannot be read; check the disk', {
          cause: error,
        });
      }
    },

    async close() {
      if (closed) return;
      closed = true;
      await Promise.all([writing.drain(), reading.drain()]);
      await logFlush.drain();
      await log?.close();
      for (const reader of idleReaders.splice(0)) reader.close();
      writer.close();
      if (temporary !== null) rmSync(temporary, { recursive: true, force: true });
    },
  };
}

/** The file that commits are written to, to flush it beside the connection. It is the same one while the connection is open. */
async function openLog(path: string, writer: Connection): Promise<FileHandle> {
  try {
    return await open(`${path}-wal`, 'r+');
  } catch (error) {
    writer.close();
    throw new CairnError(
      'unavailable',
      'the log of the metadata database cannot be opened; check that its folder is writable and on a local disk',
      { cause: error },
    );
  }
}

function openWriter(
  path: string,
  synchronous: 'FULL' | 'NORMAL' | 'OFF',
  maxPages: number | null,
): Connection {
  mkdirSync(dirname(path), { recursive: true });
  // The file holds password hashes: it is made with its final rights, which SQLite copies to the log.
  closeSync(openSync(path, 'a', 0o600));
  const database = openDatabase(path, { readOnly: false, busyTimeoutMs: BUSY_TIMEOUT_MS });
  try {
    database.exec(`${WRITER_PRAGMAS} PRAGMA synchronous = ${synchronous};`);
    const check = database.prepare('PRAGMA quick_check(1)').get();
    if (check?.['quick_check'] !== 'ok') {
      throw new CairnError(
        'data-damaged',
        'the metadata database is damaged; restore it from a backup before starting the server',
        { details: { check: check?.['quick_check'] } },
      );
    }
    migrate(database);
    if (maxPages !== null) database.exec(`PRAGMA max_page_count = ${maxPages}`);
    return createConnection(database);
  } catch (error) {
    database.close();
    throw error;
  }
}

function commit(connection: Connection): void {
  try {
    connection.database.exec('COMMIT');
  } catch (error) {
    if (!isConstraint(error)) throw error;
    throw new InvalidStateError(findBrokenReferences(connection), { cause: error });
  }
}

/** Which references a refused commit would have broken. SQLite does not say, and only small databases are searched. */
function findBrokenReferences(connection: Connection): string[] {
  const pages = Number(connection.prepare('PRAGMA page_count').get()?.['page_count']);
  if (pages > MAX_PAGES_TO_SEARCH) return ['references'];
  const rules = new Set<string>();
  for (const row of connection.prepare('PRAGMA foreign_key_check').iterate()) {
    rules.add(`${row['table']}_to_${row['parent']}`);
  }
  return rules.size === 0 ? ['references'] : [...rules].sort();
}
