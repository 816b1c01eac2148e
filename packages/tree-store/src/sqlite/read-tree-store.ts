import { existsSync } from 'node:fs';
import { CairnError, type EntryId } from '@cairn/model';
import { createTreeStore } from '../store/create-tree-store.ts';
import type { TreeStore } from '../tree-store.ts';
import { openDatabase } from './sqlite.ts';
import { checkSchema, createSqlitePersistence, translateError } from './sqlite-persistence.ts';

const BUSY_TIMEOUT_MS = 2000;

/**
 * What a device knew when its daemon was last running, in memory: nothing is written, and `flush` throws.
 * `null` when there is no store yet. Throws `already-running` while a daemon has it, `local-io` when it is damaged.
 */
export function readSqliteTreeStore(path: string): TreeStore | null {
  if (!existsSync(path)) return null;
  try {
    const database = openDatabase(path, { readOnly: true, busyTimeoutMs: BUSY_TIMEOUT_MS });
    try {
      const rootId = checkSchema(database) as EntryId;
      const stored = createSqlitePersistence(database, rootId);
      return createTreeStore({
        ...stored,
        save() {
          throw new CairnError('local-io', 'this copy of the state is for reading; nothing was changed');
        },
        close: () => undefined,
      });
    } finally {
      database.close();
    }
  } catch (error) {
    throw translateError(error);
  }
}
