import { type BlockId, isShardId } from '@cairn/model';
import type { Draw } from '../../random.ts';
import { checkNothingDepends } from '../checks/moments.ts';
import { type ClusterServer, REPLICAS, type RunningServer } from '../world/cluster-server.ts';
import { LARGE_CONTENTS } from '../world/contents.ts';
import type { StorageNode } from '../world/storage-node.ts';
import { type ClusterWorld, type Perform, present } from './cluster-world.ts';
import type { StepKind } from './script.ts';
import { begin, pickContent, readStep, uploadContent, uploadStep } from './user-steps.ts';

type NodeStep = Extract<
  StepKind,
  | 'blackout'
  | 'power-cut'
  | 'broken-repair'
  | 'kill-node'
  | 'start-node'
  | 'pause-node'
  | 'wipe'
  | 'snapshot'
  | 'put-back'
  | 'twin'
  | 'end-twin'
  | 'rot'
  | 'full'
  | 'read-only'
  | 'slow'
  | 'garble'
  | 'well-again'
  | 'partition'
  | 'one-way'
  | 'lossy'
  | 'heal-network'
  | 'add-node'
  | 'drain'
  | 'undrain'
  | 'remove-node'
  | 'force-remove'
  | 'reweigh'
  | 'migrate'
>;

const MAX_NODES = 12;
const DRAINING = { state: 'draining' } as const;

function pickNode(world: ClusterWorld, draw: Draw): StorageNode {
  return draw.pick(present(world));
}

function tell(world: ClusterWorld, state: string, line: string): void {
  world.statistics.count(state);
  world.trace.tell(line);
}

/** What the node's disk would lose by having these blocks only. */
function lostBy(node: StorageNode, left: (blockId: BlockId) => boolean): BlockId[] {
  return node.disk.wholeBlocks().filter((blockId) => !left(blockId));
}

function mayDestroy(world: ClusterWorld, node: StorageNode, blockIds: readonly BlockId[]): Promise<boolean> {
  return world.timeline.hold(() => world.losses.destroy(node, blockIds));
}

async function cutPower(world: ClusterWorld, node: StorageNode): Promise<void> {
  tell(world, node.disk.hasUnflushed ? 'power-cut:unflushed' : 'power-cut', `${node.nodeId} loses its power`);
  await node.cutPower();
}

async function drainingNodes(world: ClusterWorld): Promise<StorageNode[]> {
  const records = await world.timeline.hold(() => world.store.read((reader) => reader.listStorageNodes()));
  const ids = new Set(records.filter(({ state }) => state === 'draining').map(({ nodeId }) => nodeId));
  return present(world).filter(({ nodeId }) => ids.has(nodeId));
}

export const nodeSteps: Record<NodeStep, Perform> = {
  async blackout(world, draw) {
    const hit = present(world).filter(() => draw.chance(70));
    tell(world, 'blackout', `the power fails at ${hit.map(({ nodeId }) => nodeId).join(', ')}`);
    const backMs = draw.pick([3_000, 50_000, 100_000, 200_000]);
    for (const node of hit) {
      await cutPower(world, node);
      world.timeline.schedule(backMs + draw.below(10_000), () => node.start());
    }
    await world.timeline.pass(draw.pick([100, 8_000, 40_000]));
    for (let times = 0; times < 3; times++) readStep(world, draw.pick(world.servers), draw);
  },
  async 'power-cut'(world, draw) {
    const back = (node: StorageNode) =>
      world.timeline.schedule(draw.pick([50, 3_000, 40_000, 200_000]), () => node.start());
    if (draw.chance(40)) {
      // The power fails in the moment in which somebody is told that it is stored.
      const server = draw.pick(world.servers);
      server.process?.ambush('put-done', 1 + draw.below(2), () => {
        tell(world, 'power-cut:acknowledged', `the power fails when ${server.name} has stored blocks`);
        for (const node of present(world)) {
          if (!draw.chance(80)) continue;
          void cutPower(world, node);
          back(node);
        }
      });
      for (let times = 1 + draw.below(3); times > 0; times--) uploadStep(world, server, draw);
      return;
    }
    for (const node of present(world)) {
      if (!draw.chance(60)) continue;
      const point = draw.pick(['disk-write', 'disk-flush', 'disk-flush', 'disk-flush-names', 'disk-flushed']);
      const [againMs, isKilled] = [draw.pick([10, 20, 60, 300, 2_000]), draw.chance(50)];
      node.process?.ambush(point, 1 + draw.below(2), () => {
        if (!isKilled) {
          world.statistics.count(`power-cut:${point}`);
          void cutPower(world, node);
          back(node);
          return;
        }
        // What a killed process had written and not flushed is there for the next one, until the power fails.
        tell(world, `killed:${point}`, `${node.nodeId} is killed at ${point}`);
        void node.kill();
        node.start();
        world.timeline.schedule(againMs, () => {
          void cutPower(world, node);
          back(node);
        });
      });
    }
    const content = pickContent(world, draw);
    for (let times = 1 + draw.below(3); times > 0; times--) {
      uploadContent(world, draw.pick(world.servers), draw.pick(world.users), content, null);
      await world.timeline.pass(draw.pick([0, 5, 30, 300]));
    }
    // Whoever was not met in the midst of something is met now.
    const node = pickNode(world, draw);
    await cutPower(world, node);
    back(node);
  },
  /** New blocks are about to be coded, or all are to change their form, and some nodes die while they write shards. */
  async 'broken-repair'(world, draw) {
    uploadContent(world, draw.pick(world.servers), draw.pick(world.users), draw.pick(LARGE_CONTENTS), null);
    await world.timeline.pass(draw.pick([50, 400]));
    for (const node of present(world)) {
      if (!draw.chance(45)) continue;
      node.process?.ambush('disk-write', 1 + draw.below(3), () => {
        tell(world, 'broken-repair', `${node.nodeId} is killed while it writes`);
        void node.kill();
        world.timeline.schedule(draw.pick([3_000, 40_000]), () => node.start());
      });
    }
    for (const { running } of world.servers) running?.opened.view?.repairSoon();
    await world.timeline.pass(draw.pick([4_000, 8_000]));
  },
  async 'kill-node'(world, draw) {
    const node = pickNode(world, draw);
    tell(world, 'node-killed', `${node.nodeId} is killed`);
    await node.kill();
    const backMs = draw.pick([20, 3_000, 40_000, 200_000, 900_000]);
    world.timeline.schedule(backMs, () => node.start());
  },
  'start-node'(world, draw) {
    const down = present(world).filter(({ isUp }) => !isUp);
    if (down.length > 0) draw.pick(down).start();
  },
  'pause-node'(world, draw) {
    const { nodeId, process } = pickNode(world, draw);
    if (process === null) return;
    const durationMs = draw.pick([300, 8_000, 20_000, 60_000, 700_000]);
    tell(world, 'node-paused', `${nodeId} stands still for ${durationMs} ms`);
    process.pause();
    world.timeline.schedule(durationMs, () => process.resume());
  },
  async wipe(world, draw) {
    const node = pickNode(world, draw);
    if (
      !(await mayDestroy(
        world,
        node,
        lostBy(node, () => false),
      ))
    )
      return;
    tell(world, 'wiped', `${node.nodeId} gets an empty disk`);
    await node.kill();
    node.wipe();
    world.timeline.schedule(draw.pick([0, 1_000, 20_000, 100_000]), () => node.start());
  },
  snapshot(world, draw) {
    const node = pickNode(world, draw);
    world.trace.tell(`the folder of ${node.nodeId} is copied`);
    node.snapshot?.remove();
    node.snapshot = node.disk.copy();
  },
  async 'put-back'(world, draw) {
    const stale = present(world).filter(({ snapshot }) => snapshot !== null);
    if (stale.length === 0) return;
    const node = draw.pick(stale);
    const { snapshot } = node;
    if (snapshot === null) return;
    if (
      !(await mayDestroy(
        world,
        node,
        lostBy(node, (blockId) => snapshot.isWhole(blockId)),
      ))
    )
      return;
    const isBack = snapshot.storedBlocks().some((blockId) => !node.disk.has(blockId));
    tell(world, 'stale-returned', `${node.nodeId} comes back with an old copy of its folder`);
    if (isBack) world.statistics.count('stale-returned:with-deleted-blocks');
    await node.kill();
    node.replaceDisk(snapshot);
    node.snapshot = null;
    node.start();
  },
  async twin(world, draw) {
    const node = pickNode(world, draw);
    if (node.twin !== null || node.process === null) return;
    tell(world, 'twin', `a copy of ${node.nodeId} runs beside it`);
    await node.startTwin();
  },
  async 'end-twin'(world, draw) {
    const doubled = present(world).filter(({ twin }) => twin !== null);
    if (doubled.length === 0) return;
    const node = draw.pick(doubled);
    world.trace.tell(`the copy of ${node.nodeId} ends, and it starts anew`);
    await node.endTwin();
    await node.kill();
    node.start();
  },
  async rot(world, draw) {
    for (let times = 1 + draw.below(4); times > 0; times--) {
      const node = pickNode(world, draw);
      const whole = node.disk.wholeBlocks();
      if (whole.length === 0) continue;
      const blockId = draw.pick(whole);
      if (!(await mayDestroy(world, node, [blockId]))) continue;
      if (isShardId(blockId)) world.statistics.count('rotten:shard');
      tell(world, 'rotten', `block ${blockId.slice(0, 6)} rots on ${node.nodeId}`);
      node.disk.rot(blockId);
    }
    // What moves now is counted as there before anybody has read it.
    if (draw.chance(40)) await nodeSteps.reweigh(world, draw);
  },
  full(world, draw) {
    const node = pickNode(world, draw);
    tell(world, 'full', `${node.nodeId} is full`);
    node.isFull = true;
  },
  'read-only'(world, draw) {
    const node = pickNode(world, draw);
    tell(world, 'read-only', `${node.nodeId} is read-only`);
    node.isReadOnly = true;
  },
  slow(world, draw) {
    const node = pickNode(world, draw);
    node.slowMs = draw.pick([150, 1_000, 5_000, 12_000]);
    tell(world, 'slow', `${node.nodeId} takes ${node.slowMs} ms longer`);
  },
  async garble(world, draw) {
    const node = pickNode(world, draw);
    // What lacks a replica now is copied, perhaps from this one.
    if (draw.chance(60)) await nodeSteps.wipe(world, draw);
    node.garbledPercent = draw.pick([10, 50, 100]);
    tell(world, 'garbling', `${node.nodeId} garbles ${node.garbledPercent} % of what it reads`);
    for (let times = 0; times < 3; times++) readStep(world, draw.pick(world.servers), draw);
  },
  'well-again'(world, draw) {
    const node = pickNode(world, draw);
    world.trace.tell(`${node.nodeId} is well again`);
    makeWell(node);
  },
  partition(world, draw) {
    const server = draw.pick(world.servers);
    const cut = present(world).filter(() => draw.chance(50));
    tell(world, 'partition', `${server.name} is cut off from ${cut.map(({ nodeId }) => nodeId).join(', ')}`);
    for (const { nodeId } of cut) {
      const link = world.network.link(server.name, nodeId);
      link.isDeafThere = true;
      link.isDeafBack = true;
    }
  },
  'one-way'(world, draw) {
    const server = draw.pick(world.servers);
    const { nodeId } = pickNode(world, draw);
    const isThere = draw.chance(40);
    tell(
      world,
      isThere ? 'one-way:there' : 'one-way:back',
      `between ${server.name} and ${nodeId} ${isThere ? 'requests' : 'answers'} get lost`,
    );
    const link = world.network.link(server.name, nodeId);
    if (isThere) link.isDeafThere = true;
    else link.isDeafBack = true;
  },
  lossy(world, draw) {
    const server = draw.pick(world.servers);
    tell(world, 'lossy', `the network of ${server.name} is bad`);
    for (const { nodeId } of present(world)) {
      const link = world.network.link(server.name, nodeId);
      link.lossPercent = draw.below(20);
      link.latePercent = draw.below(20);
      link.latencyMs = draw.pick([1, 30, 400]);
    }
  },
  'heal-network'(world) {
    world.trace.tell('the network is well again');
    world.network.heal();
  },
  async 'add-node'(world) {
    if (world.nodes.length >= MAX_NODES) return;
    const { nodeId } = await world.addNode();
    tell(world, 'node-added', `${nodeId} joins`);
  },
  async drain(world, draw) {
    const draining = await drainingNodes(world);
    const others = present(world).filter((node) => !draining.includes(node));
    if (others.length === 0) return;
    const { nodeId } = draw.pick(others);
    change(world, draw.pick(world.servers), nodeId, `${nodeId} is to be drained`, DRAINING);
    world.statistics.count('draining');
  },
  reweigh(world, draw) {
    const { nodeId } = pickNode(world, draw);
    const weight = draw.pick([0.2, 1, 5]);
    change(world, draw.pick(world.servers), nodeId, `${nodeId} is to weigh ${weight}`, { weight });
    world.statistics.count('reweighed');
  },
  async migrate(world, draw) {
    const old = present(world);
    const count = Math.min(1 + draw.below(3), MAX_NODES - world.nodes.length);
    for (let number = 0; number < count; number++) {
      const { nodeId } = await world.addNode();
      world.trace.tell(`${nodeId} joins`);
    }
    const leaving = draw.chance(30) ? old : old.slice(0, draw.below(old.length) + 1);
    for (const { nodeId } of leaving)
      change(world, draw.pick(world.servers), nodeId, `${nodeId} is to be drained`, DRAINING);
    world.statistics.count('migration');
    if (leaving.length === present(world).length) world.statistics.count('drained:everything');
  },
  async undrain(world, draw) {
    const draining = await drainingNodes(world);
    if (draining.length === 0) return;
    const { nodeId } = draw.pick(draining);
    change(world, draw.pick(world.servers), nodeId, `${nodeId} is to stay`, { state: 'active' });
  },
  async 'remove-node'(world, draw) {
    const draining = await drainingNodes(world);
    // Where nothing was stored, or all of it is in a folder now, the last one could go, too, and the history with it.
    if (draining.length === 0 || present(world).length === 1) return;
    removeNode(world, draw.pick(world.servers), draw.pick(draining), false);
  },
  async 'force-remove'(world, draw) {
    if (present(world).length <= 3) return;
    const node = pickNode(world, draw);
    if (
      !(await mayDestroy(
        world,
        node,
        lostBy(node, () => false),
      ))
    )
      return;
    // Its machine is gone first, so nothing more comes to it.
    await node.endTwin();
    await node.kill();
    node.removedMs = world.timeline.nowMs;
    tell(world, 'node-lost', `${node.nodeId} is gone for good`);
    removeNode(world, draw.pick(world.servers), node, true);
  },
};

/** Adds as many nodes as a block needs, drains all others and removes them, through this server. */
export async function replaceNodes(world: ClusterWorld, draw: Draw, server: ClusterServer): Promise<void> {
  if (world.nodes.length + REPLICAS > MAX_NODES) return;
  const old = present(world);
  for (let count = 0; count < REPLICAS; count++) {
    const { nodeId } = await world.addNode();
    world.trace.tell(`${nodeId} joins`);
  }
  for (const { nodeId } of old) change(world, server, nodeId, `${nodeId} is to be drained`, DRAINING);
  await world.timeline.pass(draw.pick([30_000, 50_000, 70_000]));
  for (const node of old) removeNode(world, server, node, false);
  await world.timeline.pass(draw.pick([0, 1_000, 100_000]));
}

function change(
  world: ClusterWorld,
  server: ClusterServer,
  nodeId: string,
  what: string,
  changes: Parameters<RunningServer['cluster']['change']>[2],
): void {
  const [user] = world.users as [ClusterWorld['users'][number]];
  begin(world, server, what, async ({ cluster }) => {
    await cluster.change(user.principal, nodeId, changes);
    return null;
  });
}

function removeNode(world: ClusterWorld, server: ClusterServer, node: StorageNode, force: boolean): void {
  const [user] = world.users as [ClusterWorld['users'][number]];
  begin(world, server, `${node.nodeId} is to be removed`, async ({ cluster }) => {
    await cluster.remove(user.principal, node.nodeId, { force });
    if (node.removedMs === null) await checkNothingDepends(world, node);
    node.removedMs ??= world.timeline.nowMs;
    world.statistics.count(force ? 'removed-by-force' : 'removed-when-empty');
    return 'removed';
  });
}

export function makeWell(node: StorageNode): void {
  node.isFull = false;
  node.isReadOnly = false;
  node.slowMs = 0;
  node.garbledPercent = 0;
}
