import { createDraw, type Draw } from '../../random.ts';
import { checkNothingIsLost } from '../checks/moments.ts';
import type { ClusterServer } from '../world/cluster-server.ts';
import { type ClusterWorld, type Perform, present } from './cluster-world.ts';
import { moveSteps } from './move-steps.ts';
import { nodeSteps, replaceNodes } from './node-steps.ts';
import type { ClusterStep, StepKind } from './script.ts';
import {
  begin,
  pickContent,
  purgeStep,
  putFileStep,
  readStep,
  removeFile,
  removeStep,
  revertStep,
  uploadContent,
  uploadStep,
} from './user-steps.ts';

const HOUR_MS = 3_600_000;
const SLEEPS_MS = [60_000, HOUR_MS, 30 * HOUR_MS, 60 * HOUR_MS, 121 * HOUR_MS, 121 * HOUR_MS, 270 * HOUR_MS];
const PAUSES_MS = [200, 5_000, 40_000, 130_000, 700_000];
/** Where a process may be stopped right before it goes on. */
const RACING_POINTS = ['delete', 'delete', 'locate', 'list', 'transact', 'transact-done', 'put-done', 'read'];
const POINTS = ['put', 'put-done', 'delete', 'get', 'locate', 'list', 'transact', 'transact-done', 'read'];

function pickServer(world: ClusterWorld, draw: Draw): ClusterServer {
  return draw.pick(world.servers);
}

function pauseServer(world: ClusterWorld, server: ClusterServer, durationMs: number): void {
  const { process } = server;
  if (process === null) return;
  process.pause();
  world.statistics.count('server-paused');
  world.trace.tell(`${server.name} stands still for ${durationMs} ms`);
  world.timeline.schedule(durationMs, () => {
    if (process.isDead || process.isRunning) return;
    world.trace.tell(`${server.name} goes on`);
    process.resume();
  });
}

function killServer(world: ClusterWorld, server: ClusterServer, backMs: number): void {
  if (server.process === null) return;
  world.trace.tell(`${server.name} is killed`);
  world.statistics.count('server-killed');
  server.kill();
  world.timeline.schedule(backMs, () => server.start());
}

/** Lets the clean-up of a server run now, as an administrator may. */
export function collectStep(world: ClusterWorld, server: ClusterServer): void {
  const [{ principal }] = world.users as [ClusterWorld['users'][number]];
  begin(world, server, 'a clean-up', async ({ maintenance }) => {
    const { collection, audit } = await maintenance.service.collect(principal, { dryRun: false });
    const { condemned, swept, orphansNoted, orphansSwept, reclaimed } = collection;
    if (condemned.blocks > 0) world.statistics.count('condemned');
    if (swept.blocks > 0) world.statistics.count('swept');
    if (orphansNoted.blocks > 0) world.statistics.count('orphan-noted');
    if (orphansSwept.blocks > 0) world.statistics.count('orphan-swept');
    if (reclaimed.blocks > 0) world.statistics.count('reclaimed');
    if (audit.dangling > 0) world.statistics.count('audit:dangling');
    const figures = [condemned, swept, orphansNoted, orphansSwept, reclaimed].map(({ blocks }) => blocks);
    return `condemned ${figures[0]}, swept ${figures[1]}, orphans ${figures[2]} and ${figures[3]}, reclaimed ${figures[4]}`;
  });
}

/** Blocks are to be moved or collected, so that there is something to copy and to delete. */
function stirUp(world: ClusterWorld, draw: Draw): void {
  if (draw.chance(30)) collectStep(world, pickServer(world, draw));
  for (let times = 0; times < 3; times++) void nodeSteps.reweigh(world, draw);
}

/** A job is stopped right before it deletes something, for longer than its lease, and another server takes over. */
async function twoCoordinators(world: ClusterWorld, draw: Draw): Promise<void> {
  const server = pickServer(world, draw);
  const point = draw.pick(['delete', 'delete', 'delete', 'get', 'locate', 'transact']);
  const durationMs = draw.pick([20_000, 60_000, 150_000]);
  server.process?.ambush(point, 1 + draw.below(4), () => {
    world.statistics.count(`two-coordinators:${point}`);
    pauseServer(world, server, durationMs);
    world.trace.tell('11 minutes go by');
    world.sleptMs += 11 * 60_000;
  });
  for (let times = 0; times < 2; times++) {
    stirUp(world, draw);
    await world.timeline.pass(draw.pick([4_000, 9_000, 15_000]));
  }
}

/** A server stands still in the midst of an upload while all nodes that it knows are replaced by others. */
async function leftBehind(world: ClusterWorld, draw: Draw): Promise<void> {
  const server = pickServer(world, draw);
  const others = world.servers.filter((each) => each !== server && each.running !== null);
  if (others.length === 0) return;
  const point = draw.pick(['put', 'put', 'put-done', 'read']);
  server.process?.ambush(point, 1, () => pauseServer(world, server, 150_000));
  uploadContent(world, server, draw.pick(world.users), pickContent(world, draw), null);
  await world.timeline.pass(50);
  world.statistics.count('left-behind');
  await replaceNodes(world, draw, draw.pick(others));
}

/** Nobody needs a content any more, its blocks are collected, and just then it is sent again, perhaps several times. */
async function race(world: ClusterWorld, draw: Draw): Promise<void> {
  const { timeline } = world;
  const content = pickContent(world, draw);
  const { contentId } = content.content;
  for (const file of world.ledger.kept().filter(({ contents }) => contents.has(contentId))) {
    removeFile(world, pickServer(world, draw), file, true);
  }
  await timeline.pass(300);
  const rounds = 1 + draw.below(3);
  for (let round = 0; round < rounds; round++) {
    world.trace.tell('121 hours go by');
    world.sleptMs += 121 * HOUR_MS;
    const server = pickServer(world, draw);
    if (draw.chance(60)) {
      const [point, count] = [draw.pick(RACING_POINTS), 1 + draw.below(4)];
      const durationMs = draw.pick(PAUSES_MS);
      server.process?.ambush(point, count, () => {
        world.statistics.count(`race:${point}`);
        pauseServer(world, server, durationMs);
      });
    }
    collectStep(world, server);
    await timeline.pass(draw.pick([0, 5, 20, 60, 300]));
    if (round < rounds - 1 && draw.chance(50)) continue;
    for (let times = 1 + draw.below(3); times > 0; times--) {
      const user = draw.pick(world.users);
      uploadContent(world, pickServer(world, draw), user, content, null);
      await timeline.pass(draw.pick([0, 0, 1, 5, 20]));
    }
  }
  world.statistics.count('race');
}

/** Coding is turned on or off: servers start anew with the other setting, one after the other. */
function turnCoding(world: ClusterWorld, draw: Draw): void {
  const choices = [null, 0, 30 * HOUR_MS].filter((choice) => choice !== world.codeAfterMs);
  world.codeAfterMs = draw.pick(choices);
  const isOn = world.codeAfterMs !== null;
  world.statistics.count(isOn ? 'coding:on' : 'coding:off');
  world.trace.tell(`shards are made of what is older than ${world.codeAfterMs} ms`);
  for (const server of world.servers) {
    world.timeline.schedule(draw.below(8_000), () => killServer(world, server, 100));
  }
}

const STEPS: Record<StepKind, Perform> = {
  ...nodeSteps,
  ...moveSteps,
  'turn-coding': turnCoding,
  repair(world, draw) {
    const { name, running } = pickServer(world, draw);
    world.trace.tell(`${name} is to compare everything`);
    running?.opened.view?.repairSoon();
  },
  race,
  'two-coordinators': twoCoordinators,
  'left-behind': leftBehind,
  upload: (world, draw) => uploadStep(world, pickServer(world, draw), draw),
  'put-file': (world, draw) => putFileStep(world, pickServer(world, draw), draw),
  read: (world, draw) => readStep(world, pickServer(world, draw), draw),
  remove: (world, draw) => removeStep(world, pickServer(world, draw), draw),
  purge: (world, draw) => purgeStep(world, pickServer(world, draw), draw),
  revert: (world, draw) => revertStep(world, pickServer(world, draw), draw),
  collect: (world, draw) => collectStep(world, pickServer(world, draw)),
  sleep(world, draw) {
    const durationMs = draw.pick(SLEEPS_MS);
    world.trace.tell(`${durationMs / HOUR_MS} hours go by`);
    world.sleptMs += durationMs;
  },
  scrub(world, draw) {
    begin(world, pickServer(world, draw), 'a scrub', async ({ blocks }) => {
      const { damagedCount } = await blocks.scrub();
      return `${damagedCount} damaged`;
    });
  },
  status(world, draw) {
    begin(world, pickServer(world, draw), 'a look at the nodes', async ({ cluster }) => {
      const [{ principal }] = world.users as [ClusterWorld['users'][number]];
      const { nodes } = await cluster.describe(principal);
      return `${nodes.length} nodes`;
    });
  },
  'kill-server': (world, draw) => killServer(world, pickServer(world, draw), draw.pick([50, 2_000, 60_000])),
  'pause-server': (world, draw) => pauseServer(world, pickServer(world, draw), draw.pick(PAUSES_MS)),
  'ambush-server'(world, draw) {
    const server = pickServer(world, draw);
    const [point, count, durationMs] = [draw.pick(POINTS), 1 + draw.below(6), draw.pick(PAUSES_MS)];
    const kills = draw.chance(30);
    server.process?.ambush(point, count, () => {
      world.statistics.count(`ambush:${point}`);
      world.trace.tell(`${server.name} comes to ${point}`);
      if (kills) killServer(world, server, 1_000);
      else pauseServer(world, server, durationMs);
    });
  },
  skew(world, draw) {
    const server = pickServer(world, draw);
    const offsetMs = draw.pick([-3 * HOUR_MS, -90_000, 0, 90_000, 700_000, 3 * HOUR_MS]);
    world.statistics.count('clock-skewed');
    world.trace.tell(`the clock of ${server.name} is off by ${offsetMs / 1000} s`);
    server.wall.offsetMs = offsetMs;
  },
};

/** Lets the step happen, and looks whether anything is lost. */
export async function performStep(world: ClusterWorld, step: ClusterStep): Promise<void> {
  const { timeline } = world;
  if (step.afterMs > 0) await timeline.pass(step.afterMs);
  world.statistics.count(`step:${step.kind}`);
  if (present(world).length === 0) throw new Error('there are no nodes left');
  await STEPS[step.kind](world, createDraw(step.word));
  await timeline.settle();
  await timeline.hold(() => checkNothingIsLost(world));
}
