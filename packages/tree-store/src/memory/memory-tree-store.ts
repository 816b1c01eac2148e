import type { Cursor, EntryId } from '@cairn/model';
import { createTreeStore } from '../store/create-tree-store.ts';
import type { PackedNode } from '../store/packed-node.ts';
import { MAX_NOTICES, type Persistence, TREE_NAMES } from '../store/persistence.ts';
import type { Notice, TreeStore } from '../tree-store.ts';

/** What a simulated device has on its disk. Opening it again shows what was flushed, as after a crash. */
export interface MemoryTreeDisk {
  open(): TreeStore;
}

export function createMemoryTreeDisk(rootId: EntryId): MemoryTreeDisk {
  const durable = {
    remote: new Map<EntryId, PackedNode>(),
    local: new Map<EntryId, PackedNode>(),
    synced: new Map<EntryId, PackedNode>(),
  };
  const values = new Map<string, string>();
  let cursor: Cursor | null = null;
  let notices: Notice[] = [];

  function openPersistence(): Persistence {
    return {
      rootId,
      load(onNode) {
        for (const name of TREE_NAMES) {
          for (const node of durable[name].values()) onNode(name, { ...node });
        }
        return { cursor, values: new Map(values), notices: [...notices] };
      },
      save(batch) {
        for (const name of TREE_NAMES) {
          const { cleared, written, deleted } = batch.trees[name];
          if (cleared) durable[name].clear();
          for (const entryId of deleted) durable[name].delete(entryId);
          for (const node of written) durable[name].set(node.entryId, { ...node });
        }
        if (batch.cursor !== undefined) cursor = batch.cursor;
        for (const [name, value] of batch.values) {
          if (value === null) values.delete(name);
          else values.set(name, value);
        }
        notices = [...notices, ...batch.notices].slice(-MAX_NOTICES);
      },
      close() {},
    };
  }

  return { open: () => createTreeStore(openPersistence()) };
}

/** A tree store for simulations and tests: everything in memory, gone with the object. */
export function createMemoryTreeStore(rootId: EntryId): TreeStore {
  return createMemoryTreeDisk(rootId).open();
}
