import type { BlockId } from '@cairn/model';
import type { BlockLocation } from '../block-store.ts';
import type { ReplicaNode, ReplicaNodes } from './replica-node.ts';

/** The next location of one node's list. */
interface Head {
  readonly node: ReplicaNode;
  readonly rest: AsyncIterator<BlockLocation>;
  location: BlockLocation;
}

async function advance(
  nodes: ReplicaNodes,
  node: ReplicaNode,
  rest: AsyncIterator<BlockLocation>,
): Promise<Head | null> {
  try {
    const next = await rest.next();
    return next.done === true ? null : { node, rest, location: next.value };
  } catch (error) {
    // Whoever goes through a list must not take absence for more than "not seen now".
    nodes.note(node.nodeId, 'failed', error);
    return null;
  }
}

/**
 * The lists of all nodes that can be read as one, in order of ids, each block once with its highest generation. A node
 * that fails on the way is left out from there on. At most one page of each node is in memory.
 */
export async function* mergeLocations(
  nodes: ReplicaNodes,
  checkOpen: () => void,
  after: BlockId | undefined,
): AsyncGenerator<BlockLocation> {
  const readable = nodes.list().filter((node) => node.isReadable);
  const started = readable.map((node) =>
    advance(nodes, node, node.blocks.list(after)[Symbol.asyncIterator]()),
  );
  let heads = (await Promise.all(started)).filter((head) => head !== null);
  try {
    while (heads.length > 0) {
      checkOpen();
      let least: BlockId = (heads[0] as Head).location.blockId;
      for (const { location } of heads) if (location.blockId < least) least = location.blockId;
      let best: BlockLocation | null = null;
      const going: Head[] = [];
      for (const head of heads) {
        if (head.location.blockId !== least) {
          going.push(head);
          continue;
        }
        if (head.location.generation > (best?.generation ?? 0)) best = head.location;
        const next = await advance(nodes, head.node, head.rest);
        if (next !== null) going.push(next);
      }
      heads = going;
      if (best !== null) yield best;
    }
  } finally {
    for (const head of heads) await head.rest.return?.();
  }
}
