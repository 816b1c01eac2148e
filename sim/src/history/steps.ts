import { drawDiskFaults, FULL_DISK } from '../faults/disk-faults.ts';
import { drawNetworkFaults } from '../faults/network-faults.ts';
import { createDraw, type Draw } from '../random.ts';
import { act, attempt } from '../users/actions.ts';
import { collide } from '../users/collisions.ts';
import { Hands } from '../users/hands.ts';
import { beginSave } from '../users/save-patterns.ts';
import type { Device } from '../world/device.ts';
import { healLink } from '../world/link.ts';
import { lookAfter, start, stop } from './processes.ts';
import type { Script, Step } from './script.ts';
import { backUpServer, changeServer } from './server-steps.ts';
import type { World } from './world.ts';

const YEAR_MS = 366 * 86_400_000;

/** Lets one step of a script happen. */
export async function perform(world: World, step: Step): Promise<void> {
  const device = world.devices[step.device];
  if (device === undefined) return;
  await world.timeline.pass(step.afterMs);
  await lookAfter(world);
  await happen(world, step, device, createDraw(step.draw));
}

/** The hands of a device's user, for one thing to do. */
export function handsOf(world: World, device: Device, draw: Draw, script: Script): Hands {
  return new Hands({
    device: device.name,
    user: device.disk.user,
    values: world.values,
    draw,
    largePercent: script.largePercent,
    uniqueSizes: world.devices.some(({ variant }) => variant.isCoarse === true),
  });
}

/** A user does something, unless the disk is not there. */
export function letAct(world: World, device: Device, draw: Draw, where = ''): string | null {
  if (!device.isMounted) return null;
  const words = act(handsOf(world, device, draw, world.script), { ignores: world.script.ignores });
  device.lastActMs = world.timeline.nowMs;
  if (words !== null && /^(copy|hard link)/.test(words)) world.hadCopies = true;
  if (words !== null) tellUsers(world, `${device.name}: ${words}${where}`);
  return words;
}

function tellUsers(world: World, words: string): void {
  if (words.includes('Conflict Copy')) world.hadHandledCopies = true;
  world.trace.tell(words);
}

async function happen(world: World, step: Step, device: Device, draw: Draw): Promise<void> {
  const { deed } = step;
  const { trace, statistics, timeline } = world;
  const { link } = device;
  switch (deed) {
    case 'act':
      for (let left = 1 + draw.below(3); left > 0; left--) letAct(world, device, draw);
      return;
    case 'act-slowly':
      for (let left = 2 + draw.below(4); left > 0; left--) {
        letAct(world, device, draw);
        await timeline.pass(draw.below(80));
      }
      return;
    case 'collide':
      letCollide(world, device, draw);
      return;
    case 'save-slowly':
      return saveSlowly(world, device, draw);
    case 'ambush':
      device.ambush(1 + draw.below(60), () => {
        statistics.count('ambush');
        for (let left = 1 + draw.below(2); left > 0; left--)
          letAct(world, device, draw, ' (in the middle of its engine’s work)');
      });
      return;
    case 'ambush-kill': {
      const power = draw.chance(50);
      device.ambush(1 + draw.below(60), () => {
        world.hadSuddenEnd = true;
        statistics.count(power ? 'power-cut:at-work' : 'kill:at-work');
        trace.tell(`${device.name} ${power ? 'loses power' : 'is killed'} in the middle of its work`);
        if (power) device.cutPowerAtOnce();
        else device.killAtOnce();
      });
      return;
    }
    case 'network':
      link.faults.offline = !link.faults.offline;
      trace.tell(`${device.name} is ${link.faults.offline ? 'offline' : 'online'}`);
      return;
    case 'network-faults':
      if (draw.chance(40)) {
        healLink(link);
        trace.tell(`${device.name}'s network is well`);
      } else trace.tell(`${device.name}'s network ${drawNetworkFaults(draw, link.faults)}`);
      return;
    case 'lose-commit-answer':
      link.faults.lostCommits = 1 + draw.below(3);
      trace.tell(`${device.name} loses answers of commits`);
      return;
    case 'disk-faults':
      if (device.hasDiskFaults) {
        device.setFaults(null);
        trace.tell(`${device.name}'s disk is well`);
      } else {
        const names = device.disk.user.walk().map(({ path }) => path.slice(path.lastIndexOf('/') + 1));
        const { words, plan } = drawDiskFaults(draw, names);
        device.setFaults(plan);
        statistics.count('disk-faults');
        trace.tell(`${device.name}'s disk ${words}`);
      }
      return;
    case 'disk-full':
      if (device.hasDiskFaults) return;
      device.setFaults(FULL_DISK);
      statistics.count('disk-full');
      trace.tell(`${device.name}'s disk is full`);
      return;
    case 'unmount':
      device.setMounted(!device.isMounted);
      trace.tell(`${device.name}'s disk is ${device.isMounted ? 'mounted' : 'not mounted'}`);
      if (device.isMounted && draw.chance(70)) await start(world, device);
      else statistics.count('unmounted');
      return;
    case 'watcher':
      device.isBlind = true;
      device.disk.setHintsDropped(draw.chance(60));
      trace.tell(`${device.name}'s watcher loses events`);
      statistics.count('watcher-blind');
      return;
    case 'refresh':
      if (device.isRunning) device.engine.refresh();
      return;
    case 'pause':
      if (!device.isRunning) return;
      if (draw.chance(50)) device.engine.pause();
      else device.engine.resume();
      return;
    case 'decide-deletes':
      decideDeletes(world, device, draw);
      return;
    case 'stop-or-start':
      trace.tell(`${device.name} is ${device.isRunning ? 'stopped' : 'started'}`);
      if (device.isRunning) await stop(world, device);
      else await start(world, device);
      return;
    case 'kill':
    case 'power-cut':
      if (!device.isRunning) return start(world, device);
      world.hadSuddenEnd = true;
      statistics.count(deed);
      trace.tell(`${device.name} ${deed === 'kill' ? 'is killed' : 'loses power'}`);
      await timeline.until(deed === 'kill' ? device.kill() : device.cutPower());
      if (draw.chance(60)) await start(world, device);
      return;
    case 'lose-database':
      if (device.isRunning) await stop(world, device);
      world.hadUnion = true;
      statistics.count('database-lost');
      trace.tell(`${device.name} loses its database`);
      device.loseTrees(world.server.rootId);
      await start(world, device);
      return;
    case 'clone': {
      if (!device.isMounted) return;
      // Its picture is taken at some moment; the process on it ends, or goes on.
      const copy = await world.clone(step.device);
      if (copy === null) return;
      statistics.count('device-cloned');
      world.hadSuddenEnd = true;
      world.hadUnion = true;
      trace.tell(`${device.name} is copied, all of it, and the copy is started`);
      await start(world, copy);
      return;
    }
    case 'keep-database':
      device.keepTrees();
      return;
    case 'restore-database':
      if (!device.hasKeptTrees) return;
      if (device.isRunning) await stop(world, device);
      world.hadUnion = true;
      statistics.count('database-restored');
      trace.tell(`${device.name} gets an older copy of its database back`);
      device.restoreTrees();
      await start(world, device);
      return;
    case 'clock': {
      const jumpMs = draw.pick([-3_600_000, -60_000, -500, 5_000, 86_400_000]);
      device.wall.offsetMs += jumpMs;
      statistics.count(jumpMs < 0 ? 'clock-back' : 'clock-forward');
      trace.tell(`${device.name}'s clock jumps by ${jumpMs} ms`);
      return;
    }
    case 'year':
      return passYear(world, device);
    case 'server-back-up':
      return backUpServer(world);
    case 'server-forgets-leases':
      world.server.afterNextPack(() => {
        statistics.count('leases-forgotten');
        world.server.wall.offsetMs += 3 * 86_400_000;
        trace.tell('three days pass on the server between a pack and its commit');
      });
      return;
    case 'server-restart':
    case 'server-kill-in-commit':
    case 'server-restore':
    case 'server-epoch':
      return changeServer(world, deed, draw);
  }
}

function letCollide(world: World, device: Device, draw: Draw): void {
  const others = world.devices.filter((each) => each !== device && each.isMounted);
  if (others.length === 0 || !device.isMounted) return;
  const other = draw.pick(others);
  device.lastActMs = world.timeline.nowMs;
  other.lastActMs = world.timeline.nowMs;
  const { script } = world;
  const words = attempt(() =>
    collide(handsOf(world, device, draw, script), handsOf(world, other, draw, script)),
  );
  if (words === null) return;
  world.statistics.count('collision');
  tellUsers(world, `${device.name} and ${other.name}: ${words}`);
}

/** A program saves, and others act between its steps. */
async function saveSlowly(world: World, device: Device, draw: Draw): Promise<void> {
  const hands = handsOf(world, device, draw, world.script);
  const files = hands.items().filter(({ kind, path }) => kind === 'file' && path !== '.cairnignore');
  if (!device.isMounted || files.length === 0) return;
  const { path } = draw.pick(files);
  const { name, steps } = beginSave(hands, path);
  world.statistics.count('save:slow');
  for (let number = 1; ; number++) {
    device.lastActMs = world.timeline.nowMs;
    // Somebody may have taken away what the program counted on; then it gives up.
    const words = attempt(() => {
      const step = steps.next();
      return step.done === true ? `done ${step.value}` : `step ${number}`;
    });
    tellUsers(world, `${device.name}: save ${path} (${name}), ${words ?? 'given up'}`);
    if (words === null || words.startsWith('done')) return;
    await world.timeline.pass(draw.below(120));
    if (!device.isMounted) return;
  }
}

export function decideDeletes(world: World, device: Device, draw: Draw): void {
  if (!device.isRunning || device.engine.status().held === null) return;
  const confirms = draw.chance(50);
  world.statistics.count(confirms ? 'brake-confirmed' : 'brake-rejected');
  world.trace.tell(`${device.name}'s user ${confirms ? 'confirms' : 'rejects'} the deletes`);
  device.lastActMs = world.timeline.nowMs;
  if (confirms) device.engine.confirmDeletes();
  else {
    world.hadUnion = true;
    device.engine.rejectDeletes();
  }
}

/** All computers sleep but for a moment at its end; the one device stays off until somebody starts it. */
async function passYear(world: World, device: Device): Promise<void> {
  if (device.isRunning) await stop(world, device);
  world.statistics.count('offline-for-a-year');
  world.trace.tell(`a year passes, ${device.name} is off`);
  world.server.wall.offsetMs += YEAR_MS;
  for (const each of world.devices) each.wall.offsetMs += YEAR_MS;
}
