export type { Notice, Tree, TreeStore } from './tree-store.ts';
