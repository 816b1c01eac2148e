import type { EntryId } from '@cairn/model';
import type { Tree } from '../tree-store.ts';
import type { NodeCodec, PackedNode } from './packed-node.ts';

/** What a flush has to write of one tree. */
export interface TreeChanges {
  /** Everything that was durable is gone first. */
  readonly cleared: boolean;
  readonly written: readonly PackedNode[];
  readonly deleted: readonly EntryId[];
}

export interface PackedTree<Node> extends Tree<Node> {
  peek(entryId: EntryId): PackedNode | undefined;
  ids(): Iterable<EntryId>;
  /** Takes over a node from storage: neither touched nor to be written. */
  load(node: PackedNode): void;
  changes(): TreeChanges;
  /** The changes are durable. */
  forgetChanges(): void;
}

export interface PackedTreeOptions<Node> {
  readonly codec: NodeCodec<Node>;
  onTouch(entryId: EntryId): void;
  /** Replaces the node's strings by equal ones that another tree holds already. */
  share(node: PackedNode): void;
}

export function createPackedTree<Node extends { entryId: EntryId }>(
  options: PackedTreeOptions<Node>,
): PackedTree<Node> {
  const { codec } = options;
  const nodes = new Map<EntryId, PackedNode>();
  // Lists, not sets: a removed child's place goes to the last one (`slot`), at a third of the memory.
  const childrenOf = new Map<EntryId, EntryId[]>();
  const dirty = new Set<EntryId>();
  let cleared = false;

  function link(node: PackedNode): void {
    if (node.parentId === null) return;
    const siblings = childrenOf.get(node.parentId);
    if (siblings === undefined) {
      node.slot = 0;
      childrenOf.set(node.parentId, [node.entryId]);
    } else {
      node.slot = siblings.push(node.entryId) - 1;
    }
  }

  function unlink(node: PackedNode): void {
    if (node.parentId === null) return;
    const siblings = childrenOf.get(node.parentId) as EntryId[];
    const last = siblings.pop() as EntryId;
    if (last !== node.entryId) {
      siblings[node.slot] = last;
      (nodes.get(last) as PackedNode).slot = node.slot;
    }
    if (siblings.length === 0) childrenOf.delete(node.parentId);
  }

  function store(node: PackedNode): void {
    options.share(node);
    const before = nodes.get(node.entryId);
    if (before !== undefined && before.parentId === node.parentId) {
      node.slot = before.slot;
    } else {
      if (before !== undefined) unlink(before);
      link(node);
    }
    nodes.set(node.entryId, node);
  }

  return {
    get(entryId) {
      const node = nodes.get(entryId);
      return node === undefined ? undefined : codec.unpack(node);
    },
    // A copy: callers put and delete while they go through it.
    children: (parentId) => childrenOf.get(parentId)?.slice() ?? [],
    *values() {
      for (const node of nodes.values()) yield codec.unpack(node);
    },
    get size() {
      return nodes.size;
    },
    put(node) {
      store(codec.pack(node));
      dirty.add(node.entryId);
      options.onTouch(node.entryId);
    },
    delete(entryId) {
      const node = nodes.get(entryId);
      if (node === undefined) return;
      unlink(node);
      nodes.delete(entryId);
      dirty.add(entryId);
      options.onTouch(entryId);
    },
    clear() {
      for (const entryId of nodes.keys()) options.onTouch(entryId);
      nodes.clear();
      childrenOf.clear();
      dirty.clear();
      cleared = true;
    },

    peek: (entryId) => nodes.get(entryId),
    ids: () => nodes.keys(),
    load: store,
    changes() {
      const written: PackedNode[] = [];
      const deleted: EntryId[] = [];
      for (const entryId of dirty) {
        const node = nodes.get(entryId);
        if (node === undefined) deleted.push(entryId);
        else written.push(node);
      }
      return { cleared, written, deleted };
    },
    forgetChanges() {
      dirty.clear();
      cleared = false;
    },
  };
}
