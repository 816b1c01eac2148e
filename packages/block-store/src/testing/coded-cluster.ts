import { createHash } from 'node:crypto';
import type { StoredBlock } from '@cairn/content';
import { createSystemEnvironment } from '@cairn/environment';
import { type BlockId, shardIdOf } from '@cairn/model';
import { type CodingOptions, type RepairOptions, repairBlocks } from '../replicated/repair-blocks.ts';
import { createReplicatedBlockStore } from '../replicated/replicated-block-store.ts';
import { createTestNodes, type TestNode } from './replica-nodes.ts';

const environment = createSystemEnvironment();
const SHARDS = [0, 1, 2, 3, 4, 5];

/** A block whose id is the hash of its text, in a payload that could have been compressed in several ways. */
export function textBlock(text: string, wrapping = 0): StoredBlock {
  const payload = new TextEncoder().encode(`${text}${' '.repeat(wrapping)}`);
  const blockId = `01${createHash('sha256').update(text).digest('hex')}` as BlockId;
  return { blockId, kind: 'chunk', codec: 'raw', plainBytes: payload.length, payload };
}

/** Whether the payload, less what it is wrapped in, is what the id names. */
export function isTextBlock({ blockId, payload }: StoredBlock): boolean {
  const text = Buffer.from(payload).toString().trimEnd();
  return blockId.slice(2) === createHash('sha256').update(text).digest('hex');
}

export const CODE_ALL: CodingOptions = {
  chooseDue: async (blockIds) => new Set(blockIds),
  minBytes: 0,
};

/** A cluster in memory whose repair makes shards of everything, when it is run so. */
export function createCodedCluster(count: number, hedgeAfterMs = 5) {
  const nodes = createTestNodes(count);
  const missing: BlockId[] = [];
  const store = createReplicatedBlockStore({
    nodes,
    environment,
    verify: isTextBlock,
    hedgeAfterMs,
    onMissing: (blockIds) => missing.push(...blockIds),
  });

  async function run(blockIds: readonly BlockId[], options: Partial<RepairOptions> = {}) {
    async function* pages() {
      yield blockIds;
    }
    return repairBlocks({ nodes, environment, replicas: 3, verify: isTextBlock, ...options }, pages());
  }

  return {
    nodes,
    store,
    /** Blocks that reads found to lack something. */
    missing,
    /** A run that only makes up for what lacks. */
    repair: (blockIds: readonly BlockId[]) => run(blockIds),
    /** A whole run with coding switched on. */
    code: (blockIds: readonly BlockId[], options: Partial<RepairOptions> = {}) =>
      run(blockIds, { rebalance: true, coding: CODE_ALL, ...options }),
    /** A whole run with coding switched off. */
    turnBack: (blockIds: readonly BlockId[]) => run(blockIds, { rebalance: true }),
    /** Which nodes have which shard of it. */
    async shards(blockId: BlockId): Promise<Map<string, number[]>> {
      const found = new Map<string, number[]>();
      for (const { nodeId, memory } of nodes.nodes) {
        const has = await memory.has(SHARDS.map((index) => shardIdOf(blockId, index)));
        const own = SHARDS.filter((index) => has[index]);
        if (own.length > 0) found.set(nodeId, own);
      }
      return found;
    },
    node: (at: number): TestNode => nodes.nodes[at % nodes.nodes.length] as TestNode,
    /** A node is away until it comes back; `out`: it is given up. */
    take(at: number, as: 'silent' | 'out' | 'back'): void {
      const isHere = as === 'back';
      Object.assign(nodes.nodes[at % nodes.nodes.length] as TestNode, {
        isUp: isHere,
        isReadable: isHere,
        isWritable: isHere,
        isMember: as !== 'out',
        failsWith: isHere ? null : 'unavailable',
      });
    },
  };
}

export type CodedCluster = ReturnType<typeof createCodedCluster>;
