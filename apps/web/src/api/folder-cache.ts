import type { Entry, JournalChange } from '@cairn/model';
import type { FileObject } from '@cairn/protocol';
import { isWithin, joinPath } from './paths.ts';
import { queryClient } from './query-client.ts';

/** A folder as the cache has it; `complete` is false while pages of it are still to come. */
export interface FolderData {
  readonly entry: FileObject;
  readonly children: readonly FileObject[];
  readonly complete: boolean;
}

export type FolderKey = readonly ['folder', string];

export function folderKey(path: string): FolderKey {
  return ['folder', path];
}

/** What listeners keep of the journal so that a listing under way does not lose it. */
const MAX_RECENT = 5_000;
/** More changes at once than this are answered by asking again. */
const MAX_PATCHES = 500;
const recent: JournalChange[] = [];
let recentStart = 0;

/** A mark for {@link changesSince}. */
export function journalMark(): number {
  return recentStart + recent.length;
}

/** The changes that arrived after the mark; null when there were too many to remember. */
export function changesSince(mark: number): readonly JournalChange[] | null {
  return mark < recentStart ? null : recent.slice(mark - recentStart);
}

/** The cached folders with their paths. */
export function cachedFolders(): readonly (readonly [path: string, data: FolderData])[] {
  return queryClient
    .getQueriesData<FolderData>({ queryKey: ['folder'] })
    .flatMap(([key, data]) => (data === undefined ? [] : [[String(key[1]), data] as const]));
}

/** Changes every cached folder by `change`, which returns the same data for what it does not touch. */
export function patchFolders(change: (data: FolderData, path: string) => FolderData): void {
  for (const [path, data] of cachedFolders()) {
    const next = change(data, path);
    if (next !== data) queryClient.setQueryData(folderKey(path), next);
  }
}

/** Takes entries out of wherever they are shown. */
export function removeFromFolders(entryIds: ReadonlySet<string>): void {
  patchFolders((data) => {
    const children = data.children.filter(({ entryId }) => !entryIds.has(entryId));
    return children.length === data.children.length ? data : { ...data, children };
  });
}

/** Shows entries in their folders (where those are cached), and nowhere else. */
export function putIntoFolders(entries: readonly FileObject[]): void {
  const ids = new Set<string>(entries.map(({ entryId }) => entryId));
  patchFolders((data) => {
    const coming = entries.filter(({ parentId }) => parentId === data.entry.entryId);
    const leaving = data.children.some(({ entryId }) => ids.has(entryId));
    if (coming.length === 0 && !leaving) return data;
    return { ...data, children: [...data.children.filter(({ entryId }) => !ids.has(entryId)), ...coming] };
  });
}

/** Asks again for the folders below a path, since they have other paths now, or none. */
export function invalidateBelow(path: string): void {
  void queryClient.invalidateQueries({
    predicate: ({ queryKey }) => queryKey[0] === 'folder' && isWithin(String(queryKey[1]), path),
  });
}

/** Asks every cached folder again. */
export function invalidateFolders(): void {
  void queryClient.invalidateQueries({ queryKey: ['folder'] });
}

/** An entry of the journal as listings show it. */
export function fileObjectOf(entry: Entry, parentPath: string): FileObject {
  const common = {
    entryId: entry.entryId,
    parentId: entry.parentId,
    name: entry.name,
    path: entry.parentId === null ? '/' : joinPath(parentPath, entry.name),
    sequence: entry.sequence,
  };
  switch (entry.kind) {
    case 'folder':
      return {
        kind: 'folder',
        ...common,
        ...(entry.conflictPolicy === undefined ? {} : { conflictPolicy: entry.conflictPolicy }),
      };
    case 'file':
      return {
        kind: 'file',
        ...common,
        sizeBytes: entry.content.sizeBytes,
        contentId: entry.content.contentId,
        versionId: entry.versionId,
        executable: entry.executable,
        modifiedAtUs: entry.modifiedAtUs,
        ...(entry.conflictOf === undefined ? {} : { conflictOf: entry.conflictOf }),
      };
    case 'link':
      return {
        kind: 'link',
        ...common,
        versionId: entry.versionId,
        target: entry.target,
        modifiedAtUs: entry.modifiedAtUs,
        ...(entry.conflictOf === undefined ? {} : { conflictOf: entry.conflictOf }),
      };
  }
}

/** What a change of the journal makes of one folder's children. Older news than what is shown changes nothing. */
export function applyChange(data: FolderData, change: JournalChange): FolderData {
  const shown = data.children.find(({ entryId }) => entryId === change.entryId);
  const belongs = change.entry !== null && change.entry.parentId === data.entry.entryId;
  if (shown === undefined && !belongs) return data;
  if (shown !== undefined && shown.sequence > change.sequence) return data;
  const others = data.children.filter(({ entryId }) => entryId !== change.entryId);
  if (change.entry === null || !belongs) return { ...data, children: others };
  return { ...data, children: [...others, fileObjectOf(change.entry, data.entry.path)] };
}

/** Brings the cached folders up to a page of the journal. */
export function applyJournal(changes: readonly JournalChange[]): void {
  recent.push(...changes);
  const excess = recent.length - MAX_RECENT;
  if (excess > 0) {
    recent.splice(0, excess);
    recentStart += excess;
  }
  if (changes.length > MAX_PATCHES) {
    invalidateFolders();
    return;
  }
  for (const change of changes) {
    if (change.entryKind === 'folder') followFolder(change);
  }
  // Of several changes to one entry the last one says it all.
  const last = new Map(changes.map((change) => [change.entryId, change]));
  patchFolders((data) => [...last.values()].reduce(applyChange, data));
}

/** A folder that moved takes the paths of everything in it along. */
function followFolder(change: JournalChange): void {
  if (change.kind === 'create') return;
  const folders = cachedFolders();
  const self = folders.find(([, data]) => data.entry.entryId === change.entryId);
  const before =
    self?.[1].entry ??
    folders.flatMap(([, data]) => data.children).find(({ entryId }) => entryId === change.entryId);
  if (before === undefined) {
    // Wherever it was, something that is shown may have been in it.
    void queryClient.invalidateQueries({ queryKey: ['folder'], refetchType: 'active' });
    return;
  }
  const stays =
    change.entry !== null && change.entry.parentId === before.parentId && change.entry.name === before.name;
  if (!stays) invalidateBelow(before.path);
}
