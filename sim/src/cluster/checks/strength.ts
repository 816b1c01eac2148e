import { type BlockId, isShardId, parseShardId, shardIdOf } from '@cairn/model';
import type { StorageNode } from '../world/storage-node.ts';

export const ALL_SHARDS = 6;
const DATA_SHARDS = 4;
const INDEXES = Array.from({ length: ALL_SHARDS }, (_, index) => index);

/** The block that a record on a disk belongs to. */
export function blockOf(storedId: BlockId): BlockId {
  return isShardId(storedId) ? parseShardId(storedId).blockId : storedId;
}

/** Which disks count, and with what. */
export type Counts = (node: StorageNode, storedId: BlockId) => boolean;
const EVERYTHING: Counts = () => true;

export function countReplicas(
  nodes: readonly StorageNode[],
  blockId: BlockId,
  counts: Counts = EVERYTHING,
): number {
  return nodes.filter((node) => node.disk.isWhole(blockId) && counts(node, blockId)).length;
}

/** How many of the block's shards are whole on some disk. */
export function countShards(
  nodes: readonly StorageNode[],
  blockId: BlockId,
  counts: Counts = EVERYTHING,
): number {
  return INDEXES.filter((index) => countReplicas(nodes, shardIdOf(blockId, index), counts) > 0).length;
}

/** How many disks it takes to lose the block, at least: 0 when it is lost. */
export function strengthOf(
  nodes: readonly StorageNode[],
  blockId: BlockId,
  counts: Counts = EVERYTHING,
): number {
  const replicas = countReplicas(nodes, blockId, counts);
  return Math.max(replicas, countShards(nodes, blockId, counts) - DATA_SHARDS + 1);
}

/** The shards of this block on a node's disk, by their index. */
export function shardsOn({ disk }: StorageNode, blockId: BlockId): number[] {
  return INDEXES.filter((index) => disk.isWhole(shardIdOf(blockId, index)));
}
