import { checkEnd, checkRest } from './checks/final.ts';
import { MomentChecks } from './checks/moments.ts';
import { expectPicture, pictureOf, playCalm } from './history/calm.ts';
import { createWorld } from './history/create-world.ts';
import { heal, rest, throwFailure, withPicture } from './history/rest.ts';
import type { Script } from './history/script.ts';
import { letAct, perform } from './history/steps.ts';
import type { World } from './history/world.ts';
import { createDraw } from './random.ts';
import type { RunResult } from './run-result.ts';

/** One history from its seed, or a script that came from one. */
export async function run(
  script: Script,
  onLine: ((line: string) => void) | null = null,
): Promise<RunResult> {
  const world = await createWorld(script, onLine);
  const checks = new MomentChecks(world);
  world.timeline.onMoment = () => checks.check();
  let failure: Error | null = null;
  try {
    await play(world);
  } catch (error) {
    failure = withPicture(world, error);
  }
  await end(world);
  return {
    seed: script.seed,
    hash: world.trace.digest(),
    steps: script.steps.length,
    events: world.trace.events,
    states: world.statistics.counts,
    failure,
    lines: world.trace.lines,
  };
}

async function play(world: World): Promise<void> {
  const { script, devices, timeline } = world;
  const first = devices[script.writers[0] ?? 0];
  if (script.foldersFirst) for (const name of ['p', 'q']) first?.disk.user.makeFolder(name);
  if (first !== undefined) for (const word of script.before) letAct(world, first, createDraw(word));
  for (const device of devices) device.start();
  await timeline.pass(200);
  for (const step of script.steps) {
    await perform(world, step);
    throwFailure(world);
  }
  const only = script.writers.length === 1 ? devices[script.writers[0] as number] : undefined;
  await heal(world);
  const wanted = only === undefined ? null : pictureOf(only);
  await rest(world);
  await checkRest(world);
  const mayDiffer = world.hadUnion || world.hadSuddenEnd || world.hadClash || script.ignores;
  if (wanted !== null && !mayDiffer) {
    world.statistics.count('single-writer');
    expectPicture(world, wanted, 'only one user did anything');
  }
  await playCalm(world);
  await checkEnd(world);
  throwFailure(world);
}

/** Ends every process, so that nothing of this world is left in the next one. */
async function end(world: World): Promise<void> {
  world.timeline.onMoment = () => undefined;
  for (const device of world.devices) {
    device.cancelAmbush();
    device.setFaults(null);
    if (device.isRunning) await world.timeline.until(device.kill());
  }
  await world.server.close();
}
