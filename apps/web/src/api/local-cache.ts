import { type DBSchema, type IDBPDatabase, openDB } from 'idb';

interface LocalSchema extends DBSchema {
  folders: { key: string; value: { key: string; at: number; data: unknown }; indexes: { at: number } };
}

const DATABASE = 'cairn-cache';
const MAX_FOLDERS = 200;

/** Counts how often everything was forgotten. */
let era = 0;
let opening: Promise<IDBPDatabase<LocalSchema>> | null = null;

function open(): Promise<IDBPDatabase<LocalSchema>> {
  opening ??= openDB<LocalSchema>(DATABASE, 1, {
    upgrade(database) {
      database.createObjectStore('folders', { keyPath: 'key' }).createIndex('at', 'at');
    },
    terminated() {
      opening = null;
    },
  });
  return opening;
}

/** What this browser kept of a folder; null when there is nothing, or the browser keeps nothing. */
export async function readKept(key: string): Promise<unknown> {
  try {
    return (await (await open()).get('folders', key))?.data ?? null;
  } catch {
    // Private windows may refuse; the cache is only a convenience.
    return null;
  }
}

/** To be asked before something is fetched that {@link keep} is to keep. */
export function currentEra(): number {
  return era;
}

/**
 * Keeps a folder for when the server cannot be reached; the oldest ones give way.
 * @param since the era in which it was asked for: an answer that comes after somebody signed out is not kept
 */
export async function keep(key: string, data: unknown, at: number, since: number): Promise<void> {
  try {
    const database = await open();
    if (since !== era) return;
    const transaction = database.transaction('folders', 'readwrite');
    await transaction.store.put({ key, at, data });
    let excess = (await transaction.store.count()) - MAX_FOLDERS;
    let cursor = excess > 0 ? await transaction.store.index('at').openCursor() : null;
    while (cursor !== null && excess > 0) {
      await cursor.delete();
      excess--;
      cursor = await cursor.continue();
    }
    await transaction.done;
  } catch {
    // As above.
  }
}

/** Forgets everything; to be called when somebody signs out. */
export async function forgetKept(): Promise<void> {
  era++;
  try {
    await (await open()).clear('folders');
  } catch {
    // As above.
  }
}
