import { createDraw } from '../random.ts';
import { healLink } from '../world/link.ts';
import { lookAfter, start } from './processes.ts';
import { up } from './server-steps.ts';
import { decideDeletes } from './steps.ts';
import { describeWorld, type World } from './world.ts';

const SOON_ROUNDS = 200;
const MAX_ROUNDS = 300;

/** Everything is well again: networks, disks, clocks' owners and the server. */
export async function heal(world: World): Promise<void> {
  const { trace, timeline, devices, server } = world;
  trace.tell('all is well again');
  server.dieAfterCommits(Number.POSITIVE_INFINITY, () => undefined);
  await up(world);
  for (const device of devices) {
    device.cancelAmbush();
    device.setFaults(null);
    device.disk.setHintsDropped(false);
    device.disk.setCapacity(Number.POSITIVE_INFINITY);
    if (!device.isMounted) device.setMounted(true);
    healLink(device.link);
  }
  await timeline.pass(50);
  await lookAfter(world);
  for (const device of devices) {
    await start(world, device);
    device.engine.resume();
  }
}

/**
 * Lets time pass until every device says that it is in sync with the server, twice in a row with a complete look
 * in between. Throws when that does not come about.
 */
export async function rest(world: World): Promise<void> {
  const { timeline, devices } = world;
  const startedMs = timeline.nowMs;
  for (let round = 0; ; round++) {
    // Hints that were lost are made up for by the next regular look, a quarter of an hour later.
    await timeline.pass(round < SOON_ROUNDS ? 400 : 20_000);
    throwFailure(world);
    await lookAfter(world);
    throwFailure(world);
    for (const device of devices) {
      if (!device.isRunning) await start(world, device);
      if (device.isRunning && device.engine.status().held !== null)
        decideDeletes(world, device, createDraw(world.script.seed + round));
    }
    if (isQuiet(world)) {
      for (const { engine } of devices) engine.refresh();
      // There and back twice, and what a disk of coarse times waits before it is read.
      await timeline.pass(2_500 + 4 * Math.max(...devices.map(({ shape }) => shape.latencyMs[1])));
      throwFailure(world);
      if (isQuiet(world)) break;
    }
    if (round > MAX_ROUNDS)
      throw new Error(
        `[I9 I11] the devices do not come to rest in ${Math.round((timeline.nowMs - startedMs) / 1000)} s`,
      );
  }
}

export function throwFailure(world: World): void {
  if (world.failure !== null) throw world.failure;
}

function isQuiet({ devices, mirror, script }: World): boolean {
  return devices.every((device) => {
    if (!device.isRunning) return false;
    const { state } = device.engine.status();
    const { cursor } = device.trees;
    // Something ignored may stand where the server has something else; that waits for its user.
    const isAtRest = state === 'in-sync' || (script.ignores && state === 'waiting');
    return isAtRest && cursor?.sequence === mirror.sequence && mirror.at(cursor) !== undefined;
  });
}

/** An error with how everything stands. */
export function withPicture(world: World, error: unknown): Error {
  const message = error instanceof Error ? error.message : String(error);
  return new Error(`${message}\n${describeWorld(world)}`, { cause: error });
}
