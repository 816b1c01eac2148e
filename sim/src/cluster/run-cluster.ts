import { rmSync } from 'node:fs';
import type { RunResult } from '../run-result.ts';
import { RepairWatch } from './checks/moments.ts';
import { restAndCheck, withPicture } from './checks/rest.ts';
import { performStep } from './history/cluster-steps.ts';
import type { ClusterWorld } from './history/cluster-world.ts';
import { createCluster } from './history/create-cluster.ts';
import type { ClusterScript } from './history/script.ts';

/** One history of a cluster. */
export async function runCluster(
  script: ClusterScript,
  onLine: ((line: string) => void) | null = null,
): Promise<RunResult> {
  const { world, path } = await createCluster(script, onLine);
  const watch = new RepairWatch(world);
  world.timeline.onMoment = () => watch.look();
  let failure: Error | null = null;
  try {
    await play(world);
  } catch (error) {
    failure = withPicture(world, error);
  }
  await end(world, path);
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

async function play(world: ClusterWorld): Promise<void> {
  const { timeline, script } = world;
  if (script.servers > 1) world.statistics.count('several-servers');
  await timeline.pass(12_000);
  for (const step of script.steps) {
    await performStep(world, step);
    if (world.failure !== null) throw world.failure;
  }
  await restAndCheck(world);
}

/** Ends every process, so that nothing of this world is left in the next one. */
async function end(world: ClusterWorld, path: string): Promise<void> {
  world.timeline.onMoment = () => undefined;
  for (const server of world.servers) server.kill();
  for (const node of world.nodes) await node.remove();
  world.folders?.remove();
  await world.store.close();
  for (const part of ['', '-wal', '-shm']) rmSync(path + part, { force: true });
}
