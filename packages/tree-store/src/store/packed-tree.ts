import type { EntryId } from '@cairn/model';
import type { NodeSketch, Tree } from '../tree-store.ts';
import { createChildIndex } from './child-index.ts';
import type { NodeCodec, PackedNode } from './packed-node.ts';
import type { TreeChanges } from './persistence.ts';
import type { SettledEntries } from './settled-entries.ts';
import { SettledRow } from './settled-row.ts';

/**
 * `kept`: as it was, each tree has its own node. `settled`: all of it is kept in one row from now on. `unsettled`: it was
 * kept in one row, so no tree has a node of it in storage yet.
 */
export type Fate = 'kept' | 'settled' | 'unsettled';

export interface PackedTree<Node> extends Tree<Node> {
  sketch(entryId: EntryId): NodeSketch | undefined;
  childSketches(parentId: EntryId): NodeSketch[];
  /** Of which the tree has a node of its own. */
  ownIds(): Iterable<EntryId>;
  /** The tree's own node: of an entry that is settled it has none. */
  peek(entryId: EntryId): PackedNode | undefined;
  /** Takes over a node as it is: neither touched nor to be written, nor its strings shared. */
  take(node: PackedNode): void;
  /** Takes over a node from storage, as `take` does. */
  load(node: PackedNode): void;
  /** The entry is settled: all three trees have it together from now on. */
  letGo(entryId: EntryId): void;
  /** Entries of which there is something to write. */
  changed(): Iterable<EntryId>;
  /**
   * @param ids everything that is to be looked at, in the order of their ids
   * @param fateOf what becomes of an entry
   */
  changes(ids: readonly EntryId[], fateOf: (entryId: EntryId) => Fate): TreeChanges;
  /** The changes are durable. */
  forgetChanges(changes: TreeChanges): void;
  /** Lets go of the nodes that were made for whoever asked: they are made anew when somebody asks again. */
  forgetRecent(): void;
  /** Lets go of the tree's own indexes of names. */
  forgetNames(): void;
}

export interface PackedTreeOptions<Node> {
  readonly codec: NodeCodec<Node>;
  readonly settled: SettledEntries;
  /** Whether this is the local tree. */
  readonly isLocal: boolean;
  /** Gives every tree its own node of a settled entry; of any other it does nothing. */
  unsettle(entryId: EntryId): void;
  onTouch(entryId: EntryId): void;
  /** The node with equal strings that another tree holds already, or an equal node of another tree. */
  share(node: PackedNode): PackedNode;
}

/**
 * Unpacked nodes that are kept while there is work: a plan goes through all that it looks at many times over, the next
 * plan goes through most of it again, and making a node costs more than everything else it is asked for.
 */
const MAX_RECENT = 32_768;

function joined(own: EntryId[], settled: EntryId[]): EntryId[] {
  if (settled.length === 0) return own;
  return own.length === 0 ? settled : [...own, ...settled];
}

export function createPackedTree<Node extends { entryId: EntryId }>(
  options: PackedTreeOptions<Node>,
): PackedTree<Node> {
  const { codec, settled, isLocal, unsettle } = options;
  const nodes = new Map<EntryId, PackedNode>();
  const children = createChildIndex<EntryId>((entryId) => (nodes.get(entryId) as PackedNode).name);
  const dirty = new Set<EntryId>();
  /** Whose nodes are in storage: few at rest. */
  const stored = new Set<EntryId>();
  const recent = new Map<EntryId, Node>();
  let cleared = false;

  function unpack(entryId: EntryId): Node | undefined {
    const packed = nodes.get(entryId) ?? settled.sketch(entryId, isLocal)?.toPacked();
    if (packed === undefined) return undefined;
    // Frozen: the next one who asks gets the same object.
    const node = Object.freeze(codec.unpack(packed));
    if (recent.size >= MAX_RECENT) recent.clear();
    recent.set(packed.entryId, node);
    return node;
  }

  function place(node: PackedNode): void {
    const before = nodes.get(node.entryId);
    if (before === undefined || before.parentId !== node.parentId || before.name !== node.name) {
      if (before !== undefined) children.remove(before.parentId, before.entryId);
      nodes.set(node.entryId, node);
      children.add(node.parentId, node.entryId);
    } else {
      nodes.set(node.entryId, node);
    }
  }

  function sketch(entryId: EntryId): PackedNode | SettledRow | undefined {
    return nodes.get(entryId) ?? settled.sketch(entryId, isLocal);
  }

  /** What is there when it begins, as far as it is still there: an entry may become settled, or cease to be, meanwhile. */
  function* sketches(): Generator<PackedNode | SettledRow> {
    const own = [...nodes.keys()];
    yield* settled.sketches(isLocal, sketch);
    for (const entryId of own) {
      const now = sketch(entryId);
      if (now !== undefined) yield now;
    }
  }

  return {
    get: (entryId) => recent.get(entryId) ?? unpack(entryId),
    children: (parentId) => joined(children.children(parentId), settled.children(parentId)),
    childrenNamed: (parentId, foldedName) =>
      joined(children.named(parentId, foldedName), settled.named(parentId, foldedName)),
    *values() {
      for (const node of sketches()) yield codec.unpack(node instanceof SettledRow ? node.toPacked() : node);
    },
    get size() {
      return nodes.size + settled.size;
    },
    put(node) {
      unsettle(node.entryId);
      recent.delete(node.entryId);
      place(options.share(codec.pack(node)));
      dirty.add(node.entryId);
      options.onTouch(node.entryId);
    },
    delete(entryId) {
      unsettle(entryId);
      const node = nodes.get(entryId);
      if (node === undefined) return;
      children.remove(node.parentId, entryId);
      nodes.delete(entryId);
      recent.delete(entryId);
      dirty.add(entryId);
      options.onTouch(entryId);
    },
    clear() {
      for (const entryId of settled.ids()) unsettle(entryId);
      for (const entryId of nodes.keys()) options.onTouch(entryId);
      nodes.clear();
      recent.clear();
      children.clear();
      dirty.clear();
      stored.clear();
      cleared = true;
    },

    sketch,
    childSketches(parentId) {
      const found: NodeSketch[] = settled.childSketches(parentId, isLocal);
      for (const entryId of children.children(parentId)) found.push(nodes.get(entryId) as PackedNode);
      return found;
    },
    sketches,
    ownIds: () => nodes.keys(),
    peek: (entryId) => nodes.get(entryId),
    take: place,
    load(node) {
      stored.add(node.entryId);
      place(node);
    },
    letGo(entryId) {
      const node = nodes.get(entryId);
      if (node === undefined) return;
      children.remove(node.parentId, entryId);
      nodes.delete(entryId);
    },
    changed: () => dirty,
    changes(ids, fateOf) {
      const written: PackedNode[] = [];
      const deleted: EntryId[] = [];
      for (const entryId of ids) {
        const fate = fateOf(entryId);
        const node = fate === 'settled' ? undefined : nodes.get(entryId);
        if (node === undefined) {
          if (stored.has(entryId)) deleted.push(entryId);
        } else if (fate === 'unsettled' || dirty.has(entryId)) {
          written.push(node);
        }
      }
      return { cleared, written, deleted };
    },
    forgetChanges({ written, deleted }) {
      for (const entryId of deleted) stored.delete(entryId);
      for (const { entryId } of written) stored.add(entryId);
      dirty.clear();
      cleared = false;
    },
    forgetRecent: () => recent.clear(),
    forgetNames: () => children.forgetNames(),
  };
}
