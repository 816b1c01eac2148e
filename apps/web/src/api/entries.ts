import { type EntryId, isCairnError } from '@cairn/model';
import { entryResponseSchema, type FileObject, fileResponseSchema } from '@cairn/protocol';
import { putIntoFolders, removeFromFolders } from './folder-cache.ts';
import { joinPath, numberedName } from './paths.ts';
import { apiPath, ask, tell } from './request.ts';

/** What came of doing one thing to many entries. */
export interface BatchResult {
  readonly done: readonly FileObject[];
  readonly failed: readonly { readonly entry: FileObject; readonly error: unknown }[];
}

/** Where something is to go. */
export interface Destination {
  readonly entryId: EntryId;
  readonly path: string;
}

const PARALLEL = 6;
const MAX_NAME_TRIES = 50;

/** Does something to every entry, some at a time; one failure stops none of the others. */
async function forEach(
  entries: readonly FileObject[],
  act: (entry: FileObject) => Promise<FileObject>,
): Promise<BatchResult> {
  const done: FileObject[] = [];
  const failed: { entry: FileObject; error: unknown }[] = [];
  const waiting = [...entries];
  async function work(): Promise<void> {
    for (let entry = waiting.shift(); entry !== undefined; entry = waiting.shift()) {
      try {
        done.push(await act(entry));
      } catch (error) {
        failed.push({ entry, error });
      }
    }
  }
  await Promise.all(Array.from({ length: PARALLEL }, work));
  return { done, failed };
}

/** One entry by its id, wherever it is now. Throws `not-found`. */
export async function readEntry(entryId: EntryId, signal?: AbortSignal): Promise<FileObject> {
  return (await ask(apiPath`/files/${entryId}`, fileResponseSchema, { signal })).entry;
}

/** Throws `already-exists`, `bad-name`. */
export async function createFolder(parent: Destination, name: string): Promise<FileObject> {
  const json = { path: joinPath(parent.path, name) };
  const { entry } = await ask('/folders', entryResponseSchema, { method: 'POST', json });
  putIntoFolders([entry]);
  return entry;
}

async function patch(entryId: EntryId, json: { readonly name?: string; readonly parentId?: EntryId }) {
  return (await ask(apiPath`/files/${entryId}`, entryResponseSchema, { method: 'PATCH', json })).entry;
}

/** Renames at once on the screen, and back when the server refuses. Throws `already-exists`, `bad-name`. */
export async function renameEntry(entry: FileObject, name: string): Promise<FileObject> {
  const parent = entry.path.slice(0, entry.path.length - entry.name.length - 1) || '/';
  putIntoFolders([{ ...entry, name, path: joinPath(parent, name) }]);
  try {
    const renamed = await patch(entry.entryId, { name });
    putIntoFolders([renamed]);
    return renamed;
  } catch (error) {
    putIntoFolders([entry]);
    throw error;
  }
}

/** Tries other names (`a (2).txt`) until one is free. */
async function withFreeName(
  entry: FileObject,
  act: (name: string) => Promise<FileObject>,
): Promise<FileObject> {
  for (let number = 1; ; number++) {
    const name = number === 1 ? entry.name : numberedName(entry.name, number, entry.kind === 'folder');
    try {
      return await act(name);
    } catch (error) {
      const isTaken = isCairnError(error, 'already-exists', 'name-taken');
      if (!isTaken || number >= MAX_NAME_TRIES) throw error;
    }
  }
}

/**
 * Moves entries into a folder, at once on the screen; what could not be moved goes back. A name that is taken there
 * gets a number: nothing is ever replaced.
 */
export async function moveEntries(entries: readonly FileObject[], to: Destination): Promise<BatchResult> {
  const moving = entries.filter(({ parentId }) => parentId !== to.entryId);
  putIntoFolders(
    moving.map((entry) => ({ ...entry, parentId: to.entryId, path: joinPath(to.path, entry.name) })),
  );
  const result = await forEach(moving, (entry) =>
    withFreeName(entry, (name) =>
      patch(entry.entryId, name === entry.name ? { parentId: to.entryId } : { parentId: to.entryId, name }),
    ),
  );
  putIntoFolders([...result.done, ...result.failed.map(({ entry }) => entry)]);
  return result;
}

/** Puts moved entries back to where, and how they were called, before. */
export async function moveBack(before: readonly FileObject[]): Promise<BatchResult> {
  putIntoFolders(before);
  const result = await forEach(before, (entry) => {
    if (entry.parentId === null) return Promise.resolve(entry);
    return patch(entry.entryId, { parentId: entry.parentId, name: entry.name });
  });
  putIntoFolders(result.done);
  return result;
}

/** Copies into a folder; a name that is taken gets a number. No bytes are copied. */
export async function copyEntries(entries: readonly FileObject[], to: Destination): Promise<BatchResult> {
  const result = await forEach(entries, (entry) =>
    withFreeName(entry, async (name) => {
      const json = { parentId: to.entryId, name };
      const path = apiPath`/files/${entry.entryId}/copy`;
      return (await ask(path, entryResponseSchema, { method: 'POST', json })).entry;
    }),
  );
  putIntoFolders(result.done);
  return result;
}

/** Moves entries to the trash, at once on the screen; what could not be deleted comes back. */
export async function trashEntries(entries: readonly FileObject[]): Promise<BatchResult> {
  removeFromFolders(new Set(entries.map(({ entryId }) => entryId)));
  const result = await forEach(entries, async (entry) => {
    try {
      await tell(apiPath`/files/${entry.entryId}`, { method: 'DELETE' });
    } catch (error) {
      // Somebody else was first.
      if (!isCairnError(error, 'not-found')) throw error;
    }
    return entry;
  });
  putIntoFolders(result.failed.map(({ entry }) => entry));
  return result;
}

/** Brings entries back from the trash to where they were. */
export async function restoreEntries(entries: readonly FileObject[]): Promise<BatchResult> {
  const result = await forEach(entries, async (entry) => {
    const path = apiPath`/trash/${entry.entryId}/restore`;
    return (await ask(path, entryResponseSchema, { method: 'POST', json: {} })).entry;
  });
  putIntoFolders(result.done);
  return result;
}
