import type { Cursor, EntryId, EntryKind } from '@cairn/model';
import type { LocalNode, RemoteNode, SyncedNode, TreeReader, Trees } from '@cairn/planner';

/** What is looked at of many nodes, without the cost of making each whole node. */
export interface NodeSketch {
  readonly entryId: EntryId;
  readonly parentId: EntryId | null;
  readonly name: string;
  readonly kind: EntryKind;
  /**
   * Of a local node: equal to `observationOf` of what is on disk if, and only if, nothing about the object changed. `null`
   * in the other trees.
   */
  readonly observation: string | null;
  /** Packed: `packedIdOf` and `packedSizeOf` tell of it without making it. */
  readonly content: string | null;
}

/** A tree that can be changed. Changes are in memory at once and durable after the store's `flush`. */
export interface Tree<Node> extends TreeReader<Node> {
  /** Inserts or replaces the node with this id. */
  put(node: Node): void;
  /** Removes one node; does nothing when there is none. Children stay until removed. */
  delete(entryId: EntryId): void;
  clear(): void;
  /** Every node, in no particular order. */
  sketches(): Iterable<NodeSketch>;
}

/** The local tree, whose nodes can be compared with a disk without unpacking contents. */
export interface ObservedTree extends Tree<LocalNode> {
  sketch(entryId: EntryId): NodeSketch | undefined;
  /** Sketches of all that is in a folder: as one by one, at a fraction of the cost. */
  childSketches(parentId: EntryId): NodeSketch[];
}

/** A line for the user: a conflict copy was made, bytes were rescued, an item could not be synced. */
export interface Notice {
  readonly noticeId: number;
  /** Milliseconds since 1970, this device's clock. */
  readonly at: number;
  readonly kind: string;
  readonly path: string;
  readonly text: string;
}

/**
 * All that one device knows about one space: three trees of observations, the cursor of the remote one, and the
 * identity of the root folder. It never holds work to do. Losing it costs a rescan and a union merge, not data.
 */
export interface TreeStore extends Trees {
  readonly remote: Tree<RemoteNode>;
  readonly local: ObservedTree;
  readonly synced: Tree<SyncedNode>;

  /** Where the remote tree stands; `null` before the first snapshot. Set together with the nodes it covers. */
  cursor: Cursor | null;

  /**
   * Ids touched in any tree since they were last passed to `forgetTouched`: where the trees may differ.
   * After opening: every id on which the three trees differ.
   */
  touched(): Iterable<EntryId>;
  forgetTouched(ids: Iterable<EntryId>): void;
  /** Has these ids looked at again although nothing about them changed, only what is to be done about them. */
  touch(ids: Iterable<EntryId>): void;

  /** At least every entry on which the trees do not agree; of a large store at rest, few others. */
  differing(): EntryId[];
  /** Small named texts (marker, device name, settings of this folder). */
  getValue(name: string): string | null;
  setValue(name: string, value: string | null): void;

  addNotice(notice: Omit<Notice, 'noticeId'>): void;
  /** Newest first. */
  listNotices(limit: number): Notice[];

  /** Makes everything since the last flush durable in one transaction. */
  flush(): void;
  /** Makes the named texts durable and nothing else, so it costs the same however much else has changed. */
  flushValues(): void;
  /** Lets go of memory that is made anew when somebody asks again. Nothing that is known is lost. */
  giveMemoryBack(): void;
  close(): void;
}
