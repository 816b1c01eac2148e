import type { EntryId } from '@cairn/model';
import type { Tree } from '../tree-store.ts';
import { createChildIndex } from './child-index.ts';
import type { NodeCodec, PackedNode } from './packed-node.ts';

/** What a flush has to write of one tree. */
export interface TreeChanges {
  /** Everything that was durable is gone first. */
  readonly cleared: boolean;
  readonly written: readonly PackedNode[];
  readonly deleted: readonly EntryId[];
}

export interface PackedTree<Node> extends Tree<Node> {
  /** The same as `peek`, for the outside. */
  sketch(entryId: EntryId): PackedNode | undefined;
  sketches(): Iterable<PackedNode>;
  peek(entryId: EntryId): PackedNode | undefined;
  ids(): Iterable<EntryId>;
  /** Takes over a node from storage as it is: neither touched nor to be written, nor its strings shared. */
  load(node: PackedNode): void;
  changes(): TreeChanges;
  /** The changes are durable. */
  forgetChanges(): void;
  /** Lets go of the nodes that were made for whoever asked: they are made anew when somebody asks again. */
  forgetRecent(): void;
}

export interface PackedTreeOptions<Node> {
  readonly codec: NodeCodec<Node>;
  onTouch(entryId: EntryId): void;
  /** The node with equal strings that another tree holds already, or an equal node of another tree. */
  share(node: PackedNode): PackedNode;
}

/**
 * Unpacked nodes that are kept while there is work: a plan goes through all that it looks at many times over, the next
 * plan goes through most of it again, and making a node costs more than everything else it is asked for.
 */
const MAX_RECENT = 32_768;

export function createPackedTree<Node extends { entryId: EntryId }>(
  options: PackedTreeOptions<Node>,
): PackedTree<Node> {
  const { codec } = options;
  const nodes = new Map<EntryId, PackedNode>();
  const children = createChildIndex((entryId) => (nodes.get(entryId) as PackedNode).name);
  const dirty = new Set<EntryId>();
  const recent = new Map<EntryId, Node>();
  let cleared = false;

  function unpack(entryId: EntryId): Node | undefined {
    const packed = nodes.get(entryId);
    if (packed === undefined) return undefined;
    // Frozen: the next one who asks gets the same object.
    const node = Object.freeze(codec.unpack(packed));
    if (recent.size >= MAX_RECENT) recent.clear();
    recent.set(packed.entryId, node);
    return node;
  }

  function place(node: PackedNode): void {
    recent.delete(node.entryId);
    const before = nodes.get(node.entryId);
    if (before === undefined || before.parentId !== node.parentId || before.name !== node.name) {
      if (before !== undefined) children.remove(before.parentId, before.entryId, before.name);
      children.add(node.parentId, node.entryId, node.name);
    }
    nodes.set(node.entryId, node);
  }

  return {
    get: (entryId) => recent.get(entryId) ?? unpack(entryId),
    children: children.children,
    childrenNamed: children.named,
    *values() {
      for (const node of nodes.values()) yield codec.unpack(node);
    },
    get size() {
      return nodes.size;
    },
    put(node) {
      place(options.share(codec.pack(node)));
      dirty.add(node.entryId);
      options.onTouch(node.entryId);
    },
    delete(entryId) {
      const node = nodes.get(entryId);
      if (node === undefined) return;
      children.remove(node.parentId, entryId, node.name);
      nodes.delete(entryId);
      recent.delete(entryId);
      dirty.add(entryId);
      options.onTouch(entryId);
    },
    clear() {
      for (const entryId of nodes.keys()) options.onTouch(entryId);
      nodes.clear();
      recent.clear();
      children.clear();
      dirty.clear();
      cleared = true;
    },

    sketch: (entryId) => nodes.get(entryId),
    sketches: () => nodes.values(),
    peek: (entryId) => nodes.get(entryId),
    ids: () => nodes.keys(),
    load: place,
    changes() {
      const written: PackedNode[] = [];
      const deleted: EntryId[] = [];
      // In the order of the table: otherwise each row may need another page of it.
      for (const entryId of [...dirty].sort()) {
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
    forgetRecent: () => recent.clear(),
  };
}
