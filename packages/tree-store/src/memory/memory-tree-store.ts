import type { Cursor, EntryId } from '@cairn/model';
import { createTreeStore } from '../store/create-tree-store.ts';
import type { PackedNode } from '../store/packed-node.ts';
import { MAX_NOTICES, type Persistence, TREE_NAMES } from '../store/persistence.ts';
import type { Notice, TreeStore } from '../tree-store.ts';

/** What a simulated device has on its disk. Opening it again shows what was flushed, as after a crash. */
export interface MemoryTreeDisk {
  open(): TreeStore;
  /** Another disk that holds what was flushed to this one: a backup, or what is on a cloned computer. */
  copy(): MemoryTreeDisk;
}

/** @param beforeSave called before anything is saved; what it throws, saving throws */
export function createMemoryTreeDisk(rootId: EntryId, beforeSave?: () => void): MemoryTreeDisk {
  return createDisk(rootId, emptyState(), beforeSave);
}

interface DurableState {
  readonly trees: Readonly<Record<(typeof TREE_NAMES)[number], Map<EntryId, PackedNode>>>;
  readonly settled: Map<number, Uint8Array>;
  readonly values: Map<string, string>;
  cursor: Cursor | null;
  notices: Notice[];
}

function emptyState(): DurableState {
  return {
    trees: { remote: new Map(), local: new Map(), synced: new Map() },
    settled: new Map(),
    values: new Map(),
    cursor: null,
    notices: [],
  };
}

function createDisk(rootId: EntryId, durable: DurableState, beforeSave?: () => void): MemoryTreeDisk {
  const { trees, settled, values } = durable;

  function openPersistence(): Persistence {
    return {
      rootId,
      load(onPage, onEntry) {
        for (const page of [...settled.keys()].sort((one, other) => one - other))
          onPage({ page, rows: settled.get(page) as Uint8Array });
        const copyOf = (node: PackedNode | undefined) => (node === undefined ? undefined : { ...node });
        for (const entryId of new Set(TREE_NAMES.flatMap((name) => [...trees[name].keys()])))
          onEntry({
            remote: copyOf(trees.remote.get(entryId)),
            local: copyOf(trees.local.get(entryId)),
            synced: copyOf(trees.synced.get(entryId)),
          });
        return { cursor: durable.cursor, values: new Map(values), notices: [...durable.notices] };
      },
      save(batch) {
        beforeSave?.();
        for (const name of TREE_NAMES) {
          const { cleared, written, deleted } = batch.trees[name];
          if (cleared) trees[name].clear();
          for (const entryId of deleted) trees[name].delete(entryId);
          for (const node of written) trees[name].set(node.entryId, { ...node });
        }
        for (const { page, rows } of batch.settled) {
          if (rows.length === 0) settled.delete(page);
          else settled.set(page, rows);
        }
        if (batch.cursor !== undefined) durable.cursor = batch.cursor;
        for (const [name, value] of batch.values) {
          if (value === null) values.delete(name);
          else values.set(name, value);
        }
        durable.notices = [...durable.notices, ...batch.notices].slice(-MAX_NOTICES);
      },
      close() {},
    };
  }

  return {
    open: () => createTreeStore(openPersistence()),
    copy() {
      const { remote, local, synced } = trees;
      return createDisk(rootId, {
        trees: { remote: new Map(remote), local: new Map(local), synced: new Map(synced) },
        settled: new Map(settled),
        values: new Map(values),
        cursor: durable.cursor,
        notices: [...durable.notices],
      });
    },
  };
}

/** A tree store for simulations and tests: everything in memory, gone with the object. */
export function createMemoryTreeStore(rootId: EntryId): TreeStore {
  return createMemoryTreeDisk(rootId).open();
}
