import type { BlockId } from '@cairn/model';
import type { ReplicaNodes } from './replica-node.ts';

/** How many of the nodes that answer have each block, in the same order. A node that fails counts as one that has none. */
export async function countReplicas(nodes: ReplicaNodes, blockIds: readonly BlockId[]): Promise<number[]> {
  const counts = blockIds.map(() => 0);
  const readable = nodes.list().filter((node) => node.isReadable);
  await Promise.all(
    readable.map(async ({ nodeId, blocks }) => {
      try {
        const locations = await blocks.locate(blockIds);
        locations.forEach((location, index) => {
          if (location !== null) counts[index] = (counts[index] ?? 0) + 1;
        });
      } catch (error) {
        nodes.note(nodeId, 'failed', error);
      }
    }),
  );
  return counts;
}
