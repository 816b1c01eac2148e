import { isCairnError } from '@cairn/model';
import type { Device } from '../world/device.ts';
import { fail, type World } from './world.ts';

/** What the people at the devices do about their processes. */

export async function stop(world: World, device: Device): Promise<void> {
  // What a failing disk does not take is forgotten as by a kill, and so is a commit without an answer.
  if (device.hasDiskFaults || device.link.openCommits > 0) world.hadSuddenEnd = true;
  await world.timeline.until(device.stop());
}

/** Processes that ended on purpose are left alone; those that ended with an error are looked after. */
export async function lookAfter(world: World): Promise<void> {
  const { timeline, trace, statistics } = world;
  for (const device of world.devices) {
    const { failure } = device;
    if (failure === null || device.isRunning) continue;
    const code = isCairnError(failure) ? failure.code : 'internal';
    statistics.count(`ended:${code}`);
    trace.tell(`${device.name} has ended: ${code}`);
    device.failure = null;
    // What it had not made durable is forgotten, as by a kill.
    world.hadSuddenEnd = true;
    if (code === 'session-revoked' || code === 'not-signed-in') {
      try {
        await timeline.until(device.signIn());
        trace.tell(`${device.name} signs in again`);
      } catch (error) {
        if (!isCairnError(error)) throw error;
        trace.tell(`${device.name} cannot sign in: ${error.code}`);
        // Tried again when somebody starts it.
        device.needsSignIn = true;
        continue;
      }
      device.start();
    } else if (code === 'root-missing') {
      if (device.failedWhileMounted)
        fail(world, new Error(`${device.name} does not know its folder any more`));
    } else if (code !== 'local-io' && code !== 'local-disk-full') {
      fail(world, new Error(`${device.name} has given up: ${code}`, { cause: failure }));
    }
  }
}

export async function start(world: World, device: Device): Promise<void> {
  if (device.isRunning) return;
  if (device.needsSignIn) {
    try {
      await world.timeline.until(device.signIn());
      device.needsSignIn = false;
    } catch (error) {
      if (!isCairnError(error)) throw error;
      return;
    }
  }
  device.start();
}
