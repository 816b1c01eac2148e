import type { StoredBlock } from '@cairn/content';
import type { Environment } from '@cairn/environment';
import { type BlockId, isCairnError } from '@cairn/model';
import type { BlockLocation, Fence } from '../block-store.ts';
import { orderNodes } from './placement.ts';
import type { ReplicaNode, ReplicaNodes } from './replica-node.ts';

export interface RepairOptions {
  readonly nodes: ReplicaNodes;
  readonly environment: Environment;
  readonly replicas: number;
  readonly verify: (block: StoredBlock) => boolean;
  /** Payload bytes that may be copied each second; unlimited unless told. */
  readonly bytesPerSecond?: number;
  /** Also brings blocks where placement wants them and takes surplus replicas away. */
  readonly rebalance?: boolean;
  /** For what is taken away. */
  readonly fence?: Fence;
  readonly signal?: AbortSignal;
  readonly onProgress?: (report: RepairReport) => void;
}

export interface RepairReport {
  readonly checkedBlocks: number;
  /** Had fewer replicas than wanted on nodes that can be relied on, when they were looked at. */
  readonly underReplicated: number;
  /** Of these: as many as wanted now. */
  readonly repaired: number;
  /** Of these: nothing to do yet, as a node that ought to have it may come back. */
  readonly waiting: number;
  /** No node that answers has it, and one that does not answer may. */
  readonly unavailable: number;
  /** Every node was asked, and none has it whole. */
  readonly lost: number;
  /** The first of these. */
  readonly lostBlocks: readonly BlockId[];
  readonly copiedBytes: number;
  readonly removedReplicas: number;
  /** Copies that did not succeed; the next run tries again. */
  readonly failedCopies: number;
}

type Counts = { -readonly [Name in keyof RepairReport]: RepairReport[Name] };

const MAX_LOST_LISTED = 100;
const COPIES_AT_ONCE = 8;

/** What is known of one block. */
interface Holding {
  readonly blockId: BlockId;
  readonly holders: readonly { readonly node: ReplicaNode; readonly location: BlockLocation }[];
}

/**
 * Compares what must exist with what the nodes have, and makes up for what lacks (ADR 0013). Copies only blocks that it
 * is given, so what was collected does not come back. Never takes a replica away before as many as wanted were read
 * whole from the nodes where they belong. Safe to run at any time, and to stop at any time.
 * @param blockIds pages of ids that metadata says are live
 */
export async function repairBlocks(
  options: RepairOptions,
  blockIds: AsyncIterable<readonly BlockId[]>,
): Promise<RepairReport> {
  const { nodes, environment, replicas, verify, signal } = options;
  const counts: Counts = {
    checkedBlocks: 0,
    underReplicated: 0,
    repaired: 0,
    waiting: 0,
    unavailable: 0,
    lost: 0,
    lostBlocks: [],
    copiedBytes: 0,
    removedReplicas: 0,
    failedCopies: 0,
  };
  const startedMs = environment.clock.monotonicMs();

  async function keepPace(): Promise<void> {
    if (options.bytesPerSecond === undefined) return;
    const dueMs = startedMs + (counts.copiedBytes / options.bytesPerSecond) * 1000;
    const waitMs = dueMs - environment.clock.monotonicMs();
    if (waitMs > 0) await environment.timers.sleep(waitMs, signal);
  }

  async function lookUp(page: readonly BlockId[]): Promise<{ holdings: Holding[]; silent: Set<string> }> {
    const all = nodes.list();
    const silent = new Set(all.filter((node) => !node.isReadable).map(({ nodeId }) => nodeId));
    const answers = await Promise.all(
      all.map(async (node) => {
        if (silent.has(node.nodeId)) return null;
        try {
          return { node, locations: await node.blocks.locate(page) };
        } catch (error) {
          nodes.note(node.nodeId, 'failed', error);
          silent.add(node.nodeId);
          return null;
        }
      }),
    );
    const holdings = page.map((blockId, index): Holding => {
      const holders = answers.flatMap((answer) => {
        const location = answer?.locations[index] ?? null;
        return answer === null || location === null ? [] : [{ node: answer.node, location }];
      });
      return { blockId, holders };
    });
    return { holdings, silent };
  }

  async function readFrom(holding: Holding): Promise<StoredBlock | null> {
    for (const { node } of holding.holders) {
      try {
        const block = await node.blocks.get(holding.blockId);
        if (block !== null && block.blockId === holding.blockId && verify(block)) return block;
      } catch (error) {
        // The node has marked it by now, so that the next run counts it as lacking there.
        environment.log.warn('storage-nodes.repair-read', {
          nodeId: node.nodeId,
          blockId: holding.blockId,
          error: String(error),
        });
      }
    }
    return null;
  }

  async function copy(holding: Holding, targets: readonly ReplicaNode[]): Promise<number> {
    const block = await readFrom(holding);
    if (block === null) {
      counts.failedCopies += targets.length;
      return 0;
    }
    const results = await Promise.allSettled(targets.map((node) => node.blocks.put([block])));
    let copied = 0;
    results.forEach((result, index) => {
      const { nodeId } = targets[index] as ReplicaNode;
      if (result.status === 'fulfilled') copied++;
      else nodes.note(nodeId, 'failed', result.reason);
    });
    counts.copiedBytes += copied * block.payload.length;
    counts.failedCopies += targets.length - copied;
    return copied;
  }

  async function mend(holding: Holding, silent: ReadonlySet<string>): Promise<void> {
    const { blockId, holders } = holding;
    counts.checkedBlocks++;
    const all = nodes.list();
    const held = new Set(holders.map(({ node }) => node.nodeId));
    if (holders.length === 0) {
      if (silent.size > 0) counts.unavailable++;
      else {
        counts.lost++;
        if (counts.lostBlocks.length < MAX_LOST_LISTED) counts.lostBlocks = [...counts.lostBlocks, blockId];
      }
      return;
    }
    const members = all.filter((node) => node.isMember);
    const wanted = orderNodes(blockId, members).slice(0, replicas);
    const sound = members.filter(({ nodeId }) => held.has(nodeId)).length;
    // Who is silent for a short while is likely to have what it ought to have.
    const expected = wanted.filter(({ nodeId }) => silent.has(nodeId) && !held.has(nodeId)).length;
    const isLacking = sound < Math.min(replicas, members.length);
    const missing = replicas - sound - expected;
    const lacksThere = wanted.filter(({ nodeId }) => !held.has(nodeId));
    const usable = orderNodes(
      blockId,
      members.filter((node) => node.isWritable && !held.has(node.nodeId)),
    );
    if (isLacking) counts.underReplicated++;
    let copied = 0;
    if (missing > 0) copied = await copy(holding, usable.slice(0, missing));
    else if (options.rebalance === true && lacksThere.length > 0 && expected === 0) {
      await copy(
        holding,
        lacksThere.filter((node) => node.isWritable),
      );
      return;
    }
    if (isLacking && sound + copied >= Math.min(replicas, members.length)) counts.repaired++;
    else if (isLacking && missing <= 0) counts.waiting++;
    if (options.rebalance === true && lacksThere.length === 0) await removeSurplus(holding, wanted);
  }

  /** Whether the node's replica, read now, is whole. */
  async function isWhole(node: ReplicaNode, blockId: BlockId): Promise<boolean> {
    try {
      const block = await node.blocks.get(blockId);
      return block !== null && block.blockId === blockId && verify(block);
    } catch (error) {
      if (!isCairnError(error, 'data-damaged')) nodes.note(node.nodeId, 'failed', error);
      return false;
    }
  }

  async function removeSurplus({ blockId, holders }: Holding, wanted: readonly ReplicaNode[]): Promise<void> {
    const ids = new Set(wanted.map(({ nodeId }) => nodeId));
    const surplus = holders.filter(({ node }) => !ids.has(node.nodeId));
    if (surplus.length === 0) return;
    // An index that names a replica is no proof of it: the surplus one may be the only one that did not rot.
    for (const node of wanted) if (!(await isWhole(node, blockId))) return;
    for (const { node, location } of surplus) {
      try {
        if (await node.blocks.delete(location, options.fence)) counts.removedReplicas++;
      } catch (error) {
        nodes.note(node.nodeId, 'failed', error);
      }
    }
  }

  for await (const page of blockIds) {
    signal?.throwIfAborted();
    const { holdings, silent } = await lookUp(page);
    for (let start = 0; start < holdings.length; start += COPIES_AT_ONCE) {
      signal?.throwIfAborted();
      const some = holdings.slice(start, start + COPIES_AT_ONCE);
      await Promise.all(some.map((holding) => mend(holding, silent)));
      await keepPace();
    }
    options.onProgress?.({ ...counts });
  }
  return counts;
}
