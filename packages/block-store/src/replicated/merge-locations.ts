import type { BlockId } from '@cairn/model';
import type { BlockLocation } from '../block-store.ts';
import { blockOf, type Holding, locateHoldings, locationOf } from '../coded/holdings.ts';
import type { ReplicaNode, ReplicaNodes } from './replica-node.ts';

const PAGE_BLOCKS = 500;

async function* pagesOf(
  nodes: ReplicaNodes,
  node: ReplicaNode,
  after: BlockId | undefined,
): AsyncGenerator<BlockId[]> {
  let page: BlockId[] = [];
  try {
    for await (const { blockId } of node.blocks.list(after)) {
      page.push(blockId);
      if (page.length < PAGE_BLOCKS) continue;
      yield page;
      page = [];
    }
  } catch (error) {
    nodes.note(node.nodeId, 'failed', error);
  }
  if (page.length > 0) yield page;
}

/** The record by which a block is told: on the first of these nodes that has it, its replica or else its lowest shard. */
function tellerOf(
  { replicas, shards }: Holding,
  order: ReadonlyMap<string, number>,
): { readonly nodeId: string; readonly storedId: BlockId } | null {
  let best: { readonly nodeId: string; readonly storedId: BlockId } | null = null;
  for (const { node, location } of [...replicas, ...shards]) {
    const [place, least] = [order.get(node.nodeId) ?? 0, best === null ? -1 : (order.get(best.nodeId) ?? 0)];
    // Ids of shards of one block grow with their number, and are above that of the block.
    const isEarlier = place < least || (place === least && best !== null && location.blockId < best.storedId);
    if (best === null || isEarlier) best = { nodeId: node.nodeId, storedId: location.blockId };
  }
  return best;
}

/**
 * The blocks of all nodes that can be read, one node after the other, each block once with its highest generation,
 * replicas and shards counted together: what an earlier node has is left out of the lists of later ones. So the orders of
 * their lists do not matter, and one page is in memory. A node that fails on the way is left out from there on.
 * @param after goes on behind this block, on the first node that has it; from the beginning when none has it any more
 */
export async function* mergeLocations(
  nodes: ReplicaNodes,
  checkOpen: () => void,
  after: BlockId | undefined,
): AsyncGenerator<BlockLocation> {
  const readable = nodes.list().filter((node) => node.isReadable);
  const order = new Map(readable.map(({ nodeId }, place) => [nodeId, place]));
  let first = 0;
  let from: BlockId | undefined;
  if (after !== undefined) {
    const { holdings } = await locateHoldings(nodes, readable, [after]);
    const teller = holdings[0] === undefined ? null : tellerOf(holdings[0], order);
    first = teller === null ? 0 : (order.get(teller.nodeId) ?? 0);
    from = teller?.storedId;
  }
  for (const [index, node] of readable.entries()) {
    if (index < first) continue;
    for await (const page of pagesOf(nodes, node, index === first ? from : undefined)) {
      checkOpen();
      const { holdings } = await locateHoldings(nodes, readable, [...new Set(page.map(blockOf))]);
      const byBlock = new Map(holdings.map((holding) => [holding.blockId, holding]));
      for (const storedId of page) {
        const holding = byBlock.get(blockOf(storedId)) as Holding;
        const teller = tellerOf(holding, order);
        // Nobody has it any more, or who tells of it is somebody else.
        if (teller === null || teller.nodeId !== node.nodeId || teller.storedId !== storedId) continue;
        const location = locationOf(holding);
        if (location !== null) yield location;
      }
    }
  }
}
