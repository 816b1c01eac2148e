import type { StoredBlock } from '@cairn/content';
import { ALL_SHARDS } from '@cairn/kernels';
import { type BlockId, isCairnError } from '@cairn/model';
import { countShards, generationOf, type Holding } from '../coded/holdings.ts';
import { orderNodes } from './placement.ts';
import { claimNodes, putRecord, type RepairRun, readReplica, removeRecords } from './repair-run.ts';
import type { ReplicaNode } from './replica-node.ts';

async function readFrom(run: RepairRun, { blockId, replicas, shards }: Holding): Promise<StoredBlock | null> {
  const block = await readReplica(run, blockId, replicas);
  if (block !== null || shards.length === 0) return block;
  const answer = await run.readShards(blockId);
  return answer.kind === 'block' ? answer.block : null;
}

async function copy(run: RepairRun, holding: Holding, targets: readonly ReplicaNode[]): Promise<number> {
  const block = await readFrom(run, holding);
  if (block === null) {
    run.counts.failedCopies += targets.length;
    return 0;
  }
  // Not lower than what it is made from: a delete that was meant for an older writing may be on its way, and what it is
  // made from may go.
  const above = generationOf(holding) - 1;
  const results = await Promise.all(targets.map((node) => putRecord(run, node, block, above)));
  return results.filter(Boolean).length;
}

/** Whether the node's replica, read now, is whole. */
async function isWhole(
  { nodes, verify, noteTraffic }: RepairRun,
  node: ReplicaNode,
  blockId: BlockId,
): Promise<boolean> {
  try {
    const block = await node.blocks.get(blockId);
    noteTraffic(block?.payload.length ?? 0);
    return block !== null && block.blockId === blockId && verify(block);
  } catch (error) {
    if (!isCairnError(error, 'data-damaged')) nodes.note(node.nodeId, 'failed', error);
    return false;
  }
}

async function removeSurplus(
  run: RepairRun,
  holding: Holding,
  wanted: readonly ReplicaNode[],
): Promise<void> {
  const { blockId, replicas, shards } = holding;
  const ids = new Set(wanted.map(({ nodeId }) => nodeId));
  const surplus = [...replicas.filter(({ node }) => !ids.has(node.nodeId)), ...shards];
  if (surplus.length === 0) return;
  // Where all are drained, or seem out after this process stood still, every replica would be a surplus one.
  if (wanted.length < run.replicas) return;
  if (!(await claimNodes(run, wanted, blockId))) return;
  const least = surplus.reduce((most, { location }) => Math.max(most, location.generation), 0);
  const low = replicas.filter(({ node, location }) => ids.has(node.nodeId) && location.generation < least);
  // What is written over something whole is read back before the next is: a disk may lie.
  for (const { node } of low) {
    if (!node.isWritable || (await copy(run, holding, [node])) === 0) return;
    if (!(await isWhole(run, node, blockId))) return;
  }
  if (low.length > 0) return;
  // An index that names a replica is no proof of it: the surplus one may be the only one that did not rot.
  for (const node of wanted) if (!(await isWhole(run, node, blockId))) return;
  await removeRecords(run, surplus);
}

/**
 * Gives a block its replicas: from those that there are, or from its shards. In a run that rebalances, brings them where
 * they belong and then takes away what else there is; a replica or shard only once all that are wanted were read whole.
 * @param silent nodes that did not answer
 */
export async function mendReplicas(
  run: RepairRun,
  holding: Holding,
  silent: ReadonlySet<string>,
): Promise<void> {
  const { nodes, counts, replicas, rebalance } = run;
  const { blockId } = holding;
  const held = new Set(holding.replicas.map(({ node }) => node.nodeId));
  const members = nodes.list().filter((node) => node.isMember);
  const wanted = orderNodes(blockId, members).slice(0, replicas);
  const sound = members.filter(({ nodeId }) => held.has(nodeId)).length;
  // Who is silent for a short while is likely to have what it ought to have.
  const expected = wanted.filter(({ nodeId }) => silent.has(nodeId) && !held.has(nodeId)).length;
  const isShort = sound < Math.min(replicas, members.length);
  // Nothing lacks while all shards are there.
  const isLacking = isShort && countShards(holding) < ALL_SHARDS;
  const missing = replicas - sound - expected;
  const lacksThere = wanted.filter(({ nodeId }) => !held.has(nodeId));
  const usable = orderNodes(
    blockId,
    members.filter((node) => node.isWritable && !held.has(node.nodeId)),
  );
  if (isLacking) counts.underReplicated++;
  let copied = 0;
  if (missing > 0) copied = await copy(run, holding, usable.slice(0, missing));
  else if (rebalance && lacksThere.length > 0 && expected === 0) {
    await copy(
      run,
      holding,
      lacksThere.filter((node) => node.isWritable),
    );
    return;
  }
  if (isLacking && sound + copied >= Math.min(replicas, members.length)) counts.repaired++;
  else if (isLacking && missing <= 0) counts.waiting++;
  if (rebalance && lacksThere.length === 0) await removeSurplus(run, holding, wanted);
}
