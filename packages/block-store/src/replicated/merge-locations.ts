import type { BlockId } from '@cairn/model';
import type { BlockLocation } from '../block-store.ts';
import type { ReplicaNode, ReplicaNodes } from './replica-node.ts';

const PAGE_BLOCKS = 500;

/** Where a node has these; nothing when it fails: whoever goes through a list takes absence for "not seen now". */
async function locate(
  nodes: ReplicaNodes,
  node: ReplicaNode,
  blockIds: readonly BlockId[],
): Promise<(BlockLocation | null)[]> {
  try {
    return await node.blocks.locate(blockIds);
  } catch (error) {
    nodes.note(node.nodeId, 'failed', error);
    return [];
  }
}

async function* pagesOf(
  nodes: ReplicaNodes,
  node: ReplicaNode,
  after: BlockId | undefined,
): AsyncGenerator<BlockLocation[]> {
  let page: BlockLocation[] = [];
  try {
    for await (const location of node.blocks.list(after)) {
      page.push(location);
      if (page.length < PAGE_BLOCKS) continue;
      yield page;
      page = [];
    }
  } catch (error) {
    nodes.note(node.nodeId, 'failed', error);
  }
  if (page.length > 0) yield page;
}

/**
 * The blocks of all nodes that can be read, one node after the other, each block once with its highest generation: what an
 * earlier node has is left out of the lists of later ones. So the orders of their lists do not matter, and one page is
 * in memory. A node that fails on the way is left out from there on.
 * @param after goes on behind this block, on the first node that has it; from the beginning when none has it any more
 */
export async function* mergeLocations(
  nodes: ReplicaNodes,
  checkOpen: () => void,
  after: BlockId | undefined,
): AsyncGenerator<BlockLocation> {
  const readable = nodes.list().filter((node) => node.isReadable);
  let first = 0;
  let from = after;
  if (after !== undefined) {
    const held = await Promise.all(readable.map((node) => locate(nodes, node, [after])));
    first = held.findIndex(([location]) => location !== null && location !== undefined);
    if (first < 0) {
      first = 0;
      from = undefined;
    }
  }
  for (const [index, node] of readable.entries()) {
    if (index < first) continue;
    for await (const page of pagesOf(nodes, node, index === first ? from : undefined)) {
      checkOpen();
      const ids = page.map(({ blockId }) => blockId);
      const others = readable.filter((other) => other !== node);
      const answers = await Promise.all(
        others.map(async (other) => ({
          isEarlier: readable.indexOf(other) < index,
          locations: await locate(nodes, other, ids),
        })),
      );
      for (const [place, location] of page.entries()) {
        let best = location;
        let wasTold = false;
        for (const { isEarlier, locations } of answers) {
          const other = locations[place] ?? null;
          if (other === null) continue;
          if (isEarlier) wasTold = true;
          if (other.generation > best.generation) best = other;
        }
        if (!wasTold) yield best;
      }
    }
  }
}
