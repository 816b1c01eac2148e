import type { BlockId } from '@cairn/model';
import { countShards, locateHoldings } from '../coded/holdings.ts';
import type { ReplicaNodes } from './replica-node.ts';

/** Six shards survive what three replicas do. */
const SHARDS_BEYOND_REPLICAS = 3;

/**
 * How many of the nodes that answer have each block, in the same order. A node that fails counts as one that has none.
 * Shards count as many replicas as would survive the same losses.
 */
export async function countReplicas(nodes: ReplicaNodes, blockIds: readonly BlockId[]): Promise<number[]> {
  const readable = nodes.list().filter((node) => node.isReadable);
  const { holdings } = await locateHoldings(nodes, readable, blockIds);
  return holdings.map((holding) =>
    Math.max(holding.replicas.length, countShards(holding) - SHARDS_BEYOND_REPLICAS),
  );
}
