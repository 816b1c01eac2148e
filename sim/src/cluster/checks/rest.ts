import { orderNodes } from '@cairn/block-store';
import { auditReferences } from '@cairn/maintenance';
import type { StorageNodeRecord } from '@cairn/metadata-store';
import type { BlockId } from '@cairn/model';
import { START_AT } from '../../world/world-environment.ts';
import { collectStep } from '../history/cluster-steps.ts';
import { type ClusterWorld, describeCluster, fail, present } from '../history/cluster-world.ts';
import { makeWell } from '../history/node-steps.ts';
import { begin, readVersion } from '../history/user-steps.ts';
import { REPLICAS, type RunningServer, WRITE_QUORUM } from '../world/cluster-server.ts';
import { isLarge } from '../world/contents.ts';
import { disksInUse } from './in-use.ts';
import { checkNothingIsLost, referencedBlocks } from './moments.ts';
import { ALL_SHARDS, blockOf, countShards, shardsOn } from './strength.ts';

const DAY_MS = 24 * 3_600_000;
const SETTLE_STEP_MS = 30_000;
const MAX_SETTLE_STEPS = 60;
const COLLECTIONS = 4;

function throwFailure(world: ClusterWorld): void {
  if (world.failure !== null) throw world.failure;
}

/** Nothing is wrong any more, and nobody does anything. */
async function heal(world: ClusterWorld): Promise<void> {
  world.trace.tell('everything is well again');
  world.network.isRough = false;
  world.network.heal();
  for (const node of present(world)) {
    makeWell(node);
    node.process?.disarm();
    node.process?.resume();
    await node.endTwin();
    // A node that looks like a copy is started until it counts more starts than anybody has seen.
    while (node.process === null || node.disk.bootCount < node.highestBoot) {
      await node.kill();
      node.start();
    }
    if (node.everyDisk.length > 1) {
      await node.kill();
      node.start();
    }
  }
  for (const server of world.servers) {
    if (server.codeAfterMs !== world.codeAfterMs) server.kill();
    server.process?.disarm();
    server.process?.resume();
    server.wall.offsetMs = 0;
    server.start();
  }
  world.sleptMs += DAY_MS;
}

/** With fewer nodes that stay than replicas or shards there is no full strength: those that are draining stay after all. */
async function keepEnoughNodes(world: ClusterWorld): Promise<void> {
  const { store, timeline } = world;
  const wanted = world.codeAfterMs === null ? REPLICAS : ALL_SHARDS;
  while (present(world).length < wanted) await world.addNode();
  await timeline.hold(() =>
    store.transact(async (transaction) => {
      const gone = new Set(
        world.nodes.filter(({ removedMs }) => removedMs !== null).map(({ nodeId }) => nodeId),
      );
      const records: StorageNodeRecord[] = [];
      for (const record of await transaction.listStorageNodes()) {
        // A server that was to forget it was not there, or was killed.
        if (gone.has(record.nodeId)) await transaction.deleteStorageNode(record.nodeId);
        else records.push(record);
      }
      let staying = records.filter(({ state }) => state === 'active').length;
      for (const { nodeId, state } of records) {
        if (state === 'active' || staying >= wanted) continue;
        await transaction.updateStorageNode(nodeId, { state: 'active' });
        staying++;
      }
    }),
  );
}

async function finish(world: ClusterWorld, what: string): Promise<void> {
  for (let step = 0; ; step++) {
    await world.timeline.pass(SETTLE_STEP_MS);
    throwFailure(world);
    const problem = (await findMove(world)) ?? findUnrest(world);
    if (problem === null) return;
    if (step >= MAX_SETTLE_STEPS) throw new Error(`[unrest] ${what}: ${problem}`);
  }
}

async function findMove(world: ClusterWorld): Promise<string | null> {
  const { folders, store, timeline } = world;
  if (folders === null) return null;
  const location = await timeline.hold(() => store.read((reader) => reader.getBlockLocation()));
  if (location === undefined) return 'it is not recorded where the blocks are';
  return location.move === null ? null : `the move to ${location.move.target.setting} does not end`;
}

function findUnrest(world: ClusterWorld): string | null {
  const alive = [...world.underWay].filter(({ process }) => !process.isDead);
  if (alive.length > 0) return `"${alive[0]?.what}" does not end`;
  for (const { name, running } of world.servers) {
    if (running === null) return `${name} does not start`;
    const view = running.opened.view;
    const odd = view?.health().find(({ state }) => state !== 'up');
    if (odd !== undefined) return `${name} sees ${odd.nodeId} as ${odd.state}: ${odd.reason}`;
    const repair = view?.repair();
    if (repair?.isRunning === true) return `${name} is repairing`;
    if ((repair?.noted ?? 0) > 0) return `${name} has noted ${repair?.noted} blocks`;
  }
  return null;
}

function anyServer(world: ClusterWorld): RunningServer {
  const server = world.draw.pick(world.servers);
  if (server.running === null) throw new Error(`[unrest] ${server.name} does not run`);
  return server.running;
}

/** Lets everything come to rest, collects garbage until none is left, and looks at everything. */
export async function restAndCheck(world: ClusterWorld): Promise<void> {
  const { timeline } = world;
  await heal(world);
  await keepEnoughNodes(world);
  await finish(world, 'after everything is well again');
  // What administrators had begun before is done by now, too.
  await keepEnoughNodes(world);
  await finish(world, 'with enough nodes');
  const restedAt = START_AT + timeline.nowMs + world.sleptMs;
  await timeline.hold(() => checkNothingIsLost(world));
  throwFailure(world);
  for (let round = 0; round < COLLECTIONS; round++) {
    world.sleptMs += 5 * DAY_MS + 60_000;
    collectStep(world, world.draw.pick(world.servers));
    await finish(world, `collection ${round + 1}`);
  }
  begin(world, world.draw.pick(world.servers), 'a scrub', async ({ blocks }) => {
    const { damagedCount } = await blocks.scrub();
    return `${damagedCount} damaged`;
  });
  // The next comparison of everything comes after an hour, or when a server starts; in the hour nothing is forgotten.
  if (world.draw.chance(20)) {
    await timeline.pass(3_700_000);
    world.statistics.count('rest:hour');
  } else {
    await finish(world, 'a scrub');
    const server = world.draw.pick(world.servers);
    server.kill();
    server.start();
  }
  await finish(world, 'after the last comparison');
  await checkPlaces(world);
  await checkReads(world);
  await checkReports(world, restedAt);
  await checkIdle(world);
  throwFailure(world);
}

/**
 * Each block in use is whole on exactly the nodes where it belongs, and nothing else is anywhere; but what is damaged stays
 * where it is, for whoever can still use it.
 */
async function checkPlaces(world: ClusterWorld): Promise<void> {
  const { store, timeline } = world;
  const { needed, inUse, records } = await timeline.hold(async () => ({
    needed: await referencedBlocks(world),
    inUse: await disksInUse(world),
    records: await store.read((reader) => reader.listStorageNodes()),
  }));
  for (const disk of inUse.folders) {
    for (const blockId of needed) {
      if (!disk.isWhole(blockId))
        fail(world, `[place] block ${blockId.slice(0, 6)} is not in the folder that it was moved to`);
    }
    const garbage = disk.wholeBlocks().filter((blockId) => !needed.has(blockId));
    if (garbage.length > 0)
      fail(world, `[garbage] ${disk.storeUuid} still has ${garbage.length} blocks that nothing needs`);
    world.statistics.count('rest:in-folder');
  }
  // What was left behind on nodes by a move stays there.
  if (inUse.nodes.length === 0) return;
  if (world.folders !== null) world.statistics.count('rest:moved-to-nodes');
  const members = records.filter(({ state }) => state === 'active');
  for (const blockId of needed) checkPlacesOf(world, blockId, members);
  for (const node of present(world)) {
    const garbage = node.disk.wholeBlocks().filter((blockId) => !needed.has(blockOf(blockId)));
    if (garbage.length > 0) {
      fail(world, `[garbage] ${node.nodeId} still has ${garbage.length} blocks that nothing needs`);
    }
  }
  world.statistics.count('rest:blocks', needed.size);
}

function checkPlacesOf(world: ClusterWorld, blockId: BlockId, members: readonly StorageNodeRecord[]): void {
  const isCoded = world.codeAfterMs !== null && isLarge(blockId);
  const wanted = orderNodes(blockId, members)
    .slice(0, isCoded ? ALL_SHARDS : REPLICAS)
    .map(({ nodeId }) => nodeId)
    .sort();
  const whole = present(world).filter(({ disk }) => disk.isWhole(blockId));
  const found = whole.map(({ nodeId }) => nodeId).sort();
  const coded = present(world).filter((node) => shardsOn(node, blockId).length > 0);
  const shards = coded.map(({ nodeId }) => nodeId).sort();
  const [right, none] = isCoded ? [shards, found] : [found, shards];
  const isEach = !isCoded || coded.every((node) => shardsOn(node, blockId).length === 1);
  const isWhole = !isCoded || countShards(present(world), blockId) === ALL_SHARDS;
  if (right.join() === wanted.join() && none.length === 0 && isEach && isWhole) {
    if (isCoded) world.statistics.count('rest:coded');
    return;
  }
  const places = `on ${found.join(', ')} with shards on ${shards.join(', ')}`;
  const belongs = `belongs on ${wanted.join(', ')}${isCoded ? ' as shards' : ''}`;
  fail(world, `[replicas] block ${blockId.slice(0, 6)} is ${places} and ${belongs}`);
}

/** Every version that there is reads back, and what users were told is saved is there. */
async function checkReads(world: ClusterWorld): Promise<void> {
  const { timeline, store, ledger } = world;
  for (const user of world.users) {
    const entries = await timeline.hold(() =>
      store.read((reader) => reader.pageVersionedEntries(null, 10_000)),
    );
    for (const { spaceId, entryId } of entries) {
      if (spaceId !== user.spaceId) continue;
      const [record] = await timeline.hold(() =>
        store.read((reader) => reader.getEntries(spaceId, [entryId])),
      );
      if (record === undefined || record.trashId !== null) continue;
      const { services } = anyServer(world);
      const versions = await timeline.until(services.files.listVersions(user.principal, entryId));
      for (const { versionId } of versions) {
        const outcome = await timeline.until(readVersion(world, services, user, entryId, { versionId }));
        if (!outcome.startsWith('read')) fail(world, `[unreadable] ${entryId.slice(0, 4)}: ${outcome}`);
      }
    }
  }
  for (const { user, entryId, contents } of ledger.kept()) {
    const { services } = anyServer(world);
    const versions = await timeline.until(services.files.listVersions(user.principal, entryId));
    const saved = new Set(versions.map(({ content }) => content?.contentId));
    for (const contentId of contents) {
      if (!saved.has(contentId))
        fail(world, `[forgotten] ${entryId.slice(0, 4)} lacks a version that was saved`);
    }
  }
}

/** What the servers say of it: the auditor, the repair, the status. */
async function checkReports(world: ClusterWorld, restedAt: number): Promise<void> {
  const { timeline } = world;
  const { store, blocks } = anyServer(world);
  const { dangling, examples } = await timeline.until(auditReferences({ store, blocks }));
  if (dangling > 0) fail(world, `[audit] ${dangling} references dangle: ${JSON.stringify(examples[0])}`);
  if ((await timeline.hold(() => disksInUse(world))).nodes.length === 0) return;
  const [{ principal }] = world.users as [ClusterWorld['users'][number]];
  for (const { name, running } of world.servers) {
    if (running === null) continue;
    const { takesWrites, nodes, repair } = await timeline.until(running.cluster.describe(principal));
    const writable = nodes.filter(({ isDraining }) => !isDraining).length;
    if (takesWrites !== writable >= WRITE_QUORUM)
      fail(world, `[status] ${name} takes writes: ${takesWrites}`);
    // Figures are those of the last comparison that this server made, and another one may have made the last.
    const isRecent = (repair?.lastRunAt ?? 0) >= restedAt;
    const open = (repair?.lost ?? 0) + (repair?.unavailable ?? 0);
    if (isRecent && open > 0)
      fail(world, `[status] ${name} reports ${repair?.lost} lost, ${repair?.unavailable} unavailable`);
    for (const { nodeId, blocks: told } of nodes) {
      const there = present(world).find((node) => node.nodeId === nodeId);
      const count = there?.disk.wholeBlocks().length;
      if (told !== count) fail(world, `[status] ${name} says ${nodeId} has ${told} blocks; it has ${count}`);
    }
  }
}

/** Where nothing happens, nodes are asked how they are and nothing else. */
async function checkIdle(world: ClusterWorld): Promise<void> {
  const { trace, timeline, servers } = world;
  const before = trace.events;
  await timeline.pass(60_000);
  const perServer = 12 * (present(world).length + 3);
  const allowed = servers.length * (perServer + 40);
  if (trace.events - before > allowed) {
    fail(world, `[idle] ${trace.events - before} things happened in an idle minute; ${allowed} are enough`);
  }
}

export function withPicture(world: ClusterWorld, error: unknown): Error {
  const message = error instanceof Error ? error.message : String(error);
  const stack = error instanceof Error && !message.startsWith('[') ? `\n${error.stack}` : '';
  return new Error(`${message}\n${describeCluster(world)}${stack}`);
}
