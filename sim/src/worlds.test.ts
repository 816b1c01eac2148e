import { expect, test } from 'vitest';
import { deviceWorlds } from './device-worlds.ts';
import { runMany } from './run-many.ts';
import { findBlindSpots, WANTED_STATES } from './wanted-states.ts';

const RUNS = Number(process.env['SIM_RUNS'] ?? 1000);
const FIRST_SEED = Number(process.env['SIM_SEED'] ?? 1);
const ENOUGH_TO_SEE_ALL = 1000;

test(
  `I1 I4 I9 I10 I14 I15 I17 I20 I21 I22 I23 I24 ${RUNS} simulated worlds, each the same twice, lose nothing and become equal`,
  async () => {
    const { tally, failures } = await runMany(deviceWorlds, {
      from: FIRST_SEED,
      runs: RUNS,
      untilAt: null,
      jobs: 2,
      twice: true,
      keepGoing: false,
    });
    expect(failures).toEqual([]);
    expect(tally.runs).toBe(RUNS);
    // What is never met is not tested.
    if (RUNS >= ENOUGH_TO_SEE_ALL) expect(findBlindSpots(tally, WANTED_STATES)).toEqual([]);
  },
  20 * 60_000,
);
