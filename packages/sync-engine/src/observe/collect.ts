import type { FileStatus, Filesystem, ListedItem, ListingAhead } from '@cairn/filesystem';
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
  /** What was listed before anybody asked: proves of a folder that it is quiet, and nothing else. */
  readonly ahead?: ListingAhead | null;
}

export interface CollectDeps {
  readonly filesystem: Filesystem;
  readonly local: LocalTree;
  readonly rules: IgnoreRules;
  /** Whether this device is not to hold what is at the path. What it still holds is looked at all the same. */
  isDeselected(path: string): boolean;
  /**
   * Whether what is known of the file stays as it is for now, whatever its disk says. Asked about every file: its id is looked
   * at only if any is held.
   */
  isHeld(file: { readonly entryId: EntryId }): boolean;
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

  const rootDevice = root?.device ?? '';
  for (const path of open) {
    if (collection.folders.has(path)) continue;
    const status = await statusOfFolder(deps, path, collection);
    const isThere = typeof status !== 'string';
    const node = local.findByPath(path);
    const children = node === undefined ? [] : local.childSketches(node.entryId);
    const known = new Map<string, NodeSketch>();
    for (const child of children) known.set(child.name, child);
    const isUnique = known.size === children.length;
    if (isThere && request.ahead != null && request.recursive && canBeQuiet && isUnique && node) {
      const quiet = await findQuietAhead(deps, request.ahead, { path, status, node, known, rootDevice });
      if (quiet !== null) {
        collection.quiet.set(node.entryId, quiet.folder);
        for (const name of quiet.subfolders) open.add(joinPath(path, name));
        continue;
      }
    }
    const folder = isThere ? await readFolder(deps, path, status, rootDevice, collection) : status;
    if (folder === 'gone') {
      if (path !== '') open.add(nearestKnown(local, parentPath(path)));
      continue;
    }
    if (folder === 'unreadable') continue;
    const agrees = isUnique && !collection.again.has(path);
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
  isHeld: CollectDeps['isHeld'],
): boolean {
  if (node.state !== 'known' || node.identity !== folder.identity) return false;
  if (folder.items.size !== known.size) return false;
  for (const { name, kind, status } of folder.items.values()) {
    const child = known.get(name);
    if (child === undefined || !isAsKnown(child, kind, status) || isHeld(child)) return false;
  }
  return true;
}

function isAsKnown(
  child: NodeSketch,
  kind: EntryKind,
  { sizeBytes, identity, fingerprint }: Pick<FileStatus, 'sizeBytes' | 'identity' | 'fingerprint'>,
): boolean {
  if (child.kind !== kind) return false;
  const observed = observationOf({
    state: 'known',
    sizeBytes: kind === 'file' ? sizeBytes : 0,
    identity,
    // A folder's times change with everything in it and say nothing that its listing does not.
    fingerprint: kind === 'folder' ? '' : fingerprint,
  });
  return child.observation === observed;
}

interface KnownFolder {
  readonly path: string;
  /** As it is now. */
  readonly status: FileStatus;
  readonly node: LocalNode;
  readonly known: ReadonlyMap<string, NodeSketch>;
  readonly rootDevice: string;
}

/**
 * The folder, if what was listed ahead says that it is quiet. Its names are still those that were listed: its own status
 * is. That its files are, too, is known from there having been no hint.
 */
async function findQuietAhead(
  deps: CollectDeps,
  ahead: ListingAhead,
  { path, status, node, known, rootDevice }: KnownFolder,
): Promise<{ folder: QuietFolder; subfolders: string[] } | null> {
  if (node.state !== 'known' || node.identity !== status.identity) return null;
  const listed = await ahead.take(path);
  if (listed === null || listed.identity !== status.identity || listed.fingerprint !== status.fingerprint)
    return null;
  // What it was like when it was listed it may have become in the same tick.
  if (!isRested(status, ahead.startedAtMs)) return null;
  const left = new Map<string, UnsyncedReason>();
  const subfolders: string[] = [];
  let items = 0;
  for (const item of listed.items()) {
    const kind = kindOrReason(deps, path, item, rootDevice);
    if (!isKind(kind)) {
      left.set(item.name, kind);
      continue;
    }
    const child = known.get(item.name);
    if (child === undefined || !isAsKnown(child, kind, item) || deps.isHeld(child)) return null;
    if (kind === 'folder') subfolders.push(item.name);
    items++;
  }
  if (items !== known.size) return null;
  const fingerprint = isRested(status, deps.nowMs) ? status.fingerprint : null;
  return { folder: { path, fingerprint, items, left }, subfolders };
}

/** A disk that counts in seconds may give the next change the same time. */
function isRested({ changedAtNs }: FileStatus, atMs: number): boolean {
  return atMs - Number(changedAtNs / 1_000_000n) > COARSEST_TICK_MS;
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

async function statusOfFolder(
  { filesystem }: CollectDeps,
  path: string,
  collection: Collection,
): Promise<FileStatus | 'gone' | 'unreadable'> {
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
  return status;
}

async function readFolder(
  deps: CollectDeps,
  path: string,
  status: FileStatus,
  rootDevice: string,
  collection: Collection,
): Promise<ObservedFolder | 'gone' | 'unreadable'> {
  const { filesystem, nowMs } = deps;
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
  const fingerprint = isRested(status, nowMs) ? status.fingerprint : null;
  const { identity } = status;
  const folder: ObservedFolder = { path, identity, fingerprint, items: new Map(), left: new Map() };
  for (const { name, unrepresentable, status: itemStatus } of listed) {
    if (unrepresentable) {
      folder.left.set(name, 'name-not-unicode');
    } else if (itemStatus === null) {
      collection.again.add(path);
    } else {
      const { kind: fileKind, device } = itemStatus;
      const kind = kindOrReason(deps, path, { name, kind: fileKind, device }, rootDevice);
      if (isKind(kind)) folder.items.set(name, { name, status: itemStatus, kind });
      else folder.left.set(name, kind);
    }
  }
  return folder;
}

/** What an item in a folder can be synced as, or why it is left alone. */
function kindOrReason(
  { rules, local, isDeselected }: CollectDeps,
  folder: string,
  { name, kind, device }: Pick<ListedItem, 'name' | 'kind' | 'device'>,
  rootDevice: string,
): EntryKind | UnsyncedReason {
  const path = joinPath(folder, name);
  if (rules.isIgnored(path, kind === 'folder')) return 'ignored';
  if (isDeselected(path) && local.findByPath(path) === undefined) return 'not-selected';
  if (findNameProblem(name) !== null) return 'bad-name';
  if (kind === 'other') return 'special-file';
  if (kind === 'folder' && device !== rootDevice) return 'other-filesystem';
  // Shorter ones cannot be.
  const isDeep = folder.length > MAX_PATH_DEPTH && folder.split('/').length >= MAX_PATH_DEPTH;
  return isDeep ? 'too-deep' : kind;
}

function isKind(kind: EntryKind | UnsyncedReason): kind is EntryKind {
  return kind === 'file' || kind === 'folder' || kind === 'link';
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
