import type { StoredBlock } from '@cairn/content';
import { type BlockId, CairnError, isCairnError } from '@cairn/model';
import type { BlockLocation } from '../block-store.ts';
import { createMemoryPool, type MemoryLease } from '../memory-pool.ts';
import { orderNodes } from './placement.ts';
import type { ReplicaNode, ReplicaNodes } from './replica-node.ts';

export interface ReplicatedPutOptions {
  readonly nodes: ReplicaNodes;
  readonly replicas: number;
  readonly writeQuorum: number;
  /** Bytes of puts that are on their way, those that are acknowledged and late on one node included. */
  readonly maxInFlightBytes: number;
  /** Blocks that have fewer than the wanted number of replicas after all was tried. */
  readonly onMissing: (blockIds: readonly BlockId[]) => void;
}

/** One block on its way to its nodes. */
interface Journey {
  readonly block: StoredBlock;
  /** Nodes to try when one fails, best first. */
  readonly spare: ReplicaNode[];
  acknowledged: number;
  /** The weakest generation among the replicas: a delete that is lower than this hits none of them. */
  generation: number;
  underWay: number;
  readonly failures: unknown[];
}

export interface ReplicatedPut {
  /** See `BlockStore.put`; the generations are the lowest of the acknowledged replicas. */
  put(
    blocks: readonly StoredBlock[],
    above?: ReadonlyMap<BlockId, number>,
  ): Promise<readonly BlockLocation[]>;
  /** Resolves when what is on its way now has arrived or failed, with all that is tried instead. */
  settle(): Promise<void>;
}

function refusal(journeys: readonly Journey[], writeQuorum: number): CairnError {
  const failures = journeys.flatMap((journey) => journey.failures);
  if (failures.length > 0 && failures.every((error) => isCairnError(error, 'storage-full'))) {
    return new CairnError(
      'storage-full',
      'the storage nodes are full and nothing of this request was stored; add a node or free some space, then try again',
      { cause: failures[0] },
    );
  }
  return new CairnError(
    'unavailable',
    `fewer than ${writeQuorum} storage nodes can take this now; nothing of it counts as stored. Try again when "cairn admin nodes" shows more of them up`,
    { cause: failures[0], details: { writeQuorum, blocks: journeys.length } },
  );
}

/** What a pack of a client comes to; 32 MiB are kept. */
const MEMORY_CHUNK_BYTES = 4 * 1024 * 1024;
const MAX_KEPT_CHUNKS = 8;

function copyOf(payload: Uint8Array, lease: MemoryLease): Uint8Array {
  const copy = lease.take(payload.length);
  copy.set(payload);
  return copy;
}

/** Writes blocks to their nodes at the same time and answers when enough of them have it durable. */
export function createReplicatedPut(options: ReplicatedPutOptions): ReplicatedPut {
  const { nodes, replicas, writeQuorum, maxInFlightBytes } = options;
  let inFlightBytes = 0;
  const waiting: { readonly sizeBytes: number; readonly enter: () => void }[] = [];
  const sends = new Set<Promise<void>>();
  const memory = createMemoryPool({ chunkBytes: MEMORY_CHUNK_BYTES, maxKept: MAX_KEPT_CHUNKS });

  function admit(): void {
    for (let next = waiting[0]; next !== undefined; next = waiting[0]) {
      if (inFlightBytes > 0 && inFlightBytes + next.sizeBytes > maxInFlightBytes) return;
      waiting.shift();
      inFlightBytes += next.sizeBytes;
      next.enter();
    }
  }

  function enter(sizeBytes: number): Promise<void> {
    return new Promise((resolve) => {
      waiting.push({ sizeBytes, enter: resolve });
      admit();
    });
  }

  async function send(
    node: ReplicaNode,
    journeys: readonly Journey[],
    above: ReadonlyMap<BlockId, number> | undefined,
    onProgress: () => void,
  ): Promise<void> {
    for (const journey of journeys) journey.underWay++;
    try {
      const locations = await node.blocks.put(
        journeys.map((journey) => journey.block),
        above,
      );
      nodes.note(node.nodeId, 'answered');
      journeys.forEach((journey, index) => {
        journey.acknowledged++;
        journey.generation = Math.min(journey.generation, (locations[index] as BlockLocation).generation);
      });
    } catch (error) {
      nodes.note(node.nodeId, isCairnError(error, 'storage-full') ? 'full' : 'failed', error);
      for (const journey of journeys) journey.failures.push(error);
    }
    for (const journey of journeys) journey.underWay--;
    dispatch(journeys, above, onProgress);
    onProgress();
  }

  /** Sends each block to as many further nodes as it lacks. */
  function dispatch(
    journeys: readonly Journey[],
    above: ReadonlyMap<BlockId, number> | undefined,
    onProgress: () => void,
  ): void {
    const byNode = new Map<ReplicaNode, Journey[]>();
    for (const journey of journeys) {
      const wanted = replicas - journey.acknowledged - journey.underWay;
      for (const node of journey.spare.splice(0, Math.max(0, wanted))) {
        const list = byNode.get(node);
        if (list === undefined) byNode.set(node, [journey]);
        else list.push(journey);
      }
    }
    for (const [node, list] of byNode) {
      const sending: Promise<void> = send(node, list, above, onProgress).finally(() => sends.delete(sending));
      sends.add(sending);
    }
  }

  async function deliver(
    journeys: readonly Journey[],
    above: ReadonlyMap<BlockId, number> | undefined,
    onEnd: () => void,
  ): Promise<void> {
    let ended = false;
    await new Promise<void>((resolve, reject) => {
      function onProgress(): void {
        const isOver = journeys.every((journey) => journey.underWay === 0);
        if (journeys.every((journey) => journey.acknowledged >= writeQuorum)) resolve();
        // What cannot reach its quorum any more is refused once nobody reads the blocks.
        else if (isOver) {
          reject(
            refusal(
              journeys.filter((journey) => journey.acknowledged < writeQuorum),
              writeQuorum,
            ),
          );
        }
        if (!isOver || ended) return;
        ended = true;
        const missing = journeys.filter(({ acknowledged }) => acknowledged > 0 && acknowledged < replicas);
        if (missing.length > 0) options.onMissing(missing.map(({ block }) => block.blockId));
        onEnd();
      }
      dispatch(journeys, above, onProgress);
      onProgress();
    });
  }

  return {
    async put(blocks, above) {
      const unique = new Map<BlockId, StoredBlock>();
      for (const block of blocks) unique.set(block.blockId, block);
      if (unique.size === 0) return [];
      let sizeBytes = 0;
      for (const block of unique.values()) sizeBytes += block.payload.length;
      await enter(sizeBytes);
      const writable = nodes.list().filter((node) => node.isWritable);
      const lease = memory.lease(sizeBytes);
      const journeys = [...unique.values()].map(
        (block): Journey => ({
          // Memory of its own: the caller may use the payload's again once the quorum has it, and the slowest
          // node still reads it then.
          block: { ...block, payload: copyOf(block.payload, lease) },
          spare: orderNodes(block.blockId, writable),
          acknowledged: 0,
          generation: Number.POSITIVE_INFINITY,
          underWay: 0,
          failures: [],
        }),
      );
      function leave(): void {
        // A connection that broke off may still read what it was given.
        if (journeys.every(({ failures }) => failures.length === 0)) lease.release();
        inFlightBytes -= sizeBytes;
        admit();
      }
      if (writable.length < writeQuorum) {
        leave();
        throw refusal(journeys, writeQuorum);
      }
      await deliver(journeys, above, leave);
      const locations = new Map<BlockId, BlockLocation>();
      for (const { block, generation } of journeys) {
        const { blockId, payload } = block;
        locations.set(blockId, { blockId, generation, storedBytes: payload.length });
      }
      return blocks.map(({ blockId }) => locations.get(blockId) as BlockLocation);
    },
    async settle() {
      // Each round is one attempt at a further node; what others send meanwhile is not waited for without end.
      for (let round = 0; sends.size > 0 && round <= nodes.list().length; round++) {
        await Promise.allSettled([...sends]);
      }
    },
  };
}
