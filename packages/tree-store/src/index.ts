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
export { packedIdOf, packedSizeOf, packId } from './store/packed-content.ts';
export { identityOf, observationOf } from './store/packed-node.ts';
export { hashText } from './store/settled-row.ts';
export type { NodeSketch, Notice, ObservedTree, Tree, TreeStore } from './tree-store.ts';
