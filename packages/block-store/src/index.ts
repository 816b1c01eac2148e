export type {
  BlockLocation,
  BlockStore,
  BlockStoreUsage,
  CompactionOptions,
  CompactionReport,
  Fence,
  ReadMemory,
  ScrubOptions,
  ScrubReport,
} from './block-store.ts';
export { type BlockStoreBounds, createBoundedBlockStore } from './bounded/bounded-block-store.ts';
export { CODING_NODES, encodeShards, isIntactShard } from './coded/shard-format.ts';
export { createMemoryBlockStore, type MemoryBlockStoreOptions } from './memory/memory-block-store.ts';
export {
  createMemoryPool,
  type MemoryLease,
  type MemoryPool,
  type MemoryPoolOptions,
} from './memory-pool.ts';
export {
  type BlockCopierOptions,
  type CopyReport,
  createBlockCopier,
} from './moving/copy-blocks.ts';
export { createMovingBlockStore, type MovingBlockStoreOptions } from './moving/moving-block-store.ts';
export { createSwitchingBlockStore, type SwitchingBlockStore } from './moving/switching-block-store.ts';
export { createReadBuffers } from './read-buffers.ts';
export {
  type NodeConnection,
  type NodeConnectionOptions,
  openNodeConnection,
} from './remote/node-connection.ts';
export { createRemoteBlockStore, type RemoteBlockStore } from './remote/remote-block-store.ts';
export { createRemoteDrill, type RemoteDrill } from './remote/remote-drill.ts';
export { countReplicas } from './replicated/count-replicas.ts';
export {
  type ClusterNode,
  createNodeMonitor,
  HEARTBEAT_MS,
  type NodeHealth,
  type NodeMonitor,
  type NodeState,
} from './replicated/node-monitor.ts';
export { orderNodes, type PlacementNode } from './replicated/placement.ts';
export { type CodingOptions, type RepairOptions, repairBlocks } from './replicated/repair-blocks.ts';
export type { RepairReport } from './replicated/repair-run.ts';
export type { ReplicaNode, ReplicaNodes } from './replicated/replica-node.ts';
export {
  createReplicatedBlockStore,
  type ReplicatedBlockStoreOptions,
} from './replicated/replicated-block-store.ts';
export type { StoreKey } from './sealed/store-keys.ts';
export {
  openSegmentBlockStore,
  rebuildSegmentIndex,
  type SegmentBlockStore,
  type SegmentBlockStoreOptions,
} from './segments/segment-block-store.ts';
