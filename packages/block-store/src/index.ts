export type { BlockLocation, BlockStore, BlockStoreUsage } from './block-store.ts';
