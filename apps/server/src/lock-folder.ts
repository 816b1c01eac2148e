import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { CairnError } from '@cairn/model';

const SQLITE_BUSY = 5;

/**
 * Takes the data folder for this process, also where the blocks are kept elsewhere. The lock is SQLite's, hence
 * the operating system's: it ends with the process, however that ends. Throws `already-running`.
 * @returns a function that gives it back
 */
export function lockDataFolder(directory: string): () => void {
  const database = new DatabaseSync(join(directory, 'server.lock'), { timeout: 0 });
  try {
    database.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if ((error as { errcode?: number }).errcode !== SQLITE_BUSY) throw error;
    throw new CairnError(
      'already-running',
      `the data folder ${directory} is in use by another server; stop that one first, or choose another folder with --data`,
      { cause: error },
    );
  }
  return () => database.close();
}
