import type { StoredBlock } from '@cairn/content';
import type { Environment } from '@cairn/environment';
import { type BlockId, isCairnError } from '@cairn/model';
import type { Fence } from '../block-store.ts';
import type { CodedAnswer } from '../coded/coded-get.ts';
import type { Holder } from '../coded/holdings.ts';
import type { ReplicaNode, ReplicaNodes } from './replica-node.ts';

export interface RepairReport {
  readonly checkedBlocks: number;
  /** Had fewer replicas or shards than wanted on nodes that can be relied on, when they were looked at. */
  readonly underReplicated: number;
  /** Of these: as many as wanted now. */
  readonly repaired: number;
  /** Of these: nothing to do yet, as a node that ought to have it may come back, or there are too few nodes. */
  readonly waiting: number;
  /** No node that answers has it, and one that does not answer may. */
  readonly unavailable: number;
  /** Every node was asked, and none has it whole. */
  readonly lost: number;
  /** The first of these. */
  readonly lostBlocks: readonly BlockId[];
  /** Blocks that are kept as shards, those that became so in this run included. */
  readonly codedBlocks: number;
  /** What all their shards take. */
  readonly codedBytes: number;
  readonly copiedBytes: number;
  readonly removedReplicas: number;
  /** Copies that did not succeed; the next run tries again. */
  readonly failedCopies: number;
}

export type RepairCounts = { -readonly [Name in keyof RepairReport]: RepairReport[Name] };

/** One run of the repair, with what its parts share. */
export interface RepairRun {
  readonly nodes: ReplicaNodes;
  readonly environment: Environment;
  readonly replicas: number;
  readonly verify: (block: StoredBlock) => boolean;
  readonly rebalance: boolean;
  readonly fence: Fence | undefined;
  readonly signal: AbortSignal | undefined;
  readonly counts: RepairCounts;
  /** Nodes that know that this run holds the job; see `claimNodes`. */
  readonly claimed: Set<string>;
  readShards(blockId: BlockId): Promise<CodedAnswer>;
  /** Bytes that were read or written, for the bandwidth. */
  noteTraffic(sizeBytes: number): void;
  noteLost(blockId: BlockId): void;
}

/** Puts one record; `false` when that fails, which is noted. */
export async function putRecord(
  { nodes, counts, noteTraffic }: RepairRun,
  node: ReplicaNode,
  record: StoredBlock,
  above: number,
): Promise<boolean> {
  try {
    await node.blocks.put([record], above > 0 ? new Map([[record.blockId, above]]) : undefined);
    counts.copiedBytes += record.payload.length;
    noteTraffic(record.payload.length);
    return true;
  } catch (error) {
    nodes.note(node.nodeId, isCairnError(error, 'storage-full') ? 'full' : 'failed', error);
    counts.failedCopies++;
    return false;
  }
}

/** More than any block ever gets to. */
const NO_GENERATION = Number.MAX_SAFE_INTEGER;

/**
 * Makes nodes remember this holder of the job, by a delete that hits nothing: one that was overtaken, and woke up with its
 * deletes already decided, must not take away what is relied on from here on.
 * @returns whether all of them know
 * @throws CairnError `precondition-failed` when this run was overtaken itself
 */
export async function claimNodes(
  { nodes, fence, claimed }: RepairRun,
  wanted: Iterable<ReplicaNode>,
  blockId: BlockId,
): Promise<boolean> {
  if (fence === undefined) return true;
  for (const { nodeId, blocks } of wanted) {
    if (claimed.has(nodeId)) continue;
    try {
      await blocks.delete({ blockId, generation: NO_GENERATION }, fence);
    } catch (error) {
      if (isCairnError(error, 'precondition-failed')) throw error;
      nodes.note(nodeId, 'failed', error);
      return false;
    }
    claimed.add(nodeId);
  }
  return true;
}

/**
 * Takes records away, each only in the generation that was seen.
 * @throws CairnError `precondition-failed` when this run was overtaken
 */
export async function removeRecords(
  { nodes, counts, fence, signal }: RepairRun,
  holders: readonly Holder[],
): Promise<void> {
  for (const { node, location } of holders) {
    // Whoever lost the lease meanwhile takes nothing away; the fence is for those who do not know it yet.
    signal?.throwIfAborted();
    try {
      if (await node.blocks.delete(location, fence)) counts.removedReplicas++;
    } catch (error) {
      if (isCairnError(error, 'precondition-failed')) throw error;
      nodes.note(node.nodeId, 'failed', error);
    }
  }
}

/** A replica that is whole, from the first node that has one; `null` when none has. */
export async function readReplica(
  { environment, verify, noteTraffic }: RepairRun,
  blockId: BlockId,
  holders: readonly Holder[],
): Promise<StoredBlock | null> {
  for (const { node } of holders) {
    try {
      const block = await node.blocks.get(blockId);
      noteTraffic(block?.payload.length ?? 0);
      if (block !== null && block.blockId === blockId && verify(block)) return block;
    } catch (error) {
      // The node has marked it by now, so that the next run counts it as lacking there.
      environment.log.warn('storage-nodes.repair-read', {
        nodeId: node.nodeId,
        blockId,
        error: String(error),
      });
    }
  }
  return null;
}
