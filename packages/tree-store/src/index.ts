export {
  createMemoryTreeDisk,
  createMemoryTreeStore,
  type MemoryTreeDisk,
} from './memory/memory-tree-store.ts';
export {
  type OpenedTreeStore,
  openSqliteTreeStore,
  type SqliteTreeStoreOptions,
} from './sqlite/open-tree-store.ts';
export { readSqliteTreeStore } from './sqlite/read-tree-store.ts';
export type { Notice, Tree, TreeStore } from './tree-store.ts';
