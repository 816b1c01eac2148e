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
  syncedCodec,
} from './packed-node.ts';
import { createPackedTree, type PackedTree } from './packed-tree.ts';
import { MAX_NOTICES, type Persistence, TREE_NAMES } from './persistence.ts';

/** The trees in memory, on a persistence that holds what was flushed. Throws what `persistence.load` throws. */
export function createTreeStore(persistence: Persistence): TreeStore {
  const touched = new Set<EntryId>();

  function build<Node extends { entryId: EntryId }>(
    codec: NodeCodec<Node>,
    share: (node: PackedNode) => PackedNode,
  ): PackedTree<Node> {
    return createPackedTree<Node>({ codec, onTouch: (entryId) => touched.add(entryId), share });
  }
  const trees = {
    remote: build<RemoteNode>(remoteCodec, shareStrings),
    local: build<LocalNode>(localCodec, shareStrings),
    synced: build<SyncedNode>(syncedCodec, shareSynced),
  };

  function peekAny(entryId: EntryId): PackedNode | undefined {
    return trees.remote.peek(entryId) ?? trees.local.peek(entryId) ?? trees.synced.peek(entryId);
  }

  function shareStrings(node: PackedNode): PackedNode {
    node.entryId = peekAny(node.entryId)?.entryId ?? node.entryId;
    if (node.parentId !== null) node.parentId = peekAny(node.parentId)?.entryId ?? node.parentId;
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

  const state = persistence.load(
    (tree, node) => trees[tree].load(node),
    (entryId) => trees.remote.peek(entryId),
  );
  let cursor: Cursor | null = state.cursor;
  let cursorChanged = false;
  const values = new Map(state.values);
  const changedValues = new Map<string, string | null>();
  const notices = [...state.notices];
  let newNotices: Notice[] = [];
  let nextNoticeId = (notices.at(-1)?.noticeId ?? 0) + 1;

  const differing = (entryId: EntryId): boolean =>
    differ(trees.remote.peek(entryId), trees.local.peek(entryId), trees.synced.peek(entryId));
  for (const name of TREE_NAMES) {
    for (const entryId of trees[name].ids()) if (differing(entryId)) touched.add(entryId);
  }

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
      persistence.save({
        trees: {
          remote: trees.remote.changes(),
          local: trees.local.changes(),
          synced: trees.synced.changes(),
        },
        cursor: cursorChanged ? cursor : undefined,
        values: changedValues,
        notices: newNotices,
      });
      for (const name of TREE_NAMES) trees[name].forgetChanges();
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
    close: () => persistence.close(),
  };
}
