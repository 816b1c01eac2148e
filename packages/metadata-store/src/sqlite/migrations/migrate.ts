import { CairnError } from '@cairn/model';
import type { Database } from '../sqlite.ts';
import { firstSchema } from './0001-first-schema.ts';
import { conflictColumns } from './0002-conflicts.ts';
import { numberedBlocks } from './0003-numbered-blocks.ts';
import { collectionTables } from './0004-collection.ts';
import { retentionTable } from './0005-retention.ts';
import { storageNodeTables } from './0006-storage-nodes.ts';
import { blockLocationTables } from './0007-block-location.ts';
import { defineMigrationFunctions, historyIndices } from './0008-history.ts';

/** Marks our files (`PRAGMA application_id`): "CRNM". */
export const APPLICATION_ID = 0x43524e4d;

/** Step n brings schema version n to n + 1. Steps are never changed once released; new ones go to the end. */
const steps: readonly string[] = [
  firstSchema,
  conflictColumns,
  numberedBlocks,
  collectionTables,
  retentionTable,
  storageNodeTables,
  blockLocationTables,
  historyIndices,
];

/** The schema version that this program writes. */
export const SCHEMA_VERSION = steps.length;

/**
 * Brings the database to this program's schema, all steps in one transaction. Forward only.
 * Throws `data-damaged` for a foreign file, `unavailable` for a database of a newer program.
 */
export function migrate(database: Database): void {
  const found = readNumber(database, 'user_version');
  const application = readNumber(database, 'application_id');
  if (application !== APPLICATION_ID && (application !== 0 || found !== 0 || countTables(database) > 0)) {
    throw new CairnError(
      'data-damaged',
      'the metadata database is not one of Cairn; check the data folder, or restore it from a backup',
    );
  }
  if (found > SCHEMA_VERSION) {
    throw new CairnError(
      'unavailable',
      `the metadata database has schema version ${found}, this program knows up to ${SCHEMA_VERSION}; start the newer program again`,
      { details: { found, known: SCHEMA_VERSION } },
    );
  }
  if (found === SCHEMA_VERSION) return;
  defineMigrationFunctions(database);
  database.exec('BEGIN EXCLUSIVE');
  try {
    // Another process may have migrated while this one waited for the lock.
    for (const step of steps.slice(readNumber(database, 'user_version'))) database.exec(step);
    const broken = database.prepare('PRAGMA foreign_key_check').all();
    if (broken.length > 0) {
      throw new CairnError('data-damaged', 'the metadata has broken references; restore it from a backup', {
        details: { count: broken.length },
      });
    }
    database.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${SCHEMA_VERSION};`);
    database.exec('COMMIT');
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

function readNumber(database: Database, pragma: 'user_version' | 'application_id'): number {
  return Number(database.prepare(`PRAGMA ${pragma}`).get()?.[pragma] ?? 0);
}

function countTables(database: Database): number {
  return Number(database.prepare('SELECT count(*) AS count FROM sqlite_schema').get()?.['count'] ?? 0);
}
