import type { Fence } from '@cairn/block-store';
import type { BlockId } from '@cairn/model';
import { START_AT } from '../../world/world-environment.ts';
import { type ClusterWorld, fail } from '../history/cluster-world.ts';
import { type ClusterServer, WRITE_QUORUM } from '../world/cluster-server.ts';
import type { NodeDisk } from '../world/node-disk.ts';
import type { StorageNode } from '../world/storage-node.ts';
import { disksInUse, strengthAt } from './in-use.ts';
import { blockOf } from './strength.ts';

const PAGE_REFERENCES = 10_000;
/** For so long a server may not have seen who a node is by now. */
const UNNOTICED_MS = 60_000;
/** Servers' clocks differ, so a lease is relied on only while it has this much left. */
const LEASE_MARGIN_MS = 12 * 3_600_000;

/** Every block that some version refers to. */
export async function referencedBlocks(world: ClusterWorld): Promise<Set<BlockId>> {
  const page = await world.store.read((reader) => reader.pageReferences(null, PAGE_REFERENCES));
  return new Set(page.references.map(({ blockId }) => blockId));
}

/** What is referenced exists. The world never destroys the last copy, so one that is gone was lost by the product. */
export async function checkNothingIsLost(world: ClusterWorld): Promise<void> {
  const inUse = await disksInUse(world);
  for (const blockId of await referencedBlocks(world)) {
    if (strengthAt(inUse, blockId) > 0) continue;
    fail(world, `[lost] no disk has block ${blockId.slice(0, 6)}, which a file needs`);
  }
}

/** A delete took place on a node: if it took the last copy, nobody may need the block. */
export async function checkDelete(
  world: ClusterWorld,
  node: StorageNode,
  disk: NodeDisk,
  storedId: BlockId,
  fence: Fence | undefined,
): Promise<void> {
  world.trace.note(`${node.nodeId} has deleted ${storedId.slice(0, 6)}`);
  const blockId = blockOf(storedId);
  if (blockId !== storedId) world.statistics.count('deleted:shard');
  if (fence === undefined) fail(world, `[fence] ${node.nodeId} deleted for somebody without a fence`);
  else checkFence(world, node, disk, fence);
  if (node.removedMs !== null) return;
  const by = fence === undefined ? 'without a fence' : `by ${fence.job} ${fence.token}`;
  await checkLastCopy(world, blockId, by);
}

/** A copy of the block was deleted: if it was the last one, nobody may need it. */
export async function checkLastCopy(world: ClusterWorld, blockId: BlockId, by: string): Promise<void> {
  if (strengthAt(await disksInUse(world), blockId) > 0) return;
  const at = START_AT + world.timeline.nowMs + world.sleptMs + LEASE_MARGIN_MS;
  const isNeeded = await world.store.read(async (reader) => {
    for (const { principal } of world.users) {
      const [reachable] = await reader.canReach(principal.userId, [blockId], at);
      if (reachable === true) return true;
    }
    return false;
  });
  if (!isNeeded) return;
  fail(world, `[lost] the last copy of block ${blockId.slice(0, 6)}, which is in use, was deleted ${by}`);
}

/** Who was overtaken by another holder of the job deletes nothing any more where that one did. */
function checkFence(world: ClusterWorld, node: StorageNode, disk: NodeDisk, { job, token }: Fence): void {
  const highest = disk.usedTokens.get(job) ?? 0;
  if (token < highest) {
    fail(world, `[fence] ${node.nodeId} deleted for holder ${token} of ${job} after holder ${highest}`);
  }
  disk.usedTokens.set(job, Math.max(token, highest));
}

/** A node whose folder is known to be an old copy gets nothing new. */
export async function checkPut(
  world: ClusterWorld,
  node: StorageNode,
  disk: NodeDisk,
  runsForMs: number,
): Promise<void> {
  if (runsForMs < UNNOTICED_MS || node.twin !== null) return;
  const record = await world.store.read((reader) => reader.getStorageNode(node.nodeId));
  if (record === undefined || disk.bootCount >= record.bootCount) return;
  fail(world, `[fenced] ${node.nodeId} is an old copy of itself, and was given blocks`);
}

/** Blocks were reported as lost for good. */
export async function checkLostReport(world: ClusterWorld, blockIds: readonly BlockId[]): Promise<void> {
  const needed = await referencedBlocks(world);
  const inUse = await disksInUse(world);
  for (const blockId of blockIds) {
    if (!needed.has(blockId) || strengthAt(inUse, blockId) === 0) continue;
    fail(world, `[alarm] block ${blockId.slice(0, 6)} was reported as lost, and is not`);
  }
}

/** A node was removed because it was empty: what is on it now all the same must be safe elsewhere. */
export async function checkNothingDepends(world: ClusterWorld, node: StorageNode): Promise<void> {
  const [needed, inUse] = await world.timeline.hold(async () => [
    await referencedBlocks(world),
    await disksInUse(world),
  ]);
  if (inUse.nodes.length === 0) return;
  const others = { ...inUse, nodes: inUse.nodes.filter((holder) => holder !== node) };
  for (const blockId of new Set(node.disk.wholeBlocks().map(blockOf))) {
    if (!needed.has(blockId)) continue;
    const elsewhere = strengthAt(others, blockId);
    if (elsewhere >= WRITE_QUORUM) continue;
    const words = `${node.nodeId} was removed as empty, and ${elsewhere} other nodes have`;
    fail(world, `[removed] ${words} its block ${blockId.slice(0, 6)}, which a file needs`);
  }
}

/** What is acknowledged is durable on as many disks as were promised, at some moment since the put began. */
export function checkAcknowledged(world: ClusterWorld, blockIds: readonly BlockId[], begunMs: number): void {
  for (const blockId of blockIds) {
    const folders = world.folders?.disks() ?? [];
    const isInFolder = folders.some((disk) => disk.has(blockId) || disk.wasWholeSince(blockId, begunMs));
    let durable = isInFolder ? WRITE_QUORUM : 0;
    for (const { removedMs, everyDisk } of world.nodes) {
      if (removedMs !== null && removedMs < begunMs) continue;
      durable += everyDisk.filter((disk) => disk.has(blockId) || disk.wasWholeSince(blockId, begunMs)).length;
    }
    if (durable >= WRITE_QUORUM) {
      world.statistics.count(`acknowledged:on-${Math.min(durable, 3)}`);
      continue;
    }
    fail(world, `[acknowledged] block ${blockId.slice(0, 6)} was acknowledged when ${durable} disks had it`);
  }
}

/** Notes when comparisons of everything begin and end. */
export class RepairWatch {
  readonly #world: ClusterWorld;
  readonly #seen = new Map<
    ClusterServer,
    { wasRunning: boolean; begunMs: number; lastRunAt: number | null }
  >();

  constructor(world: ClusterWorld) {
    this.#world = world;
  }

  look(): void {
    const { servers, timeline, losses } = this.#world;
    for (const server of servers) {
      const state = server.running?.opened.view?.repair();
      if (state === undefined) {
        this.#seen.delete(server);
        continue;
      }
      const before = this.#seen.get(server);
      const begunMs =
        state.isRunning && before?.wasRunning !== true ? timeline.nowMs : (before?.begunMs ?? 0);
      const hasEnded = state.lastRunAt !== null && state.lastRunAt !== before?.lastRunAt;
      if (before !== undefined && hasEnded) losses.compared(before.begunMs);
      this.#seen.set(server, { wasRunning: state.isRunning, begunMs, lastRunAt: state.lastRunAt });
    }
  }
}
