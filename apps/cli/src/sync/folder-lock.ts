import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { CairnError, PRIVATE_FOLDER } from '@cairn/model';

/**
 * Makes sure that one daemon works on a folder, whichever device or account it belongs to. The lock is the
 * operating system's on a file in the folder, so it ends with its process in whatever way that ends.
 * @returns a function that gives it back
 * @throws CairnError `already-running`
 */
export function lockFolder(folder: string): () => void {
  const place = join(folder, PRIVATE_FOLDER);
  mkdirSync(place, { recursive: true, mode: 0o700 });
  const database = new DatabaseSync(join(place, 'lock'));
  try {
    database.exec('PRAGMA busy_timeout = 0; BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if (!/locked|busy/i.test(String((error as Error).message))) throw error;
    throw new CairnError(
      'already-running',
      `${folder} is being synced by another process already. See "cairn sync status"; end it with "cairn sync stop"`,
      { cause: error },
    );
  }
  return () => database.close();
}
