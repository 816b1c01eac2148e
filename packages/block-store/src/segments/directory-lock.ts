import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CairnError } from '@cairn/model';
import { Database, isDatabaseBusy } from './sqlite.ts';

const LOCK_FILE = 'lock.sqlite';
const OWNER_FILE = 'lock.owner';

function readOwner(directory: string): string {
  try {
    return ` (process ${readFileSync(join(directory, OWNER_FILE), 'utf8').trim()})`;
  } catch {
    return '';
  }
}

/**
 * Takes the folder for this process. The lock is an exclusive transaction of a SQLite file, hence a lock of the
 * operating system: it ends with its process, however that ends, and also keeps out a second store here.
 * Throws `already-running` when another has it. Returns a function that gives it back.
 */
export function lockDirectory(directory: string): () => void {
  const database = new Database(join(directory, LOCK_FILE), { timeout: 0 });
  try {
    database.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if (!isDatabaseBusy(error)) throw error;
    throw new CairnError(
      'already-running',
      `the block store in ${directory} is in use by another process${readOwner(directory)}; stop that one first, or use another folder`,
      { cause: error },
    );
  }
  try {
    writeFileSync(join(directory, OWNER_FILE), `${process.pid}\n`);
  } catch {
    // Only the text of somebody else's refusal gets poorer; a full disk must not keep the store from starting.
  }
  return () => database.close();
}
