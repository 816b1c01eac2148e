import type { StoredBlock } from '@cairn/content';
import type { Environment } from '@cairn/environment';
import { ALL_SHARDS } from '@cairn/kernels';
import { type BlockId, CairnError, isCairnError } from '@cairn/model';
import type { BlockLocation, BlockStore, CompactionReport, Fence } from '../block-store.ts';
import {
  blockOf,
  generationOf,
  type Holding,
  isComplete,
  locateHoldings,
  locationOf,
} from '../coded/holdings.ts';
import { mergeLocations } from './merge-locations.ts';
import { orderNodes } from './placement.ts';
import type { ReplicaNode, ReplicaNodes } from './replica-node.ts';
import { createReplicatedGet } from './replicated-get.ts';
import { createReplicatedPut } from './replicated-put.ts';

export interface ReplicatedBlockStoreOptions {
  readonly nodes: ReplicaNodes;
  readonly environment: Environment;
  /** Whether a block's payload really is what its id names; what a node answers counts only then. */
  readonly verify: (block: StoredBlock) => boolean;
  /** Nodes that get each block; 3 unless told. */
  readonly replicas?: number;
  /** Nodes that must have a block durable before it is acknowledged; 2 unless told, at most `replicas`. */
  readonly writeQuorum?: number;
  /** Bytes of puts under way, those of late replicas included; 64 MiB unless told. */
  readonly maxInFlightBytes?: number;
  /** 100 ms unless told. */
  readonly hedgeAfterMs?: number;
  /** Blocks that were seen to lack replicas: a hint for the repair, which finds them by itself, later. */
  readonly onMissing?: (blockIds: readonly BlockId[]) => void;
  /** Blocks that were coded when that was last counted, for `usage`; none unless told. */
  readonly codedBlocks?: () => number;
}

const FIRST_WINDOW_BLOCKS = 16;
const MAX_READ_REPAIRS = 16;
const MAX_DAMAGED_LISTED = 1000;

function noAnswer(cause: unknown): CairnError {
  return new CairnError(
    'unavailable',
    'no storage node answers; try again when "cairn admin nodes" shows them up',
    { cause },
  );
}

/** The earliest time, or `null` when one of them is not known. */
function earliest(times: readonly (number | null)[]): number | null {
  return times.reduce(
    (least, time) => (least === null || time === null ? null : Math.min(least, time)),
    times[0] ?? null,
  );
}

/**
 * A block store over storage nodes, each a block store of its own (ADR 0013). Acknowledged is what `writeQuorum`
 * nodes have durable. Answers are right or an error: see `get`.
 */
export function createReplicatedBlockStore(options: ReplicatedBlockStoreOptions): BlockStore {
  const { nodes, environment } = options;
  const replicas = options.replicas ?? 3;
  const writeQuorum = Math.min(options.writeQuorum ?? 2, replicas);
  const onMissing = options.onMissing ?? (() => undefined);
  let closing: Promise<void> | null = null;
  const deletes = new Map<BlockId, Promise<unknown>>();
  const readRepairs = new Map<BlockId, Promise<void>>();

  const writer = createReplicatedPut({
    nodes,
    replicas,
    writeQuorum,
    maxInFlightBytes: options.maxInFlightBytes ?? 64 * 1024 * 1024,
    onMissing,
  });
  const reader = createReplicatedGet({
    nodes,
    environment,
    verify: options.verify,
    hedgeAfterMs: options.hedgeAfterMs ?? 100,
    firstWindowBlocks: FIRST_WINDOW_BLOCKS,
    onLacking: repairAfterRead,
    onMissing,
  });

  function checkOpen(): void {
    if (closing !== null)
      throw new CairnError('unavailable', 'the block store is closed; start the server again');
  }

  /** Gives the block to those of the nodes that ought to have it; more than a few at a time are left to the repair. */
  function repairAfterRead(block: StoredBlock, lacking: ReadonlySet<string>): void {
    const { blockId } = block;
    if (closing !== null || readRepairs.has(blockId)) return;
    const writable = nodes.list().filter((node) => node.isWritable);
    const due = orderNodes(blockId, writable).slice(0, replicas);
    const targets = due.filter(({ nodeId }) => lacking.has(nodeId));
    if (targets.length === 0) return;
    if (readRepairs.size >= MAX_READ_REPAIRS) {
      onMissing([blockId]);
      return;
    }
    const copy = { ...block, payload: new Uint8Array(block.payload) };
    const repair = Promise.allSettled(targets.map((node) => node.blocks.put([copy]))).then((results) => {
      readRepairs.delete(blockId);
      const failed = results.filter(({ status }) => status === 'rejected').length;
      environment.log.info('storage-nodes.read-repair', { blockId, nodes: targets.length, failed });
      if (failed > 0) onMissing([blockId]);
    });
    readRepairs.set(blockId, repair);
  }

  /** Asks every node that may be asked; rejects when none of them answered. */
  async function askAll<Result>(work: (node: ReplicaNode) => Promise<Result>): Promise<Result[]> {
    const readable = nodes.list().filter((node) => node.isReadable);
    const results = await Promise.allSettled(readable.map(work));
    const answers = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    results.forEach((result, index) => {
      const { nodeId } = readable[index] as ReplicaNode;
      if (result.status === 'rejected') nodes.note(nodeId, 'failed', result.reason);
      else nodes.note(nodeId, 'answered');
    });
    if (answers.length === 0) throw noAnswer(results.find((result) => result.status === 'rejected')?.reason);
    return answers;
  }

  /** What the nodes that answer have of each; rejects when none of them did. */
  async function lookUp(blockIds: readonly BlockId[]): Promise<readonly Holding[]> {
    const readable = nodes.list().filter((node) => node.isReadable);
    const { holdings, failed } = await locateHoldings(nodes, readable, blockIds);
    if (failed.size === readable.length) throw noAnswer([...failed.values()][0]);
    return holdings;
  }

  /** The highest generation among the nodes that answer: a delete of that one hits every replica and shard. */
  async function locate(blockIds: readonly BlockId[]): Promise<(BlockLocation | null)[]> {
    if (blockIds.length === 0) return [];
    const found = [...(await lookUp(blockIds))];
    // Some nodes may have answered before a block was coded, others after: then a second look sees it whole.
    const unclear = found.filter((holding) => holding.shards.length > 0 && !isComplete(holding));
    if (unclear.length > 0) {
      const again = await lookUp(unclear.map(({ blockId }) => blockId));
      for (const holding of again) found[blockIds.indexOf(holding.blockId)] = holding;
    }
    return found.map((holding) => (isComplete(holding) ? locationOf(holding) : null));
  }

  async function remove(
    { blockId, generation }: Pick<BlockLocation, 'blockId' | 'generation'>,
    fence: Fence | undefined,
  ): Promise<boolean> {
    // A late replica must not arrive after the delete that was meant for it.
    await writer.settle();
    const [holding] = await lookUp([blockId]);
    // Also the rest of a block that cannot be read any more.
    if (holding === undefined || generationOf(holding) !== generation) return false;
    // Each node counts its own generations; what was written above the one to delete stays.
    const results = await Promise.allSettled(
      [...holding.replicas, ...holding.shards].map(async ({ node, location }) => {
        try {
          return await node.blocks.delete(location, fence);
        } catch (error) {
          // A node that refuses an old fence is as well as ever.
          if (!isCairnError(error, 'precondition-failed')) nodes.note(node.nodeId, 'failed', error);
          throw error;
        }
      }),
    );
    const failures = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
    // The word of one counts for all.
    const refusal = failures.find((error) => isCairnError(error, 'precondition-failed'));
    if (refusal !== undefined) throw refusal;
    if (failures.length === results.length) throw noAnswer(failures[0]);
    return results.some((result) => result.status === 'fulfilled' && result.value);
  }

  return {
    async put(blocks, above) {
      checkOpen();
      // What a delete is about to take must not count as there already.
      const others = () => blocks.flatMap(({ blockId }) => deletes.get(blockId) ?? []);
      for (let waits = others(); waits.length > 0; waits = others()) await Promise.allSettled(waits);
      checkOpen();
      return writer.put(blocks, above);
    },
    async get(blockId) {
      checkOpen();
      return reader.get(blockId);
    },
    async *getMany(blockIds, memory) {
      checkOpen();
      for await (const block of reader.getMany(blockIds, memory)) {
        checkOpen();
        yield block;
      }
    },
    async has(blockIds) {
      checkOpen();
      return (await locate(blockIds)).map((location) => location !== null);
    },
    async locate(blockIds) {
      checkOpen();
      return locate(blockIds);
    },
    async delete(location, fence) {
      checkOpen();
      const { blockId } = location;
      for (let other = deletes.get(blockId); other !== undefined; other = deletes.get(blockId)) {
        await Promise.allSettled([other]);
      }
      const deleting = remove(location, fence).finally(() => deletes.delete(blockId));
      deletes.set(blockId, deleting);
      return deleting;
    },
    async *list(after) {
      checkOpen();
      yield* mergeLocations(nodes, checkOpen, after);
    },
    async usage() {
      checkOpen();
      await writer.settle();
      await Promise.allSettled(readRepairs.values());
      const answers = await askAll((node) => node.blocks.usage());
      const sum = (pick: (usage: (typeof answers)[number]) => number) =>
        answers.reduce((total, usage) => total + pick(usage), 0);
      const copies = Math.min(replicas, answers.length);
      const records = sum((usage) => usage.blocks);
      const coded = Math.min(options.codedBlocks?.() ?? 0, Math.floor(records / ALL_SHARDS));
      // Counting each once would mean reading every index; `list` does that.
      const blocks = Math.round((records - coded * ALL_SHARDS) / copies) + coded;
      return {
        blocks,
        liveBytes: sum((usage) => usage.liveBytes),
        diskBytes: sum((usage) => usage.diskBytes),
        quarantinedRecords: Math.ceil(
          sum((usage) => usage.quarantinedRecords) / Math.max(copies, records / Math.max(1, blocks)),
        ),
        verifiedAt: earliest(answers.map((usage) => usage.verifiedAt)),
      };
    },
    async compact(options = {}) {
      checkOpen();
      const total = {
        segmentsRewritten: 0,
        segmentsRemoved: 0,
        movedBytes: 0,
        freedBytes: 0,
        skippedDamaged: 0,
      };
      let stoppedBy: CompactionReport['stoppedBy'] = null;
      // One node after the other, so that the others answer as fast as ever.
      for (const node of nodes.list()) {
        if (!node.isReadable || options.signal?.aborted === true) continue;
        const report = await node.blocks.compact(options).catch((error: unknown) => {
          // The others get their space back all the same.
          nodes.note(node.nodeId, 'failed', error);
          environment.log.warn('storage-nodes.not-compacted', { nodeId: node.nodeId, error: String(error) });
          return null;
        });
        if (report === null) continue;
        for (const name of Object.keys(total) as (keyof typeof total)[]) total[name] += report[name];
        stoppedBy ??= report.stoppedBy;
      }
      return { ...total, stoppedBy: options.signal?.aborted === true ? 'aborted' : stoppedBy };
    },
    async scrub(options = {}) {
      checkOpen();
      const reports = await askAll((node) => node.blocks.scrub(options));
      const sum = (name: 'checkedBlocks' | 'checkedBytes' | 'damagedCount' | 'unreadable') =>
        reports.reduce((total, report) => total + report[name], 0);
      return {
        checkedBlocks: sum('checkedBlocks'),
        checkedBytes: sum('checkedBytes'),
        damaged: [...new Set(reports.flatMap((report) => report.damaged.map(blockOf)))].slice(
          0,
          MAX_DAMAGED_LISTED,
        ),
        damagedCount: sum('damagedCount'),
        unreadable: sum('unreadable'),
        durationMs: Math.max(...reports.map((report) => report.durationMs)),
        stoppedBy: reports.some((report) => report.stoppedBy !== null) ? 'aborted' : null,
      };
    },
    async checkHealth() {
      checkOpen();
      const writable = nodes.list().filter((node) => node.isWritable).length;
      if (writable >= writeQuorum) return;
      throw new CairnError(
        'unavailable',
        `${writable} storage nodes can take new blocks, ${writeQuorum} are needed; see "cairn admin nodes"`,
      );
    },
    close() {
      closing ??= (async () => {
        await writer.settle();
        await Promise.allSettled(readRepairs.values());
        await nodes.close();
      })();
      return closing;
    },
  };
}
