import type { StoredBlock } from '@cairn/content';
import type { Environment } from '@cairn/environment';
import { ALL_SHARDS } from '@cairn/kernels';
import type { BlockId } from '@cairn/model';
import type { Fence } from '../block-store.ts';
import { createCodedGet } from '../coded/coded-get.ts';
import { type Holding, isComplete, locateHoldings, storedBytesOf } from '../coded/holdings.ts';
import { mendShards } from '../coded/mend-shards.ts';
import { mendReplicas } from './mend-replicas.ts';
import type { RepairCounts, RepairReport, RepairRun } from './repair-run.ts';
import type { ReplicaNodes } from './replica-node.ts';

export interface RepairOptions {
  readonly nodes: ReplicaNodes;
  readonly environment: Environment;
  readonly replicas: number;
  readonly verify: (block: StoredBlock) => boolean;
  /** Bytes that may be read and written each second; unlimited unless told. */
  readonly bytesPerSecond?: number;
  /**
   * Also brings blocks where placement wants them, makes shards of old ones, and takes surplus replicas away.
   */
  readonly rebalance?: boolean;
  /** Which blocks become shards (ADR 0015). Without it none do, and those that are come back as replicas. */
  readonly coding?: CodingOptions;
  /** For what is taken away. */
  readonly fence?: Fence;
  readonly signal?: AbortSignal;
  readonly onProgress?: (report: RepairReport) => void;
}

export interface CodingOptions {
  /** Which of these are old enough. */
  chooseDue(blockIds: readonly BlockId[]): Promise<ReadonlySet<BlockId>>;
  /** Whether this run may go on making shards: not while something more pressing waits for its end. */
  mayGoOn?(): boolean;
  /** Smaller payloads keep their replicas; 16 KiB unless told. */
  readonly minBytes?: number;
}

const MAX_LOST_LISTED = 100;
const COPIES_AT_ONCE = 8;
const MIN_CODED_BYTES = 16 * 1024;
const HEDGE_AFTER_MS = 1000;

/**
 * Compares what must exist with what the nodes have, and makes up for what lacks (ADR 0013). Copies only blocks that it
 * is given, so what was collected does not come back. Never takes a replica or shard away before as many as wanted were
 * read whole from the nodes where they belong. Safe to run at any time, and to stop at any time.
 * @param blockIds pages of ids that metadata says are live
 */
export async function repairBlocks(
  options: RepairOptions,
  blockIds: AsyncIterable<readonly BlockId[]>,
): Promise<RepairReport> {
  const { nodes, environment, replicas, verify, signal, coding } = options;
  const rebalance = options.rebalance ?? false;
  const counts: RepairCounts = {
    checkedBlocks: 0,
    underReplicated: 0,
    repaired: 0,
    waiting: 0,
    unavailable: 0,
    lost: 0,
    lostBlocks: [],
    codedBlocks: 0,
    codedBytes: 0,
    copiedBytes: 0,
    removedReplicas: 0,
    failedCopies: 0,
  };
  const startedMs = environment.clock.monotonicMs();
  let trafficBytes = 0;
  const run: RepairRun = {
    nodes,
    environment,
    replicas,
    verify,
    rebalance,
    fence: options.fence,
    signal,
    counts,
    claimed: new Set(),
    readShards: createCodedGet({ nodes, environment, verify, hedgeAfterMs: HEDGE_AFTER_MS }),
    noteTraffic(sizeBytes) {
      trafficBytes += sizeBytes;
    },
    noteLost(blockId) {
      counts.lost++;
      if (counts.lostBlocks.length < MAX_LOST_LISTED) counts.lostBlocks = [...counts.lostBlocks, blockId];
    },
  };

  async function keepPace(): Promise<void> {
    if (options.bytesPerSecond === undefined) return;
    const dueMs = startedMs + (trafficBytes / options.bytesPerSecond) * 1000;
    const waitMs = dueMs - environment.clock.monotonicMs();
    if (waitMs > 0) await environment.timers.sleep(waitMs, signal);
  }

  /** Whether the block ought to be shards. What is neither old nor whole as shards yet keeps its replicas. */
  function wantsShards(holding: Holding, isDue: boolean): boolean {
    if (holding.replicas.length === 0) return !rebalance || coding !== undefined;
    if (!rebalance || coding === undefined || !isDue) return false;
    if (storedBytesOf(holding) < (coding.minBytes ?? MIN_CODED_BYTES)) return false;
    return nodes.list().filter((node) => node.isMember).length >= ALL_SHARDS;
  }

  async function mend(holding: Holding, silent: ReadonlySet<string>, isDue: boolean): Promise<void> {
    counts.checkedBlocks++;
    if (!isComplete(holding)) {
      if (silent.size > 0) counts.unavailable++;
      else run.noteLost(holding.blockId);
      return;
    }
    const isDone =
      wantsShards(holding, isDue) && (await mendShards(run, holding, silent, coding?.mayGoOn?.() ?? true));
    if (!isDone) await mendReplicas(run, holding, silent);
  }

  for await (const page of blockIds) {
    signal?.throwIfAborted();
    const all = nodes.list();
    const readable = all.filter((node) => node.isReadable);
    const { holdings, failed } = await locateHoldings(nodes, readable, page);
    const away = all.filter((node) => !node.isReadable).map(({ nodeId }) => nodeId);
    const silent = new Set([...away, ...failed.keys()]);
    const due = rebalance && coding !== undefined ? await coding.chooseDue(page) : new Set<BlockId>();
    for (let start = 0; start < holdings.length; start += COPIES_AT_ONCE) {
      signal?.throwIfAborted();
      const some = holdings.slice(start, start + COPIES_AT_ONCE);
      await Promise.all(some.map((holding) => mend(holding, silent, due.has(holding.blockId))));
      await keepPace();
    }
    options.onProgress?.({ ...counts });
  }
  return counts;
}
