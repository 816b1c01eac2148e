import { type Script, writeScript } from './history/script.ts';
import { run } from './run.ts';
import { shrink } from './shrink.ts';
import { WANTED_STATES } from './wanted-states.ts';
import type { WorldKind } from './world-kind.ts';

/** Devices that keep folders in sync through one server. */
export const deviceWorlds: WorldKind<Script> = {
  command: 'npm run sim',
  program: new URL('./main.ts', import.meta.url),
  writeScript,
  run,
  shrink,
  describe: ({ devices }) =>
    devices
      .map(
        ({ name, disk, latencyMs, slowPercent }) =>
          `${name}: ${disk}, ${latencyMs.join('–')} ms away${slowPercent > 0 ? `, slow disk (${slowPercent} %)` : ''}`,
      )
      .join('\n'),
  compare: ({ steps, calm }, whole) =>
    `${steps.length} of ${whole.steps.length} steps, ${calm.length} calm ones`,
  wantedStates: WANTED_STATES,
};
