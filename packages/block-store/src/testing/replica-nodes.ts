import type { BlockId, ErrorCode } from '@cairn/model';
import { CairnError } from '@cairn/model';
import type { BlockStore } from '../block-store.ts';
import { createMemoryBlockStore, type MemoryBlockStore } from '../memory/memory-block-store.ts';
import type { ReplicaNode, ReplicaNodes } from '../replicated/replica-node.ts';

/** A node in memory, and what can happen to it. */
export interface TestNode {
  readonly nodeId: string;
  readonly memory: MemoryBlockStore;
  isUp: boolean;
  isReadable: boolean;
  isWritable: boolean;
  isMember: boolean;
  /** Every call fails with this. */
  failsWith: ErrorCode | null;
  /** Every call waits for this first. */
  gate: Promise<void> | null;
  /** What is put from now on is acknowledged, and is not what was given: a disk that lies. */
  rots: boolean;
  readonly calls: string[];
  readonly notes: string[];
}

export interface TestNodes extends ReplicaNodes {
  readonly nodes: readonly TestNode[];
  /** Told of every call before it is made; may make it fail by throwing, or wait. */
  beforeCall: ((nodeId: string, call: string) => void | Promise<void>) | null;
  node(nodeId: string): TestNode;
  /** Ids of the nodes that have the block. */
  holders(blockId: BlockId): Promise<string[]>;
}

function faulty(node: TestNode, beforeCall: (call: string) => void | Promise<void>): BlockStore {
  async function enter(call: string): Promise<void> {
    node.calls.push(call);
    await beforeCall(call);
    if (node.gate !== null) await node.gate;
    if (node.failsWith !== null) throw new CairnError(node.failsWith, `the node ${node.nodeId} fails`);
  }
  const { memory } = node;
  return {
    async put(blocks, above) {
      await enter('put');
      const before = await memory.locate(blocks.map(({ blockId }) => blockId));
      const locations = await memory.put(blocks, above);
      for (const [at, { blockId, generation }] of locations.entries()) {
        if (node.rots && before[at]?.generation !== generation) memory.damage(blockId);
      }
      return locations;
    },
    get: (blockId) => enter('get').then(() => memory.get(blockId)),
    async *getMany(blockIds) {
      await enter('getMany');
      yield* memory.getMany(blockIds);
    },
    has: (blockIds) => enter('has').then(() => memory.has(blockIds)),
    locate: (blockIds) => enter('locate').then(() => memory.locate(blockIds)),
    delete: (location, fence) => enter('delete').then(() => memory.delete(location, fence)),
    async *list(after) {
      await enter('list');
      yield* memory.list(after);
    },
    usage: () => enter('usage').then(() => memory.usage()),
    checkHealth: () => enter('checkHealth').then(() => memory.checkHealth()),
    compact: (options) => enter('compact').then(() => memory.compact(options)),
    scrub: (options) => enter('scrub').then(() => memory.scrub(options)),
    close: () => memory.close(),
  };
}

/** Nodes in memory, named `n1` and on. */
export function createTestNodes(count: number, capacityBytes?: number): TestNodes {
  const nodes = Array.from(
    { length: count },
    (_, index): TestNode => ({
      nodeId: `n${index + 1}`,
      memory: createMemoryBlockStore(capacityBytes === undefined ? {} : { capacityBytes }),
      isUp: true,
      isReadable: true,
      isWritable: true,
      isMember: true,
      failsWith: null,
      gate: null,
      rots: false,
      calls: [],
      notes: [],
    }),
  );
  const stores = new Map(
    nodes.map((node) => [node, faulty(node, (call) => made.beforeCall?.(node.nodeId, call))]),
  );
  function find(nodeId: string): TestNode {
    const node = nodes.find((each) => each.nodeId === nodeId);
    if (node === undefined) throw new Error(`there is no node ${nodeId}`);
    return node;
  }
  const made: TestNodes = {
    nodes,
    beforeCall: null,
    node: find,
    list: () =>
      nodes.map((node): ReplicaNode => {
        const { nodeId, isUp, isReadable, isWritable, isMember } = node;
        return {
          nodeId,
          weight: 1,
          zone: '',
          isUp,
          isReadable,
          isWritable,
          isMember,
          blocks: stores.get(node) as BlockStore,
        };
      }),
    note: (nodeId, outcome) => find(nodeId).notes.push(outcome),
    async holders(blockId) {
      const has = await Promise.all(nodes.map(({ memory }) => memory.has([blockId])));
      return nodes.filter((_, index) => has[index]?.[0] === true).map(({ nodeId }) => nodeId);
    },
    async close() {
      for (const { memory } of nodes) await memory.close();
    },
  };
  return made;
}
