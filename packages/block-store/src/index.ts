export type { BlockLocation, BlockStore, BlockStoreUsage } from './block-store.ts';
export { createMemoryBlockStore, type MemoryBlockStoreOptions } from './memory/memory-block-store.ts';
export {
  openSegmentBlockStore,
  rebuildSegmentIndex,
  type SegmentBlockStoreOptions,
} from './segments/segment-block-store.ts';
