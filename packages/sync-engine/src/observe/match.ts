import { type FileStatus, type Filesystem, isSameButRenamed } from '@cairn/filesystem';
import { type EntryId, isCairnError } from '@cairn/model';
import type { LocalNode } from '@cairn/planner';
import { joinPath, type LocalTree, observedFacts } from '../local-tree.ts';
import type { Collection, ObservedFolder, ObservedItem } from './collect.ts';

/** How what was read relates to what was known; nothing is changed until it is applied. */
export interface Matching {
  /** Nodes as they are now, parents before children. */
  readonly present: LocalNode[];
  /** Known nodes that are certainly gone from where they were and were not found elsewhere. */
  readonly vanished: EntryId[];
  /** Nodes about which nothing can be said now. */
  readonly unknown: EntryId[];
  /** Known nodes that the rules now leave alone, each with all that is below it. */
  readonly leftAlone: EntryId[];
  /** Folders with files that stay as they are known for now: they have to be looked at again. */
  readonly held: ReadonlySet<string>;
}

interface MatchDeps {
  readonly filesystem: Filesystem;
  readonly local: LocalTree;
  createEntryId(): EntryId;
  /** Whether what is known of the file stays as it is for now, whatever its disk says. */
  isHeld(file: { readonly entryId: EntryId }): boolean;
}

/**
 * Decides which known node each thing on disk is.
 *
 * Same place and same object: the node itself. Otherwise a known object that left its old place has moved here,
 * and an unknown object in a known file's place is a new content of that file (editors save by renaming a new
 * file over the old one). A known object that now stands in another file's place has overwritten it: the
 * overwritten entry keeps its id and history and gets the new content. A file whose place was taken by an unknown
 * object stays with its place, so that "rename to a backup, write anew" is one edit; a folder in that situation
 * goes with its object, since what is in it went along. Names of hard links are separate entries.
 */
export async function match(deps: MatchDeps, collection: Collection): Promise<Matching> {
  const { filesystem, local } = deps;
  const byIdentity = new Map<string, ObservedFolder>();
  const placesByIdentity = new Map<string, string[]>();
  for (const folder of collection.folders.values()) {
    byIdentity.set(folder.identity, folder);
    for (const item of folder.items.values()) {
      const places = placesByIdentity.get(item.status.identity) ?? [];
      places.push(joinPath(folder.path, item.name));
      placesByIdentity.set(item.status.identity, places);
    }
  }

  const claimed = new Set<EntryId>();
  const unknown = new Set<EntryId>();
  const present: LocalNode[] = [];
  const leftAlone: EntryId[] = [];
  const held = new Set<string>();
  const folderIds = new Map<string, EntryId>();

  for (const folder of [...collection.folders.values()].sort((a, b) => depthOf(a.path) - depthOf(b.path))) {
    const folderId = folderIds.get(folder.path) ?? local.findByPath(folder.path)?.entryId;
    if (folderId === undefined) continue;
    const known = childrenByName(local, folderId);
    for (const [name, reason] of folder.left) {
      const node = known.get(name);
      if (node === undefined) continue;
      claimed.add(node.entryId);
      if (reason === 'ignored') leftAlone.push(node.entryId);
      else unknown.add(node.entryId);
    }
    // Exact matches first, so that nothing else takes their nodes.
    const rest: ObservedItem[] = [];
    for (const item of folder.items.values()) {
      const node = known.get(item.name);
      if (node !== undefined && node.identity === item.status.identity && node.kind === item.kind) {
        take(node, folder, folderId, item);
      } else {
        rest.push(item);
      }
    }
    for (const item of rest) {
      const node = await identify(folder, item, known.get(item.name));
      if (node === null) create(folder, folderId, item);
      else take(node, folder, folderId, item);
    }
  }
  for (const path of collection.unreadable.keys()) {
    const id = folderIds.get(path) ?? local.findByPath(path)?.entryId;
    if (id !== undefined) unknown.add(id);
  }

  const vanished: EntryId[] = [];
  /** Names in folders that were not read whole, of which it is not known whether they are free. */
  const taken = new Map<EntryId, Set<string>>();
  for (const folder of collection.folders.values()) {
    const folderId = folderIds.get(folder.path) ?? local.findByPath(folder.path)?.entryId;
    if (folderId === undefined) continue;
    const isWhole = !collection.again.has(folder.path);
    for (const id of local.children(folderId)) {
      if (claimed.has(id)) continue;
      if (isWhole) vanished.push(id);
      else note(folderId, local.sketch(id)?.name ?? '');
    }
  }
  return { present: withoutTaken(), vanished, unknown: [...unknown], leftAlone, held };

  /**
   * Two nodes of one name would look like a conflict: what came to such a name waits for the next look, and where it was
   * known to be is taken as well.
   */
  function withoutTaken(): LocalNode[] {
    let kept = present;
    if (taken.size === 0) return kept;
    const waiting = new Set<EntryId>();
    for (let before = -1; before !== kept.length; ) {
      before = kept.length;
      kept = kept.filter(({ entryId, parentId, name }) => {
        if (parentId === null || !(taken.get(parentId)?.has(name) === true || waiting.has(parentId)))
          return true;
        const known = local.sketch(entryId);
        if (known === undefined) waiting.add(entryId);
        // In its own place it is no newcomer.
        else if (known.parentId === parentId && known.name === name) return true;
        else if (known.parentId !== null) note(known.parentId, known.name);
        return false;
      });
    }
    return kept;
  }

  function note(folderId: EntryId, name: string): void {
    const names = taken.get(folderId);
    if (names === undefined) taken.set(folderId, new Set([name]));
    else names.add(name);
  }

  function take(node: LocalNode, folder: ObservedFolder, folderId: EntryId, item: ObservedItem): void {
    claimed.add(node.entryId);
    if (item.kind === 'folder') folderIds.set(joinPath(folder.path, item.name), node.entryId);
    if (node.identity === item.status.identity && deps.isHeld(node)) {
      held.add(folder.path);
      return;
    }
    // That its name is seen does not make a folder known whose content could not be read.
    const isListed = item.kind !== 'folder' || collection.folders.has(joinPath(folder.path, item.name));
    const next = refresh(node, folderId, item, isListed ? 'known' : node.state);
    if (next !== node) present.push(next);
  }

  function create(folder: ObservedFolder, folderId: EntryId, item: ObservedItem): void {
    const entryId = deps.createEntryId();
    claimed.add(entryId);
    if (item.kind === 'folder') folderIds.set(joinPath(folder.path, item.name), entryId);
    present.push({
      entryId,
      parentId: folderId,
      name: item.name,
      kind: item.kind,
      ...facts(item),
      content: null,
      state: 'known',
    });
  }

  /** The known node that an item is although it is not exactly where and what it was; `null` for a new one. */
  async function identify(
    folder: ObservedFolder,
    item: ObservedItem,
    inPlace: LocalNode | undefined,
  ): Promise<LocalNode | null> {
    const path = joinPath(folder.path, item.name);
    const occupant = inPlace !== undefined && !claimed.has(inPlace.entryId) ? inPlace : undefined;
    const moved = local.findByIdentity(item.status.identity);
    if (
      moved !== undefined &&
      moved.kind === item.kind &&
      isCertainlySame(moved, item) &&
      !claimed.has(moved.entryId) &&
      (await hasLeft(moved))
    ) {
      const overwrites =
        occupant !== undefined &&
        occupant.kind === item.kind &&
        item.kind !== 'folder' &&
        !isElsewhere(occupant, path);
      return overwrites ? occupant : moved;
    }
    if (occupant === undefined || occupant.kind !== item.kind) return null;
    return item.kind === 'folder' && isElsewhere(occupant, path) ? null : occupant;
  }

  /** Where the identity may be that of a deleted file, only what a rename leaves as it was counts as moved. */
  function isCertainlySame(node: LocalNode, item: ObservedItem): boolean {
    if (filesystem.capabilities.birthTimes || item.kind === 'folder') return true;
    return isSameButRenamed(node.fingerprint, item.status.fingerprint);
  }

  function isElsewhere(node: LocalNode, path: string): boolean {
    if ((placesByIdentity.get(node.identity) ?? []).some((place) => place !== path)) return true;
    for (const id of local.allByIdentity(node.identity)) {
      const parentId = id === node.entryId ? undefined : local.sketch(id)?.parentId;
      if (parentId != null && collection.quiet.has(parentId)) return true;
    }
    return false;
  }

  /** Whether a known object is no longer at its recorded place, nor replaced there by a newer object of its own. */
  async function hasLeft(node: LocalNode): Promise<boolean> {
    if (node.parentId !== null && collection.quiet.has(node.parentId)) return false;
    const there = await lookAtOldPlace(node);
    if (there === 'unreadable') return false;
    if (there === null) return true;
    if (there.identity === node.identity) return false;
    if (node.kind === 'folder' || there.kind !== node.kind) return true;
    return local.findByIdentity(there.identity) !== undefined;
  }

  async function lookAtOldPlace(node: LocalNode): Promise<FileStatus | null | 'unreadable'> {
    const parent = node.parentId === null ? undefined : local.get(node.parentId);
    if (parent === undefined) return null;
    const folder = byIdentity.get(parent.identity);
    if (folder !== undefined) return folder.items.get(node.name)?.status ?? null;
    const path = local.path(node.entryId);
    if (path === null) return null;
    try {
      return await filesystem.status(path);
    } catch (error) {
      if (!isCairnError(error, 'local-io')) throw error;
      return 'unreadable';
    }
  }
}

function depthOf(path: string): number {
  return path === '' ? 0 : path.split('/').length;
}

function childrenByName(local: LocalTree, folderId: EntryId): Map<string, LocalNode> {
  const children = new Map<string, LocalNode>();
  for (const id of local.children(folderId)) {
    const node = local.get(id);
    if (node !== undefined) children.set(node.name, node);
  }
  return children;
}

function facts(item: ObservedItem): ReturnType<typeof observedFacts> {
  const observed = observedFacts(item.status);
  // A folder's times change with everything in it and say nothing that its listing does not.
  return item.kind === 'folder' ? { ...observed, fingerprint: '' } : observed;
}

/** The node with what was observed; the same object when nothing changed. */
function refresh(
  node: LocalNode,
  parentId: EntryId,
  item: ObservedItem,
  state: LocalNode['state'],
): LocalNode {
  const observed = facts(item);
  const samePlace = node.parentId === parentId && node.name === item.name;
  const sameObject = node.identity === observed.identity && node.fingerprint === observed.fingerprint;
  if (samePlace && sameObject && node.state === state) return node;
  if (sameObject) return { ...node, parentId, name: item.name, state };
  return { ...node, parentId, name: item.name, ...observed, content: null, state };
}
