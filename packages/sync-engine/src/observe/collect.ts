import type { FileStatus, Filesystem } from '@cairn/filesystem';
import { type EntryId, type EntryKind, findNameProblem, isCairnError, MAX_PATH_DEPTH } from '@cairn/model';
import type { LocalNode } from '@cairn/planner';
import { identityOf, type NodeSketch, observationOf } from '@cairn/tree-store';
import { joinPath, type LocalTree, parentPath } from '../local-tree.ts';
import { isCertainlyGone } from './certainly-gone.ts';
import type { IgnoreRules } from './ignore-rules.ts';

/** Why something on disk is left alone; shown by `cairn sync status` and `cairn why`. */
export type UnsyncedReason =
  | 'ignored'
  | 'not-selected'
  | 'special-file'
  | 'name-not-unicode'
  | 'bad-name'
  | 'other-filesystem'
  | 'too-deep'
  | 'unreadable';

export interface ObservedItem {
  readonly name: string;
  readonly status: FileStatus;
  readonly kind: EntryKind;
}

/** One folder as it was read. `items` has what can be synced, `left` what is there but left alone. */
export interface ObservedFolder {
  readonly path: string;
  readonly identity: string;
  /** Changes with every name in it; `null` when it may still change within the tick of its clock. */
  readonly fingerprint: string | null;
  readonly items: Map<string, ObservedItem>;
  readonly left: Map<string, UnsyncedReason>;
}

/** A folder in which everything known is as it was and nothing else can be synced. */
export interface QuietFolder {
  readonly path: string;
  readonly fingerprint: string | null;
  readonly items: number;
  readonly left: Map<string, UnsyncedReason>;
}

export interface Collection {
  /** Folders in which something differs from the local tree. */
  readonly folders: Map<string, ObservedFolder>;
  /** The others, by the id of their node: of those nothing else is kept, so that a large tree costs little. */
  readonly quiet: Map<EntryId, QuietFolder>;
  /** Folders that are there but could not be read: nothing may be concluded about what is in them. */
  readonly unreadable: Map<string, string>;
  /** Folders that were asked for but are certainly gone; their parents were read instead. */
  readonly gone: Set<string>;
  /** An item vanished while its folder was read: look again. */
  readonly again: Set<string>;
  /** Known folders that were found under a new path, with all that is below them unread; by that path. */
  readonly carried: Map<string, EntryId>;
}

export interface CollectRequest {
  /** Folders to read, relative to the root. */
  readonly paths: Iterable<string>;
  /** Read everything below them too, not only what is new. */
  readonly recursive: boolean;
  /**
   * Folders that are not known in their place are read with all that is below them (`read`, unless told); or those that
   * are known and certainly left another place are not, as what is in them came along (`carry`); or none is (`leave`).
   */
  readonly newcomers?: 'read' | 'carry' | 'leave';
}

export interface CollectDeps {
  readonly filesystem: Filesystem;
  readonly local: LocalTree;
  readonly rules: IgnoreRules;
  /** Whether this device is not to hold what is at the path. What it still holds is looked at all the same. */
  isDeselected(path: string): boolean;
  /** Whether what is known of the file stays as it is for now, whatever its disk says. */
  isHeld(entryId: EntryId): boolean;
  /** Milliseconds since 1970, when the look begins. */
  readonly nowMs: number;
}

/** FAT keeps times to two seconds. */
const COARSEST_TICK_MS = 2100;

/**
 * Reads folders from disk without drawing any conclusion. Folders that are not known under their place are read
 * with all that is below them: a new folder's own events may have come before anybody watched it.
 */
export async function collect(deps: CollectDeps, request: CollectRequest): Promise<Collection> {
  const { filesystem, local, rules } = deps;
  const collection: Collection = {
    folders: new Map(),
    quiet: new Map(),
    unreadable: new Map(),
    gone: new Set(),
    again: new Set(),
    carried: new Map(),
  };
  const { caseSensitive, unicodeSensitive } = filesystem.capabilities;
  // Where a folder opens by any spelling, only its parent's listing tells whether this one counts.
  const canBeQuiet = caseSensitive && unicodeSensitive;
  const root = await filesystem.status('');
  const open = new Set<string>();
  for (const path of request.paths) open.add(nearestKnown(local, path));

  for (const path of open) {
    if (collection.folders.has(path)) continue;
    const folder = await readFolder(deps, path, root?.device ?? '', collection);
    if (folder === 'gone') {
      if (path !== '') open.add(nearestKnown(local, parentPath(path)));
      continue;
    }
    if (folder === 'unreadable') continue;
    const node = local.findByPath(path);
    const ids = node === undefined ? [] : [...local.children(node.entryId)];
    const known = new Map<string, NodeSketch>();
    for (const id of ids) {
      const child = local.sketch(id);
      if (child !== undefined) known.set(child.name, child);
    }
    const agrees = known.size === ids.length && !collection.again.has(path);
    if (canBeQuiet && agrees && node !== undefined && isQuiet(folder, node, known, deps.isHeld)) {
      const { fingerprint, left, items } = folder;
      collection.quiet.set(node.entryId, { path, fingerprint, left, items: items.size });
    } else {
      collection.folders.set(path, folder);
    }
    // Another folder has this name now: its parent tells where each of them went.
    if (node !== undefined && path !== '' && node.identity !== folder.identity) open.add(parentPath(path));
    for (const item of folder.items.values()) {
      if (item.kind !== 'folder') continue;
      const itemPath = joinPath(path, item.name);
      const observation = known.get(item.name)?.observation;
      if (request.recursive || (observation != null && identityOf(observation) !== item.status.identity)) {
        open.add(itemPath);
      } else if (observation == null) {
        if (request.newcomers === 'leave') continue;
        const carried = request.newcomers === 'carry' ? await findCarried(deps, item) : null;
        if (carried === null) open.add(itemPath);
        else collection.carried.set(itemPath, carried);
      }
    }
  }
  if (!canBeQuiet) dropOtherSpellings(collection);
  return collection;

  function nearestKnown(tree: LocalTree, path: string): string {
    let candidate = path;
    while (candidate !== '' && tree.findByPath(candidate)?.kind !== 'folder') {
      candidate = candidate.slice(0, Math.max(0, candidate.lastIndexOf('/')));
    }
    return rules.isIgnored(candidate, true) ? '' : candidate;
  }
}

/** The known folder that this one certainly is, with nothing in the place that it left; `null` for any other. */
async function findCarried({ filesystem, local }: CollectDeps, item: ObservedItem): Promise<EntryId | null> {
  const { caseSensitive, unicodeSensitive, birthTimes } = filesystem.capabilities;
  const node = local.findByIdentity(item.status.identity);
  if (!caseSensitive || !unicodeSensitive || !birthTimes || node?.kind !== 'folder') return null;
  const from = node.state === 'known' ? local.path(node.entryId) : null;
  if (from === null || from === '' || (await statusOrNull(filesystem, from)) !== null) return null;
  return node.entryId;
}

function isQuiet(
  folder: ObservedFolder,
  node: LocalNode,
  known: ReadonlyMap<string, NodeSketch>,
  isHeld: (entryId: EntryId) => boolean,
): boolean {
  if (node.state !== 'known' || node.identity !== folder.identity) return false;
  if (folder.items.size !== known.size) return false;
  for (const { name, kind, status } of folder.items.values()) {
    const child = known.get(name);
    if (child === undefined || child.kind !== kind) return false;
    const { identity } = status;
    const isFolder = kind === 'folder';
    const sizeBytes = kind === 'file' ? status.sizeBytes : 0;
    // A folder's times change with everything in it and say nothing that its listing does not.
    const fingerprint = isFolder ? '' : status.fingerprint;
    if (child.observation !== observationOf({ state: 'known', sizeBytes, identity, fingerprint }))
      return false;
    if (isHeld(child.entryId)) return false;
  }
  return true;
}

/**
 * A disk that folds names opens a folder by any spelling; only the one that its parent lists counts, and so for every
 * folder above it: some on the way may not have been read under that spelling.
 */
function dropOtherSpellings({ folders }: Collection): void {
  const dropped: string[] = [];
  for (const path of folders.keys()) if (hasOtherSpelling(folders, path)) dropped.push(path);
  for (const path of dropped) folders.delete(path);
}

function hasOtherSpelling(folders: ReadonlyMap<string, ObservedFolder>, path: string): boolean {
  for (let below = path; below !== ''; below = parentPath(below)) {
    const parent = parentPath(below);
    const name = below.slice(parent === '' ? 0 : parent.length + 1);
    if (folders.get(parent)?.items.has(name) === false) return true;
  }
  return false;
}

async function readFolder(
  { filesystem, local, rules, isDeselected, nowMs }: CollectDeps,
  path: string,
  rootDevice: string,
  collection: Collection,
): Promise<ObservedFolder | 'gone' | 'unreadable'> {
  let status = await statusOrNull(filesystem, path);
  if (typeof status === 'string' && path !== '' && (await isCertainlyGone(filesystem, path))) status = null;
  if (typeof status === 'string') {
    collection.unreadable.set(path, status);
    return 'unreadable';
  }
  if (status === null || status.kind !== 'folder') {
    collection.gone.add(path);
    return 'gone';
  }
  let listed: Awaited<ReturnType<Filesystem['list']>>;
  try {
    listed = await filesystem.list(path);
  } catch (error) {
    if (isCairnError(error, 'not-found') && path !== '') {
      collection.gone.add(path);
      return 'gone';
    }
    if (!isCairnError(error, 'local-io')) throw error;
    collection.unreadable.set(path, error.message);
    return 'unreadable';
  }
  const depth = path === '' ? 0 : path.split('/').length;
  // A disk that counts in seconds may give the next change the same time.
  const rested = nowMs - Number(status.changedAtNs / 1_000_000n) > COARSEST_TICK_MS;
  const fingerprint = rested ? status.fingerprint : null;
  const { identity } = status;
  const folder: ObservedFolder = { path, identity, fingerprint, items: new Map(), left: new Map() };
  for (const { name, unrepresentable, status: itemStatus } of listed) {
    if (unrepresentable) {
      folder.left.set(name, 'name-not-unicode');
    } else if (itemStatus === null) {
      collection.again.add(path);
    } else if (rules.isIgnored(joinPath(path, name), itemStatus.kind === 'folder')) {
      folder.left.set(name, 'ignored');
    } else if (isDeselected(joinPath(path, name)) && local.findByPath(joinPath(path, name)) === undefined) {
      folder.left.set(name, 'not-selected');
    } else if (findNameProblem(name) !== null) {
      folder.left.set(name, 'bad-name');
    } else if (itemStatus.kind === 'other') {
      folder.left.set(name, 'special-file');
    } else if (itemStatus.kind === 'folder' && itemStatus.device !== rootDevice) {
      folder.left.set(name, 'other-filesystem');
    } else if (depth + 1 > MAX_PATH_DEPTH) {
      folder.left.set(name, 'too-deep');
    } else {
      folder.items.set(name, { name, status: itemStatus, kind: itemStatus.kind });
    }
  }
  return folder;
}

/** The status, `null` for certain absence, or why it cannot be told. */
async function statusOrNull(filesystem: Filesystem, path: string): Promise<FileStatus | null | string> {
  try {
    return await filesystem.status(path);
  } catch (error) {
    if (!isCairnError(error, 'local-io')) throw error;
    return error.message;
  }
}
