import type { FileStatus } from '@cairn/filesystem';
import { type EntryId, foldName, MAX_PATH_DEPTH } from '@cairn/model';
import type { LocalNode, TreeReader } from '@cairn/planner';
import { identityOf, type NodeSketch, type ObservedTree } from '@cairn/tree-store';
import { IdentityIndex } from './identity-index.ts';

/** Largest distance from 1970 that we keep, in microseconds: what a double holds exactly. */
const MAX_MICROSECONDS = BigInt(Number.MAX_SAFE_INTEGER);

/** Whole microseconds of a nanosecond instant, rounded down and kept within the exact range. */
export function toMicroseconds(ns: bigint): number {
  let us = ns / 1000n;
  if (ns < 0n && us * 1000n !== ns) us -= 1n;
  if (us > MAX_MICROSECONDS) us = MAX_MICROSECONDS;
  if (us < -MAX_MICROSECONDS) us = -MAX_MICROSECONDS;
  return Number(us);
}

interface Placed {
  readonly parentId: EntryId | null;
  readonly name: string;
}

/**
 * Path of an entry in a tree, `''` for the root; `null` when an ancestor is missing (a tree that is just being
 * filled).
 */
export function pathIn(tree: TreeReader<Placed>, rootId: EntryId, entryId: EntryId): string | null {
  let path = '';
  let id = entryId;
  for (let depth = 0; id !== rootId; depth++) {
    const node = tree.get(id);
    if (node === undefined || node.parentId === null || depth > 2 * MAX_PATH_DEPTH) return null;
    path = depth === 0 ? node.name : `${node.name}/${path}`;
    id = node.parentId;
  }
  return path;
}

/** Ids of an entry's subtree, parents before children, without the entry itself. */
export function descendantsIn(tree: Pick<TreeReader<unknown>, 'children'>, entryId: EntryId): EntryId[] {
  const found: EntryId[] = [];
  const open: EntryId[] = [entryId];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    for (const child of tree.children(id)) {
      found.push(child);
      open.push(child);
    }
  }
  return found;
}

export function joinPath(folder: string, name: string): string {
  return folder === '' ? name : `${folder}/${name}`;
}

export function parentPath(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? '' : path.slice(0, slash);
}

/**
 * The local tree with an index by identity on disk, so that a rename is seen as one. Everything in the engine
 * that changes the local tree goes through here.
 */
export class LocalTree {
  readonly #tree: ObservedTree;
  readonly rootId: EntryId;
  /** Made when it is asked for first: a start that finds everything as it was never does. */
  #byIdentity: IdentityIndex | null = null;
  /** All nodes of an object that has several: names of a hard link, or an object on its way to another place. */
  readonly #sharing = new Map<string, Set<EntryId>>();

  constructor(tree: ObservedTree, rootId: EntryId) {
    this.#tree = tree;
    this.rootId = rootId;
  }

  get reader(): TreeReader<LocalNode> {
    return this.#tree;
  }

  get(entryId: EntryId): LocalNode | undefined {
    return this.#tree.get(entryId);
  }

  children(parentId: EntryId): Iterable<EntryId> {
    return this.#tree.children(parentId);
  }

  /** The node that was last seen with this identity on disk. */
  findByIdentity(identity: string): LocalNode | undefined {
    const id = this.#identities().get(identity);
    return id === undefined ? undefined : this.#tree.get(id);
  }

  /** Every node that was last seen with this identity: more than one for hard links. */
  allByIdentity(identity: string): Iterable<EntryId> {
    const one = this.#identities().get(identity);
    return this.#sharing.get(identity) ?? (one === undefined ? [] : [one]);
  }

  sketch(entryId: EntryId): NodeSketch | undefined {
    return this.#tree.sketch(entryId);
  }

  /** Sketches of all that is in a folder. */
  childSketches(parentId: EntryId): NodeSketch[] {
    return this.#tree.childSketches(parentId);
  }

  /** Every node, in no particular order, without the cost of making it. */
  sketches(): Iterable<NodeSketch> {
    return this.#tree.sketches();
  }

  findChild(parentId: EntryId, name: string): LocalNode | undefined {
    const candidates = this.#tree.childrenNamed?.(parentId, foldName(name)) ?? this.#tree.children(parentId);
    for (const id of candidates) {
      const node = this.#tree.get(id);
      if (node !== undefined && node.name === name) return node;
    }
    return undefined;
  }

  findByPath(path: string): LocalNode | undefined {
    let node = this.#tree.get(this.rootId);
    if (path === '') return node;
    for (const name of path.split('/')) {
      if (node === undefined) return undefined;
      node = this.findChild(node.entryId, name);
    }
    return node;
  }

  put(node: LocalNode): void {
    const before = this.#tree.get(node.entryId);
    if (before !== undefined && before.identity !== node.identity) this.#forgetIdentity(before);
    this.#tree.put(node);
    this.#noteIdentity(node.identity, node.entryId);
  }

  delete(entryId: EntryId): void {
    const node = this.#tree.get(entryId);
    if (node === undefined) return;
    this.#forgetIdentity(node);
    this.#tree.delete(entryId);
  }

  /** Removes the entry and everything below it. */
  deleteSubtree(entryId: EntryId): void {
    for (const id of descendantsIn(this.#tree, entryId).reverse()) this.delete(id);
    this.delete(entryId);
  }

  /** Gives a node another id; its children follow. */
  rename(entryId: EntryId, newId: EntryId, changes: Partial<LocalNode> = {}): void {
    const node = this.#tree.get(entryId);
    if (node === undefined) return;
    const children = [...this.#tree.children(entryId)];
    this.delete(entryId);
    this.put({ ...node, ...changes, entryId: newId });
    for (const childId of children) {
      const child = this.#tree.get(childId);
      if (child !== undefined) this.put({ ...child, parentId: newId });
    }
  }

  path(entryId: EntryId): string | null {
    return pathIn(this.#tree, this.rootId, entryId);
  }

  #identities(): IdentityIndex {
    if (this.#byIdentity === null) {
      this.#byIdentity = new IdentityIndex((entryId) => {
        const observation = this.#tree.sketch(entryId)?.observation ?? null;
        return observation === null ? null : identityOf(observation);
      });
      for (const { entryId, observation } of this.#tree.sketches())
        if (observation !== null) this.#noteIdentity(identityOf(observation), entryId);
    }
    return this.#byIdentity;
  }

  #noteIdentity(identity: string, entryId: EntryId): void {
    if (this.#byIdentity === null) return;
    const before = this.#byIdentity.get(identity);
    this.#byIdentity.set(identity, entryId);
    if (before === undefined || before === entryId) return;
    const sharing = this.#sharing.get(identity) ?? new Set([before]);
    sharing.add(entryId);
    this.#sharing.set(identity, sharing);
  }

  #forgetIdentity(node: LocalNode): void {
    if (this.#byIdentity === null) return;
    const { identity, entryId } = node;
    const sharing = this.#sharing.get(identity);
    sharing?.delete(entryId);
    const isLatest = this.#byIdentity.get(identity) === entryId;
    if (sharing !== undefined && sharing.size <= 1) this.#sharing.delete(identity);
    if (!isLatest) return;
    const [other] = sharing ?? [];
    if (other === undefined) this.#byIdentity.delete(identity);
    else this.#byIdentity.set(identity, other);
  }
}

/** What a status says about a node's place-independent facts. */
export function observedFacts(
  status: FileStatus,
): Pick<LocalNode, 'identity' | 'fingerprint' | 'sizeBytes' | 'executable' | 'modifiedAtUs' | 'target'> {
  return {
    identity: status.identity,
    fingerprint: status.fingerprint,
    sizeBytes: status.kind === 'file' ? status.sizeBytes : 0,
    executable: status.kind === 'file' && status.executable,
    modifiedAtUs: status.kind === 'folder' ? 0 : toMicroseconds(status.modifiedAtNs),
    target: status.target,
  };
}

/**
 * Where a file has more names that were last seen with other bytes or times: who writes through one name of a hard
 * link changes them all, and the disk tells of the one only.
 */
export function* foldersOfOtherNames(
  local: LocalTree,
  { entryId, kind, identity, fingerprint }: LocalNode,
): Generator<string> {
  if (kind !== 'file') return;
  for (const id of local.allByIdentity(identity)) {
    const parentId = id === entryId ? null : local.sketch(id)?.parentId;
    if (parentId == null || local.get(id)?.fingerprint === fingerprint) continue;
    const path = local.path(parentId);
    if (path !== null) yield path;
  }
}
