import { ALL_SHARDS, DATA_SHARDS } from '@cairn/kernels';
import { type BlockId, isShardId, parseShardId, shardIdOf } from '@cairn/model';
import type { BlockLocation } from '../block-store.ts';
import type { ReplicaNode, ReplicaNodes } from '../replicated/replica-node.ts';
import { SHARD_HEADER_BYTES } from './shard-format.ts';

export interface Holder {
  readonly node: ReplicaNode;
  readonly location: BlockLocation;
}

export interface ShardHolder extends Holder {
  readonly index: number;
}

/** Everything that nodes have of one block: whole replicas, shards, or for a while both. */
export interface Holding {
  readonly blockId: BlockId;
  readonly replicas: readonly Holder[];
  readonly shards: readonly ShardHolder[];
}

/** What was asked of some nodes, and who did not answer. */
export interface Holdings {
  /** In the order asked. */
  readonly holdings: readonly Holding[];
  readonly failed: ReadonlyMap<string, unknown>;
}

const FORMS = 1 + ALL_SHARDS;

/** The ids under which nodes can have a block: its own, then those of its shards. */
export function storedIdsOf(blockId: BlockId): BlockId[] {
  return [blockId, ...Array.from({ length: ALL_SHARDS }, (_, index) => shardIdOf(blockId, index))];
}

/** The block that a record on a node belongs to. */
export function blockOf(storedId: BlockId): BlockId {
  return isShardId(storedId) ? parseShardId(storedId).blockId : storedId;
}

/** Asks these nodes, at the same time, what they have of each block in any form. */
export async function locateHoldings(
  nodes: ReplicaNodes,
  asked: readonly ReplicaNode[],
  blockIds: readonly BlockId[],
): Promise<Holdings> {
  const ids = blockIds.flatMap(storedIdsOf);
  const failed = new Map<string, unknown>();
  const answers = await Promise.all(
    asked.map(async (node) => {
      try {
        const locations = await node.blocks.locate(ids);
        nodes.note(node.nodeId, 'answered');
        return { node, locations };
      } catch (error) {
        nodes.note(node.nodeId, 'failed', error);
        failed.set(node.nodeId, error);
        return { node, locations: [] };
      }
    }),
  );
  const holdings = blockIds.map((blockId, at): Holding => {
    const replicas: Holder[] = [];
    const shards: ShardHolder[] = [];
    for (const { node, locations } of answers) {
      const whole = locations[at * FORMS] ?? null;
      if (whole !== null) replicas.push({ node, location: whole });
      for (let index = 0; index < ALL_SHARDS; index++) {
        const location = locations[at * FORMS + 1 + index] ?? null;
        if (location !== null) shards.push({ node, location, index });
      }
    }
    return { blockId, replicas, shards };
  });
  return { holdings, failed };
}

export function countShards({ shards }: Holding): number {
  return new Set(shards.map(({ index }) => index)).size;
}

/** Whether what is there should be enough to read the block. */
export function isComplete(holding: Holding): boolean {
  return holding.replicas.length > 0 || countShards(holding) >= DATA_SHARDS;
}

/** The highest generation of anything that is there; 0 for nothing. */
export function generationOf({ replicas, shards }: Holding): number {
  return [...replicas, ...shards].reduce((most, { location }) => Math.max(most, location.generation), 0);
}

/** Payload bytes of the block; to within three while a data shard lacks. */
export function storedBytesOf({ replicas, shards }: Holding): number {
  const [replica] = replicas;
  if (replica !== undefined) return replica.location.storedBytes;
  const lengths = new Map(
    shards.map(({ index, location }) => [index, location.storedBytes - SHARD_HEADER_BYTES]),
  );
  const most = Math.max(0, ...lengths.values());
  let total = 0;
  for (let index = 0; index < DATA_SHARDS; index++) total += lengths.get(index) ?? most;
  return total;
}

/** As the block looks from outside, whatever there is of it; `null` for nothing. */
export function locationOf(holding: Holding): BlockLocation | null {
  const generation = generationOf(holding);
  if (generation === 0) return null;
  return { blockId: holding.blockId, generation, storedBytes: storedBytesOf(holding) };
}
