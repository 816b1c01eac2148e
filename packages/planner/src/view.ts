import { type EntryId, findNameProblem, findReservedName, foldName, MAX_PATH_DEPTH } from '@cairn/model';
import { compareContents, samePlace } from './differences.ts';
import type { LeftOut, PlanIssue, PlanOptions } from './plan.ts';
import type { LocalNode, RemoteNode, SyncedNode, TreeReader, Trees } from './trees.ts';

/**
 * Questions about the three trees that look beyond one entry: can we see it, who sits on a name, where will an
 * entry be in the merged tree, and will it be there at all. Answers are computed when asked and remembered, so
 * a plan for a few entries costs little in a large tree.
 */
export interface View {
  readonly trees: Trees;
  readonly options: PlanOptions;
  remote(id: EntryId): RemoteNode | undefined;
  local(id: EntryId): LocalNode | undefined;
  synced(id: EntryId): SyncedNode | undefined;
  /** Why nothing may be done to a local node (or below it); `null` when all is well. */
  blocked(id: EntryId): PlanIssue['code'] | null;
  /** Whether a folder's listing is known, so that what is not in it is absent. */
  seesInto(folderId: EntryId): boolean;
  /** Whether an entry that the local tree lacks was really removed. */
  absenceIsKnown(id: EntryId): boolean;
  /** Ids on a name, under folding, smallest first. */
  remoteNamed(parentId: EntryId, name: string): readonly EntryId[];
  localNamed(parentId: EntryId, name: string): readonly EntryId[];
  target(id: EntryId): Target;
  /** Whether this device leaves an entry out, by where it belongs; `null` when it does not. */
  leftOut(id: EntryId): LeftOut | null;
  presence(id: EntryId): Presence;
  /** Whether an entry that was removed here stays because the server moved a folder around it. */
  carriedByRemoteMove(id: EntryId): boolean;
  /** Moves that would put a folder inside itself once the server's moves are applied too: they yield. */
  yieldMoves(ids: readonly EntryId[]): void;
  /** Whether an entry's own move is one of those. */
  yields(id: EntryId): boolean;
  /** The server's conflict copies in a folder, smallest id first. */
  conflictCopies(folderId: EntryId): readonly RemoteNode[];
  /** Whether the later of two edits becomes current in this folder, instead of becoming a conflict copy. */
  lastWriteWins(folderId: EntryId): boolean;
}

/** Where an entry belongs. `up`: the disk says so and the server must follow; `down`: the reverse. */
export interface Target {
  readonly parentId: EntryId;
  readonly name: string;
  readonly side: 'up' | 'down' | 'agreed' | 'blocked';
}

/** Whether an entry is in the merged tree. `undecided`: something must be learnt first, or cannot be seen. */
export type Presence = 'stays' | 'goes' | 'undecided';

export function compareIds(first: string, second: string): number {
  return first < second ? -1 : first > second ? 1 : 0;
}

/** Paths longer than this go round. */
const MAX_MERGED_DEPTH = 2 * MAX_PATH_DEPTH;

export function createView(trees: Trees, options: PlanOptions): View {
  const { rootId } = trees;
  const remote = (id: EntryId) => trees.remote.get(id);
  const local = (id: EntryId) => trees.local.get(id);
  const synced = (id: EntryId) => trees.synced.get(id);
  const moved = (one: RemoteNode | LocalNode, other: SyncedNode) =>
    !samePlace(one, other, options.foldsNames);

  const standings = new Map<EntryId, { issue: PlanIssue['code'] | null; depth: number }>();
  function standing(id: EntryId): { issue: PlanIssue['code'] | null; depth: number } {
    const known = standings.get(id);
    if (known !== undefined) return known;
    const chain: LocalNode[] = [];
    let at: EntryId | null = id;
    let above: { issue: PlanIssue['code'] | null; depth: number } | undefined;
    for (;;) {
      above = at === null ? undefined : standings.get(at);
      if (above !== undefined) break;
      const node: LocalNode | undefined = at === null ? undefined : local(at);
      if (at === rootId) {
        above = { issue: node?.state === 'unknown' ? 'unreadable' : null, depth: 0 };
        standings.set(rootId, above);
        break;
      }
      if (node === undefined || chain.length > trees.local.size) {
        above = { issue: 'waiting-for-parent', depth: 0 };
        break;
      }
      chain.push(node);
      at = node.parentId;
    }
    for (const node of chain.reverse()) {
      above = { issue: standingBelow(above, node), depth: above.depth + 1 };
      standings.set(node.entryId, above);
    }
    return above;
  }
  const blocked = (id: EntryId) => standing(id).issue;
  function seesInto(folderId: EntryId): boolean {
    return blocked(folderId) === null;
  }

  function absenceIsKnown(id: EntryId): boolean {
    let at = synced(id)?.parentId ?? null;
    for (let steps = 0; at !== null && at !== rootId && steps <= trees.synced.size; steps++) {
      if (local(at) !== undefined) return seesInto(at);
      at = synced(at)?.parentId ?? null;
    }
    return seesInto(rootId);
  }

  const targets = new Map<EntryId, Target>();
  const yielding = new Set<EntryId>();
  function findTarget(id: EntryId): Target {
    const r = remote(id);
    const l = local(id);
    const s = synced(id);
    if (r === undefined) {
      return { parentId: l?.parentId ?? rootId, name: l?.name ?? '', side: 'up' };
    }
    const place = { parentId: r.parentId ?? rootId, name: r.name };
    if (l === undefined) return { ...place, side: 'down' };
    if (samePlace(r, l, options.foldsNames)) return { ...place, side: 'agreed' };
    if (blocked(id) !== null) return { ...place, side: 'blocked' };
    if (s !== undefined && !moved(r, s) && !yielding.has(id)) {
      return { parentId: l.parentId ?? rootId, name: l.name, side: 'up' };
    }
    return { ...place, side: 'down' };
  }
  function target(id: EntryId): Target {
    const known = targets.get(id);
    if (known !== undefined) return known;
    const found = findTarget(id);
    targets.set(id, found);
    return found;
  }

  /** Of folders: most of what is asked about lies in the same few. */
  const folderPaths = new Map<EntryId, { readonly path: string; readonly depth: number } | null>();
  function folderPath(id: EntryId): { readonly path: string; readonly depth: number } | null {
    const known = folderPaths.get(id);
    if (known !== undefined) return known;
    const names: string[] = [];
    let at = id;
    for (; at !== rootId && names.length <= MAX_MERGED_DEPTH; at = target(at).parentId)
      names.push(target(at).name);
    const found = at === rootId ? { path: names.reverse().join('/'), depth: names.length } : null;
    folderPaths.set(id, found);
    return found;
  }
  /** Where an entry is in the merged tree; `null` while moves go round in it. */
  function mergedPath(id: EntryId): string | null {
    const { parentId, name } = target(id);
    if (parentId === rootId) return name;
    const folder = folderPath(parentId);
    return folder === null || folder.depth > MAX_MERGED_DEPTH ? null : `${folder.path}/${name}`;
  }
  const reserved = options.reservedNames ?? 'none';
  function leavesOut(path: string, isFolder: boolean): LeftOut | null {
    if (reserved !== 'none' && path.split('/').some((name) => findReservedName(name, reserved) !== null))
      return 'not-possible';
    return options.leavesOut?.(path, isFolder) ?? null;
  }
  const leaves = new Map<EntryId, LeftOut | null>();
  function leftOut(id: EntryId): LeftOut | null {
    if ((options.leavesOut === undefined && reserved === 'none') || id === rootId) return null;
    const known = leaves.get(id);
    if (known !== undefined) return known;
    const node = remote(id) ?? local(id);
    const path = node === undefined ? null : mergedPath(id);
    const found = path === null || node === undefined ? null : leavesOut(path, node.kind === 'folder');
    // What is still synced moves to its ignored place like anything else; only then it is left alone. Where the
    // folder around that place is left out, too, there is nothing here to move into.
    const moves = found === 'ignored' && local(id) !== undefined && leftOut(target(id).parentId) === null;
    const answer = moves ? null : found;
    leaves.set(id, answer);
    return answer;
  }

  function entersItself(id: EntryId): boolean {
    const seen = new Set<EntryId>([id]);
    for (let at = target(id).parentId; at !== rootId; at = target(at).parentId) {
      if (at === id) return true;
      if (seen.has(at)) return false;
      seen.add(at);
    }
    return false;
  }
  function yieldMoves(ids: readonly EntryId[]): void {
    const movers = ids.filter(
      (id) => local(id)?.kind === 'folder' && remote(id) !== undefined && target(id).side === 'up',
    );
    for (let changed = true; changed; ) {
      const found = movers.filter((id) => !yielding.has(id) && entersItself(id));
      for (const id of found) yielding.add(id);
      for (const id of found) targets.delete(id);
      // What was in such a folder is elsewhere now.
      if (found.length > 0) {
        leaves.clear();
        folderPaths.clear();
      }
      changed = found.length > 0;
    }
  }

  /** An unchanged entry in a folder that the server removed and that was renamed or moved here: it stays too. */
  function carriedByLocalMove(id: EntryId): boolean {
    for (let at = id; ; ) {
      const parentId = synced(at)?.parentId ?? rootId;
      const parent = local(parentId);
      if (parentId === rootId || parent === undefined || remote(parentId) !== undefined) return false;
      const base = synced(parentId);
      if (base === undefined || moved(parent, base)) return true;
      at = parentId;
    }
  }
  /** The mirror image: removed here, while the server renamed or moved a folder around it. */
  function carriedByRemoteMove(id: EntryId): boolean {
    for (let at = id; ; ) {
      const parentId = synced(at)?.parentId ?? rootId;
      const parent = remote(parentId);
      if (parentId === rootId || parent === undefined || local(parentId) !== undefined) return false;
      const base = synced(parentId);
      if (base === undefined || moved(parent, base)) return true;
      at = parentId;
    }
  }

  const presences = new Map<EntryId, Presence>();
  function presenceByChildren(id: EntryId, tree: TreeReader<unknown>): Presence {
    let result: Presence = 'goes';
    for (const child of tree.children(id)) {
      if (target(child).parentId !== id) continue;
      const found = presence(child);
      if (found === 'stays') return 'stays';
      if (found === 'undecided') result = 'undecided';
    }
    return result;
  }
  function findPresence(id: EntryId): Presence {
    const r = remote(id);
    const l = local(id);
    const s = synced(id);
    if (l !== undefined && blocked(id) !== null) return 'undecided';
    if (s === undefined || (r !== undefined && l !== undefined)) return 'stays';
    if (r !== undefined && leftOut(id) !== null) return 'stays';
    if (l !== undefined) {
      if (moved(l, s)) return 'stays';
      const contents = compareContents(l, s);
      if (contents === 'different' || carriedByLocalMove(id)) return 'stays';
      if (contents === 'unknown') return 'undecided';
      return l.kind === 'folder' ? presenceByChildren(id, trees.local) : 'goes';
    }
    if (r === undefined) return 'goes';
    if (!absenceIsKnown(id)) return 'undecided';
    if (moved(r, s) || compareContents(r, s) !== 'same' || carriedByRemoteMove(id)) return 'stays';
    return r.kind === 'folder' ? presenceByChildren(id, trees.remote) : 'goes';
  }
  function presence(id: EntryId): Presence {
    if (id === rootId) return 'stays';
    const known = presences.get(id);
    if (known !== undefined) return known;
    const found = findPresence(id);
    presences.set(id, found);
    return found;
  }

  /** What the nearest folder says that says anything, as the server knows them. */
  const policies = new Map<EntryId, boolean>();
  function lastWriteWins(folderId: EntryId): boolean {
    const known = policies.get(folderId);
    if (known !== undefined) return known;
    const wins = findLastWriteWins(folderId);
    policies.set(folderId, wins);
    return wins;
  }
  function findLastWriteWins(folderId: EntryId): boolean {
    let at: EntryId | null = folderId;
    for (let steps = 0; at !== null && steps <= trees.remote.size; steps++) {
      const folder: RemoteNode | undefined = remote(at);
      if (folder?.kind === 'folder' && folder.conflictPolicy !== undefined) {
        return folder.conflictPolicy === 'last-write-wins';
      }
      at = folder?.parentId ?? null;
    }
    return false;
  }

  const copies = new Map<EntryId, readonly RemoteNode[]>();
  function conflictCopies(folderId: EntryId): readonly RemoteNode[] {
    const known = copies.get(folderId);
    if (known !== undefined) return known;
    const children = [...trees.remote.children(folderId)].sort(compareIds).map(remote);
    const found = children.filter(
      (node) => node !== undefined && node.kind !== 'folder' && node.conflictOf !== undefined,
    ) as RemoteNode[];
    copies.set(folderId, found);
    return found;
  }

  const remoteNames = createNameIndex(trees.remote);
  const localNames = createNameIndex(trees.local);
  return {
    trees,
    options,
    remote,
    local,
    synced,
    blocked,
    seesInto,
    absenceIsKnown,
    remoteNamed: (parentId, name) => remoteNames(parentId, foldName(name)),
    localNamed: (parentId, name) => localNames(parentId, foldName(name)),
    target,
    leftOut,
    presence,
    carriedByRemoteMove,
    yieldMoves,
    yields: (id) => yielding.has(id),
    lastWriteWins,
    conflictCopies,
  };
}

function standingBelow(
  above: { readonly issue: PlanIssue['code'] | null; readonly depth: number },
  node: LocalNode,
): PlanIssue['code'] | null {
  if (above.issue === 'unreadable' || above.issue === 'parent-unreadable') return 'parent-unreadable';
  if (node.state === 'unknown') return 'unreadable';
  if (above.issue !== null) return above.issue === 'too-deep' ? 'too-deep' : 'waiting-for-parent';
  if (findNameProblem(node.name) !== null) return 'bad-local-name';
  return above.depth + 1 > MAX_PATH_DEPTH ? 'too-deep' : null;
}

function createNameIndex(
  tree: TreeReader<{ readonly name: string }>,
): (parentId: EntryId, folded: string) => readonly EntryId[] {
  const folders = new Map<EntryId, Map<string, EntryId[]>>();
  return (parentId, folded) => {
    if (tree.childrenNamed !== undefined) {
      const found = tree.childrenNamed(parentId, folded);
      // Mostly one, or none: nothing to put in order.
      if (Array.isArray(found) && found.length <= 1) return found;
      return [...found].sort(compareIds);
    }
    let names = folders.get(parentId);
    if (names === undefined) {
      names = new Map();
      for (const child of [...tree.children(parentId)].sort(compareIds)) {
        const key = foldName(tree.get(child)?.name ?? '');
        const sharing = names.get(key);
        if (sharing === undefined) names.set(key, [child]);
        else sharing.push(child);
      }
      folders.set(parentId, names);
    }
    return names.get(folded) ?? [];
  };
}
