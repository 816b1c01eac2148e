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
import { createPackedTree, type PackedTree, type TreeChanges } from './packed-tree.ts';
import { MAX_NOTICES, type Persistence, TREE_NAMES } from './persistence.ts';
import { createSettledEntries } from './settled-entries.ts';

/** Gives a node the strings of another one of the same entry where they are equal. */
function shareWithin(node: PackedNode, other: PackedNode): PackedNode {
  if (node === other) return node;
  node.entryId = other.entryId;
  if (node.parentId === other.parentId) node.parentId = other.parentId;
  if (node.name === other.name) node.name = other.name;
  if (node.content === other.content) node.content = other.content;
  return node;
}

function hasChanges({ cleared, written, deleted }: TreeChanges): boolean {
  return cleared || written.length > 0 || deleted.length > 0;
}

/** The trees in memory, on a persistence that holds what was flushed. Throws what `persistence.load` throws. */
export function createTreeStore(persistence: Persistence): TreeStore {
  const touched = new Set<EntryId>();
  const settled = createSettledEntries();

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
    trees.remote.load(known.remote);
    trees.synced.load(known.remote);
    trees.local.load(known.local);
  }

  /** Once nothing of it waits to be written, an entry on which the three trees agree need not be kept three times. */
  function settle(entryId: EntryId): void {
    const remote = trees.remote.peek(entryId);
    const local = trees.local.peek(entryId);
    const synced = trees.synced.peek(entryId);
    if (!settled.add({ remote, local, synced })) return;
    for (const name of TREE_NAMES) trees[name].letGo(entryId);
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
    if (first === undefined || settled.add({ remote, local, synced })) return;
    if (first.parentId !== null) first.parentId = shareParent(first.parentId);
    if (remote !== undefined) trees.remote.load(remote);
    if (local !== undefined) trees.local.load(shareWithin(local, first));
    const shared =
      synced !== undefined && remote !== undefined && coversSynced(remote, synced) ? remote : synced;
    if (shared !== undefined) trees.synced.load(shareWithin(shared, first));
    if (differ(remote, local, shared)) touched.add(first.entryId);
  }

  const state = persistence.load(load);
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
      const changes = {
        remote: trees.remote.changes(),
        local: trees.local.changes(),
        synced: trees.synced.changes(),
      };
      persistence.save({
        trees: changes,
        cursor: cursorChanged ? cursor : undefined,
        values: changedValues,
        notices: newNotices,
      });
      // Who works flushes changes, and goes on with what still differs; who is done flushes once more.
      const isWorking = touched.size > 0 && TREE_NAMES.some((name) => hasChanges(changes[name]));
      for (const name of TREE_NAMES) {
        trees[name].forgetChanges();
        if (!isWorking) trees[name].forgetRecent();
      }
      for (const name of TREE_NAMES) for (const { entryId } of changes[name].written) settle(entryId);
      cursorChanged = false;
      changedValues.clear();
      newNotices = [];
    },
    flushValues() {
      if (changedValues.size === 0) return;
      const none = { cleared: false, written: [], deleted: [] };
      persistence.save({
        trees: { remote: none, local: none, synced: none },
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
