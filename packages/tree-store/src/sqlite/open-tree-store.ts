import { closeSync, existsSync, mkdirSync, openSync, renameSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Environment } from '@cairn/environment';
import { CairnError, type EntryId, isCairnError } from '@cairn/model';
import { createTreeStore } from '../store/create-tree-store.ts';
import { DamagedStore } from '../store/persistence.ts';
import type { TreeStore } from '../tree-store.ts';
import { type Database, openDatabase } from './sqlite.ts';
import { createSqlitePersistence, prepareSchema, translateError } from './sqlite-persistence.ts';

export interface SqliteTreeStoreOptions {
  /** The database file; its folder is made if need be. */
  readonly path: string;
  /** Root folder of the space; needed the first time, later it must be the same one. */
  readonly rootId?: EntryId;
  readonly environment: Environment;
}

export interface OpenedTreeStore {
  readonly store: TreeStore;
  /**
   * `kept`: what was flushed before is there. `fresh`: there was nothing. `lost`: the file was damaged or of a
   * newer program; it lies at `movedTo` and the store starts empty, which costs a rescan and a union merge.
   */
  readonly recovered: 'kept' | 'fresh' | 'lost';
  readonly movedTo: string | null;
}

/**
 * Opens the tree store of one device for one space; one process at a time. Throws `already-running` when
 * another process has it open, `root-foreign` when it belongs to another space, `not-configured` when there is
 * none and no `rootId` was given, `local-io` when the disk fails. A damaged file is no error, see `recovered`.
 */
export function openSqliteTreeStore(options: SqliteTreeStoreOptions): OpenedTreeStore {
  const existed = existsSync(options.path);
  try {
    const opened = open(options);
    return { store: opened.store, recovered: opened.fresh ? 'fresh' : 'kept', movedTo: null };
  } catch (error) {
    if (!existed || !(error instanceof DamagedStore)) throw translateError(error);
    const movedTo = `${options.path}.damaged-${options.environment.clock.now()}`;
    options.environment.log.warn('trees.lost', { reason: String(error.message), movedTo });
    try {
      for (const suffix of ['-wal', '-shm', '']) {
        if (existsSync(options.path + suffix)) renameSync(options.path + suffix, movedTo + suffix);
      }
      return { store: open(options).store, recovered: 'lost', movedTo };
    } catch (second) {
      throw translateError(second);
    }
  }
}

function open(options: SqliteTreeStoreOptions): { store: TreeStore; fresh: boolean } {
  mkdirSync(dirname(options.path), { recursive: true });
  closeSync(openSync(options.path, 'a', 0o600));
  const database: Database = openDatabase(options.path, { readOnly: false, busyTimeoutMs: 0 });
  try {
    const { rootId, found } = prepareSchema(database, options.rootId ?? null);
    if (options.rootId !== undefined && options.rootId !== rootId) {
      throw new CairnError(
        'root-foreign',
        'the state of this folder belongs to another space; remove the folder from sync and add it again',
      );
    }
    const store = createTreeStore(createSqlitePersistence(database, rootId));
    if (found === 'older') moveToPages(store, database, options.environment);
    return { store, fresh: found === 'nothing' };
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Takes over what is kept in another way now, and gives back what that leaves. On a full disk it waits for the next flush. */
function moveToPages(store: TreeStore, database: Database, { log }: Environment): void {
  try {
    store.flush();
    database.exec('VACUUM');
  } catch (error) {
    const translated = translateError(error);
    if (!isCairnError(translated, 'local-disk-full')) throw error;
    log.warn('trees.not-compacted', { reason: String(error) });
  }
}
