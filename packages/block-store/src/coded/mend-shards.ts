import type { StoredBlock } from '@cairn/content';
import { ALL_SHARDS, DATA_SHARDS } from '@cairn/kernels';
import { type BlockId, isCairnError, shardIdOf } from '@cairn/model';
import { orderNodes } from '../replicated/placement.ts';
import {
  claimNodes,
  putRecord,
  type RepairRun,
  readReplica,
  removeRecords,
} from '../replicated/repair-run.ts';
import type { ReplicaNode } from '../replicated/replica-node.ts';
import { generationOf, type Holding, type ShardHolder } from './holdings.ts';
import { decodeShards, encodeShards, parseShard, type Shard } from './shard-format.ts';

/** Which shard counts on which node: no node with two, no shard twice. */
interface Placement {
  readonly placed: ReadonlyMap<number, ShardHolder>;
  readonly missing: readonly number[];
  /** The first six of the block's order. */
  readonly wanted: readonly ReplicaNode[];
  /** Members, in the block's order. */
  readonly order: readonly ReplicaNode[];
}

function placeShards(run: RepairRun, { blockId, shards }: Holding): Placement {
  const order = orderNodes(
    blockId,
    run.nodes.list().filter((node) => node.isMember),
  );
  const byNode = Map.groupBy(shards, ({ node }) => node.nodeId);
  const placed = new Map<number, ShardHolder>();
  // A node with two shards gives one up where another node could then count, too: as many as possible do.
  function place(nodeId: string, tried: Set<number>): boolean {
    for (const shard of byNode.get(nodeId) ?? []) {
      if (tried.has(shard.index)) continue;
      tried.add(shard.index);
      const other = placed.get(shard.index);
      if (other !== undefined && !place(other.node.nodeId, tried)) continue;
      placed.set(shard.index, shard);
      return true;
    }
    return false;
  }
  for (const { nodeId } of order) place(nodeId, new Set());
  const missing = Array.from({ length: ALL_SHARDS }, (_, index) => index).filter(
    (index) => !placed.has(index),
  );
  return { placed, missing, wanted: order.slice(0, ALL_SHARDS), order };
}

async function readRecord(
  run: RepairRun,
  node: ReplicaNode,
  shardId: BlockId,
): Promise<{ readonly record: StoredBlock; readonly shard: Shard } | null> {
  try {
    const record = await node.blocks.get(shardId);
    run.noteTraffic(record?.payload.length ?? 0);
    const shard = record === null || record.blockId !== shardId ? null : parseShard(record);
    return record === null || shard === null ? null : { record, shard };
  } catch (error) {
    if (!isCairnError(error, 'data-damaged')) run.nodes.note(node.nodeId, 'failed', error);
    return null;
  }
}

/** What reading all six shards showed. */
interface Check {
  /** `null` when they do not make the block. */
  readonly block: StoredBlock | null;
  /** Shards that are not what the block's ought to be, or were not to be read. */
  readonly bad: readonly number[];
}

/** Reads all six where they are, and compares them with those that the block itself gives. */
async function checkAll(
  run: RepairRun,
  blockId: BlockId,
  places: ReadonlyMap<number, ReplicaNode>,
): Promise<Check> {
  const read = new Map<number, { readonly record: StoredBlock; readonly shard: Shard }>();
  await Promise.all(
    [...places].map(async ([index, node]) => {
      const found = await readRecord(run, node, shardIdOf(blockId, index));
      if (found !== null) read.set(index, found);
    }),
  );
  const sets = Map.groupBy(read.values(), ({ shard }) => shard.set);
  const best = [...sets.values()].reduce<readonly { readonly shard: Shard }[]>(
    (most, each) => (each.length > most.length ? each : most),
    [],
  );
  const all = [...places.keys()];
  if (best.length < DATA_SHARDS) return { block: null, bad: all };
  const block = decodeShards(best.map(({ shard }) => shard));
  if (!run.verify(block)) return { block: null, bad: all };
  const right = encodeShards(block);
  const bad = all.filter((index) => {
    const found = read.get(index);
    return found === undefined || !isSame(found.record, right[index] as StoredBlock);
  });
  return { block, bad };
}

function isSame(a: StoredBlock, b: StoredBlock): boolean {
  return Buffer.compare(a.payload, b.payload) === 0;
}

/**
 * Makes shards of a block that has replicas: writes all six, reads all six back, and only then takes the replicas away.
 * @returns whether all six are there
 */
async function code(run: RepairRun, holding: Holding, placement: Placement): Promise<boolean> {
  const { blockId, replicas, shards } = holding;
  const { placed, missing, wanted } = placement;
  const block = await readReplica(run, blockId, replicas);
  if (block === null) {
    run.counts.failedCopies++;
    return false;
  }
  // What an interrupted run left stays where it is, and is written again.
  const places = new Map<number, ReplicaNode>();
  const free = new Set(wanted);
  for (const [index, { node }] of placed) {
    const own = wanted.find(({ nodeId }) => nodeId === node.nodeId);
    if (own === undefined) continue;
    places.set(index, own);
    free.delete(own);
  }
  for (const index of [...missing, ...placed.keys()]) {
    const [node] = free;
    if (places.has(index) || node === undefined) continue;
    places.set(index, node);
    free.delete(node);
  }
  if (!(await claimNodes(run, places.values(), blockId))) return false;
  const records = encodeShards(block);
  // Not lower than the replicas: a delete that was meant for them takes the shards, and a later write is above both.
  const least = generationOf(holding) - 1;
  const results = await Promise.all(
    [...places].map(([index, node]) => {
      const old = shards.find((shard) => shard.index === index && shard.node.nodeId === node.nodeId);
      return putRecord(
        run,
        node,
        records[index] as StoredBlock,
        Math.max(least, old?.location.generation ?? 0),
      );
    }),
  );
  if (results.length < ALL_SHARDS || !results.every(Boolean)) return false;
  const { bad } = await checkAll(run, blockId, places);
  run.counts.failedCopies += bad.length;
  if (bad.length > 0) return false;
  run.counts.codedBlocks++;
  run.counts.codedBytes += records.reduce((sum, { payload }) => sum + payload.length, 0);
  await removeRecords(run, replicas);
  return true;
}

/** Makes shards that are missing, each on a node that has none of this block. */
async function build(
  run: RepairRun,
  holding: Holding,
  indexes: readonly number[],
  targets: readonly ReplicaNode[],
  silent: ReadonlySet<string>,
): Promise<number> {
  const { blockId, shards } = holding;
  const above = generationOf(holding) - 1;
  let made: readonly StoredBlock[] | null = null;
  let built = 0;
  for (const [at, index] of indexes.entries()) {
    const target = targets[at];
    if (target === undefined) break;
    let record: StoredBlock | undefined;
    // One that only lies in the wrong place is moved, which reads it alone.
    for (const { node } of shards.filter((shard) => shard.index === index)) {
      record ??= (await readRecord(run, node, shardIdOf(blockId, index)))?.record;
    }
    if (record === undefined) {
      const answer = made === null ? await run.readShards(blockId) : null;
      if (answer?.kind === 'block') {
        run.noteTraffic(answer.block.payload.length);
        made = encodeShards(answer.block);
      } else if (answer?.kind === 'damaged' && silent.size === 0) {
        // There are enough by their names, and they do not make the block.
        run.noteLost(blockId);
        return built;
      }
      record = made?.[index];
    }
    if (record === undefined) run.counts.failedCopies++;
    else if (await putRecord(run, target, record, above)) built++;
  }
  return built;
}

/**
 * Once all six are where they belong: takes away what else there is of the block, if all six make it; and writes those
 * anew that do not fit the others, or have a lower generation than what is to go: a delete that was meant for an older
 * writing must not hit what is left.
 */
async function clean(run: RepairRun, holding: Holding, { placed }: Placement): Promise<void> {
  const { blockId, replicas, shards } = holding;
  const surplus = [...replicas, ...shards.filter((shard) => placed.get(shard.index) !== shard)];
  const generations = new Set([...placed.values()].map(({ location }) => location.generation));
  // Shards of one making have one generation, but for nodes that had an older one; then it is worth a look.
  if (surplus.length === 0 && generations.size === 1) return;
  const places = new Map([...placed].map(([index, { node }]) => [index, node] as const));
  if (!(await claimNodes(run, places.values(), blockId))) return;
  const { block, bad } = await checkAll(run, blockId, places);
  const least = surplus.reduce((most, { location }) => Math.max(most, location.generation), 0);
  const low = [...placed.values()].filter(({ location }) => location.generation < least);
  const anew = new Set([...bad, ...low.map(({ index }) => index)]);
  if (anew.size === 0) {
    await removeRecords(run, surplus);
    return;
  }
  const source = block ?? (await readReplica(run, blockId, replicas));
  if (source === null) {
    run.counts.failedCopies++;
    return;
  }
  const records = encodeShards(source);
  for (const index of anew) {
    const { node, location } = placed.get(index) as ShardHolder;
    const record = records[index] as StoredBlock;
    const above = Math.max(bad.includes(index) ? location.generation : 0, generationOf(holding) - 1);
    if (!node.isWritable || !(await putRecord(run, node, record, above))) return;
    // What is written over something whole is read back before the next is: a disk may lie.
    const written = await readRecord(run, node, record.blockId);
    if (written === null || !isSame(written.record, record)) return;
  }
}

/**
 * Gives a block its six shards, each on a node of its own: from a replica when there is one, or else from four others.
 * In a run that rebalances, brings them where they belong and takes away what else there is of the block.
 * @param silent nodes that did not answer
 * @returns `false` when the block has replicas and cannot become shards now: those are to be looked after
 */
export async function mendShards(
  run: RepairRun,
  holding: Holding,
  silent: ReadonlySet<string>,
  mayCode: boolean,
): Promise<boolean> {
  const { counts, rebalance } = run;
  const { shards } = holding;
  const placement = placeShards(run, holding);
  const { placed, missing, wanted, order } = placement;
  if (missing.length > 0 && holding.replicas.length > 0) {
    const canCode = mayCode && wanted.length === ALL_SHARDS && wanted.every((node) => node.isWritable);
    return canCode && (await code(run, holding, placement));
  }
  counts.codedBlocks++;
  counts.codedBytes += shards.reduce((sum, { location }) => sum + location.storedBytes, 0);
  const held = new Set(shards.map(({ node }) => node.nodeId));
  const expected = wanted.filter(({ nodeId }) => silent.has(nodeId) && !held.has(nodeId)).length;
  const counting = new Set([...placed.values()].map(({ node }) => node.nodeId));
  const idle = order.filter((node) => node.isWritable && !counting.has(node.nodeId));
  // One that has a shard too many may have the right one besides; that one goes when all six are there.
  const free = [
    ...idle.filter(({ nodeId }) => !held.has(nodeId)),
    ...idle.filter(({ nodeId }) => held.has(nodeId)),
  ];
  if (missing.length > 0) {
    counts.underReplicated++;
    const due = missing.slice(0, Math.max(0, missing.length - expected)).slice(0, free.length);
    const built = await build(run, holding, due, free, silent);
    if (built === missing.length) counts.repaired++;
    else if (built === due.length) counts.waiting++;
    return true;
  }
  if (!rebalance) return true;
  const away = [...placed.values()].filter(({ node }) =>
    wanted.every(({ nodeId }) => nodeId !== node.nodeId),
  );
  const empty = free.filter((node) => wanted.includes(node));
  if (away.length > 0 && empty.length > 0 && expected === 0) {
    await build(
      run,
      holding,
      away.map(({ index }) => index),
      empty,
      silent,
    );
    return true;
  }
  if (away.length === 0 || empty.length === 0) await clean(run, holding, placement);
  return true;
}
