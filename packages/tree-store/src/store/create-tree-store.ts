import type { Cursor, EntryId } from '@cairn/model';
import type { LocalNode, RemoteNode, SyncedNode } from '@cairn/planner';
import type { Notice, TreeStore } from '../tree-store.ts';
import {
  coversSynced,
  differ,
  localCodec,
  type NodeCodec,
  type PackedNode,
  remoteCodec,
  type StoredEntry,
  syncedCodec,
} from './packed-node.ts';
import { createPackedTree, type Fate, type PackedTree } from './packed-tree.ts';
import { type Batch, DamagedStore, MAX_NOTICES, type Persistence, TREE_NAMES } from './persistence.ts';
import { createSettledEntries } from './settled-entries.ts';
import { canSettle } from './settled-row.ts';

/** Gives a node the strings of another one of the same entry where they are equal. */
function shareWithin(node: PackedNode, other: PackedNode): PackedNode {
  if (node === other) return node;
  node.entryId = other.entryId;
  if (node.parentId === other.parentId) node.parentId = other.parentId;
  if (node.name === other.name) node.name = other.name;
  if (node.content === other.content) node.content = other.content;
  return node;
}

interface FlushPlan extends Pick<Batch, 'trees' | 'settled'> {
  /** Who is settled from now on. */
  readonly settling: ReadonlySet<EntryId>;
}

function hasChanges({ trees, settled }: FlushPlan): boolean {
  if (settled.length > 0) return true;
  return TREE_NAMES.some((name) => {
    const { cleared, written, deleted } = trees[name];
    return cleared || written.length > 0 || deleted.length > 0;
  });
}

/** The trees in memory, on a persistence that holds what was flushed. Throws what `persistence.load` throws. */
export function createTreeStore(persistence: Persistence): TreeStore {
  const touched = new Set<EntryId>();
  const settled = createSettledEntries();
  /** Kept in one row in storage, but not here any more. */
  const unsettled = new Set<EntryId>();
  /** The trees agree on them, but in storage each has its own node: from a store that knew no rows. */
  const agreed = new Set<EntryId>();

  function build<Node extends { entryId: EntryId }>(
    codec: NodeCodec<Node>,
    share: (node: PackedNode) => PackedNode,
    isLocal = false,
  ): PackedTree<Node> {
    const onTouch = (entryId: EntryId) => touched.add(entryId);
    return createPackedTree<Node>({ codec, settled, isLocal, unsettle, onTouch, share });
  }
  const trees = {
    remote: build<RemoteNode>(remoteCodec, shareStrings),
    local: build<LocalNode>(localCodec, shareStrings, true),
    synced: build<SyncedNode>(syncedCodec, shareSynced),
  };

  function unsettle(entryId: EntryId): void {
    const known = settled.remove(entryId);
    if (known === undefined) return;
    unsettled.add(entryId);
    takeAll(known.remote, known.local);
  }

  function takeAll(remote: PackedNode, local: PackedNode): void {
    trees.remote.take(remote);
    trees.synced.take(remote);
    trees.local.take(local);
  }

  function peekAll(entryId: EntryId): StoredEntry {
    return {
      remote: trees.remote.peek(entryId),
      local: trees.local.peek(entryId),
      synced: trees.synced.peek(entryId),
    };
  }

  function peekAny(entryId: EntryId): PackedNode | undefined {
    return trees.remote.peek(entryId) ?? trees.local.peek(entryId) ?? trees.synced.peek(entryId);
  }

  function shareStrings(node: PackedNode): PackedNode {
    node.entryId = peekAny(node.entryId)?.entryId ?? node.entryId;
    if (node.parentId !== null) node.parentId = shareParent(node.parentId);
    for (const tree of [trees.remote, trees.local, trees.synced]) {
      const twin = tree.peek(node.entryId);
      if (twin === undefined) continue;
      if (twin.name === node.name) node.name = twin.name;
      if (twin.content === node.content) node.content = twin.content;
    }
    return node;
  }

  function shareSynced(node: PackedNode): PackedNode {
    const remote = trees.remote.peek(node.entryId);
    if (remote !== undefined && coversSynced(remote, node)) return remote;
    return shareStrings(node);
  }

  // Entries are stored in the order in which they were made, so one mostly lies in the same folder as the one before it.
  let lastParentId: EntryId | null = null;

  function shareParent(parentId: EntryId): EntryId {
    if (parentId !== lastParentId) lastParentId = peekAny(parentId)?.entryId ?? parentId;
    return lastParentId;
  }

  function load({ remote, local, synced }: StoredEntry): void {
    const first = remote ?? local ?? synced;
    if (first === undefined) return;
    if (settled.has(first.entryId)) throw new DamagedStore('an entry is stored in two ways');
    if (first.parentId !== null) first.parentId = shareParent(first.parentId);
    if (remote !== undefined) trees.remote.load(remote);
    if (local !== undefined) trees.local.load(shareWithin(local, first));
    const shared =
      synced !== undefined && remote !== undefined && coversSynced(remote, synced) ? remote : synced;
    if (shared !== undefined) trees.synced.load(shareWithin(shared, first));
    if (differ(remote, local, shared)) touched.add(first.entryId);
    if (canSettle({ remote, local, synced })) agreed.add(first.entryId);
  }

  /** Once nothing of an entry waits, and the trees agree on it, one row is kept of it: it moves there with this flush. */
  function planFlush(): FlushPlan {
    const changed = new Set([...unsettled, ...agreed]);
    for (const name of TREE_NAMES) for (const entryId of trees[name].changed()) changed.add(entryId);
    // In the order of the tables: otherwise each row may need another page of it.
    const ids = [...changed].sort();
    const settling = new Set(ids.filter((entryId) => settled.add(peekAll(entryId))));
    const fateOf = (entryId: EntryId): Fate =>
      settling.has(entryId) ? 'settled' : unsettled.has(entryId) ? 'unsettled' : 'kept';
    const changes = {
      remote: trees.remote.changes(ids, fateOf),
      local: trees.local.changes(ids, fateOf),
      synced: trees.synced.changes(ids, fateOf),
    };
    return { trees: changes, settled: settled.changedPages(), settling };
  }

  function finishFlush(plan: FlushPlan): void {
    // Who works flushes changes, and goes on with what still differs; who is done flushes once more.
    const isWorking = touched.size > 0 && hasChanges(plan);
    for (const name of TREE_NAMES) {
      trees[name].forgetChanges(plan.trees[name]);
      if (!isWorking) trees[name].forgetRecent();
      for (const entryId of plan.settling) trees[name].letGo(entryId);
    }
    settled.forgetChangedPages();
    unsettled.clear();
    agreed.clear();
    cursorChanged = false;
    changedValues.clear();
    newNotices = [];
  }

  const state = persistence.load(settled.load, load);
  settled.finishLoading();
  let cursor: Cursor | null = state.cursor;
  let cursorChanged = false;
  const values = new Map(state.values);
  const changedValues = new Map<string, string | null>();
  const notices = [...state.notices];
  let newNotices: Notice[] = [];
  let nextNoticeId = (notices.at(-1)?.noticeId ?? 0) + 1;

  return {
    rootId: persistence.rootId,
    remote: trees.remote,
    local: trees.local,
    synced: trees.synced,
    get cursor() {
      return cursor;
    },
    set cursor(next) {
      cursor = next;
      cursorChanged = true;
    },
    touched: () => [...touched],
    forgetTouched(ids) {
      for (const entryId of ids) touched.delete(entryId);
    },
    touch(ids) {
      for (const entryId of ids) touched.add(entryId);
    },
    differing: () => [...new Set(TREE_NAMES.flatMap((name) => [...trees[name].ownIds()]))],

    getValue: (name) => values.get(name) ?? null,
    setValue(name, value) {
      if (value === null) values.delete(name);
      else values.set(name, value);
      changedValues.set(name, value);
    },
    addNotice(notice) {
      const { at, kind, path, text } = notice;
      const added: Notice = { noticeId: nextNoticeId++, at, kind, path, text };
      notices.push(added);
      newNotices.push(added);
      if (notices.length > MAX_NOTICES) notices.splice(0, notices.length - MAX_NOTICES);
      if (newNotices.length > MAX_NOTICES) newNotices = newNotices.slice(-MAX_NOTICES);
    },
    listNotices: (limit) => (limit > 0 ? notices.slice(-limit).reverse() : []),
    flush() {
      const plan = planFlush();
      try {
        persistence.save({
          trees: plan.trees,
          settled: plan.settled,
          cursor: cursorChanged ? cursor : undefined,
          values: changedValues,
          notices: newNotices,
        });
      } catch (error) {
        // The trees still have them.
        for (const entryId of plan.settling) settled.remove(entryId);
        throw error;
      }
      finishFlush(plan);
    },
    flushValues() {
      if (changedValues.size === 0) return;
      const none = { cleared: false, written: [], deleted: [] };
      persistence.save({
        trees: { remote: none, local: none, synced: none },
        settled: [],
        cursor: undefined,
        values: changedValues,
        notices: [],
      });
      changedValues.clear();
    },
    giveMemoryBack() {
      settled.forgetNames();
      for (const name of TREE_NAMES) {
        trees[name].forgetNames();
        trees[name].forgetRecent();
      }
    },
    close: () => persistence.close(),
  };
}
