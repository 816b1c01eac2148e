import type { BlockLocation, RemoteBlockStore } from '@cairn/block-store';
import type { StoredBlock } from '@cairn/content';
import type { Timers } from '@cairn/environment';
import { type BlockId, CairnError, isCairnError, isShardId } from '@cairn/model';
import type { Statistics } from '../../statistics.ts';
import type { Trace } from '../../trace.ts';
import type { Timeline } from '../../world/timeline.ts';
import type { Network } from './network.ts';
import type { SimulatedProcess } from './simulated-process.ts';
import type { StorageNode } from './storage-node.ts';

/** As the connection over a real network gives a node up. */
const IDLE_MS = 10_000;
const PAGE_BLOCKS = 500;
/** Whoever reads asks another node after this. */
const HEDGE_MS = 100;
const DUPLICATE_PERCENT = 2;
const DUPLICATE_MS = 60_000;

export interface RemoteNodeOptions {
  readonly server: string;
  readonly process: SimulatedProcess;
  readonly timers: Timers;
  readonly node: StorageNode;
  readonly network: Network;
  readonly timeline: Timeline;
  readonly trace: Trace;
  readonly statistics: Statistics;
  /** When this server began to read each block, from any node, while it waits for it. */
  readonly reading: Map<BlockId, number>;
}

function unreachable(why: string): CairnError {
  return new CairnError('unavailable', `the storage node does not answer: ${why}`);
}

function shortIds(blockIds: readonly BlockId[]): string {
  return blockIds.map((blockId) => blockId.slice(0, 6)).join(',');
}

/** The blocks of one node as one server process sees them, over a network that loses, delays and doubles messages. */
export function createRemoteNode(options: RemoteNodeOptions): RemoteBlockStore {
  const { server, process, timers, node, network, timeline, trace, statistics, reading } = options;
  let isClosed = false;

  /** One request; a connection belongs to one process of the node and ends with it. */
  async function ask<Result>(
    kind: string,
    what: string,
    work: (serving: SimulatedProcess) => Promise<Result>,
  ): Promise<Result> {
    if (isClosed) throw new CairnError('unavailable', 'the block store is closed; start the server again');
    await process.pass(kind);
    const link = network.link(server, node.nodeId);
    const line = `${server} ${kind} ${node.nodeId} ${what}`;
    return new Promise<Result>((resolve, reject) => {
      let isSettled = false;
      const target = node.answering();
      const stopListening =
        target?.onDeath(() => answer(() => reject(unreachable('the connection broke')))) ?? (() => undefined);
      const cancelTimeout = timers.schedule(IDLE_MS, () => {
        statistics.count('net:timeout');
        settle(() => reject(unreachable(`nothing came for ${IDLE_MS} ms`)));
      });

      function settle(act: () => void): void {
        if (isSettled) return;
        isSettled = true;
        cancelTimeout();
        stopListening();
        act();
      }

      /** Brings an answer, or the news that there will be none, back to the server. */
      function answer(act: () => void): void {
        const backMs = network.travel(link, link.isDeafBack);
        if (backMs === null) {
          statistics.count('net:answer-lost');
          trace.note(`${line}: answer lost`);
          return;
        }
        timeline.schedule(backMs, () => process.deliver(() => settle(act)));
      }

      function arrive(isFirst: boolean): void {
        if (target === null || target.isDead) {
          if (isFirst) answer(() => reject(unreachable('nobody listens')));
          return;
        }
        target.deliver(() => {
          work(target).then(
            (result) => {
              if (target.isDead) return;
              trace.note(`${line}: done`);
              if (isFirst) answer(() => resolve(result));
            },
            (error: unknown) => {
              // Whoever waited for it knows already.
              if (target.isDead) return;
              trace.note(`${line}: ${String(error)}`);
              if (isCairnError(error, 'precondition-failed')) statistics.count(`${kind}:refused-by-fence`);
              if (isFirst) answer(() => reject(error));
            },
          );
        });
      }

      const thereMs = network.travel(link, link.isDeafThere);
      if (thereMs === null) {
        statistics.count('net:request-lost');
        trace.note(`${line}: lost`);
        return;
      }
      if (thereMs > IDLE_MS && kind !== 'status') statistics.count(`net:late-${kind}`);
      timeline.schedule(thereMs, () => arrive(true));
      const isWrite = kind === 'put' || kind === 'delete';
      if (isWrite && network.isRough && network.draw.chance(DUPLICATE_PERCENT)) {
        statistics.count(`net:twice-${kind}`);
        timeline.schedule(thereMs + network.draw.below(DUPLICATE_MS), () => arrive(false));
      }
    });
  }

  function take(blockId: BlockId, found: StoredBlock | null | 'damaged'): StoredBlock | null {
    if (found !== 'damaged') return found;
    throw new CairnError('data-damaged', `block ${blockId} is damaged on a storage node`, {
      details: { blockId },
    });
  }

  return {
    status: () => ask('status', '', (serving) => node.status(serving)),
    put: (blocks, above) => {
      if (blocks.some(({ blockId }) => isShardId(blockId))) statistics.count('put:shard');
      return ask('put', shortIds(blocks.map(({ blockId }) => blockId)), (serving) =>
        node.put(serving, blocks, above),
      );
    },
    async get(blockId) {
      if (isShardId(blockId)) statistics.count('read:shard');
      const begunMs = reading.get(blockId);
      if (begunMs === undefined) reading.set(blockId, timeline.nowMs);
      else if (timeline.nowMs - begunMs >= HEDGE_MS) statistics.count('read:hedged');
      try {
        const [found] = await ask('get', shortIds([blockId]), (serving) => node.get(serving, [blockId]));
        return take(blockId, found ?? null);
      } finally {
        if (begunMs === undefined) reading.delete(blockId);
      }
    },
    async *getMany(blockIds) {
      const found = await ask('get', shortIds(blockIds), (serving) => node.get(serving, blockIds));
      for (const [index, blockId] of blockIds.entries()) yield take(blockId, found[index] ?? null);
    },
    async has(blockIds) {
      const locations = await ask('locate', shortIds(blockIds), (serving) =>
        node.read(serving, (blocks) => blocks.locate(blockIds)),
      );
      return locations.map((location) => location !== null);
    },
    locate: (blockIds) =>
      ask('locate', shortIds(blockIds), (serving) => node.read(serving, (blocks) => blocks.locate(blockIds))),
    delete: (location, fence) =>
      ask(
        'delete',
        `${shortIds([location.blockId])} ${location.generation} ${fence?.job} ${fence?.token}`,
        (serving) => node.delete(serving, location, fence),
      ),
    async *list(from) {
      for (let after = from; ; ) {
        const start = after;
        const page: BlockLocation[] = await ask('list', '', (serving) =>
          node.read(serving, async (blocks) => {
            const found: BlockLocation[] = [];
            for await (const location of blocks.list(start)) {
              found.push(location);
              if (found.length >= PAGE_BLOCKS) break;
            }
            return found;
          }),
        );
        yield* page;
        if (page.length < PAGE_BLOCKS) return;
        after = (page[page.length - 1] as BlockLocation).blockId;
      }
    },
    usage: () => ask('usage', '', (serving) => node.read(serving, (blocks) => blocks.usage())),
    async checkHealth() {
      const { refusesWrites } = await ask('status', '', (serving) => node.status(serving));
      if (refusesWrites !== null) throw new CairnError('unavailable', refusesWrites);
    },
    compact: () => ask('compact', '', (serving) => node.read(serving, (blocks) => blocks.compact())),
    scrub: () => ask('scrub', '', (serving) => node.read(serving, (blocks) => blocks.scrub())),
    async close() {
      isClosed = true;
    },
  };
}
