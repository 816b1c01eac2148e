import { describe, expect, test } from 'vitest';
import { runMany } from '../run-many.ts';
import { runTwice } from '../run-twice.ts';
import { findBlindSpots } from '../wanted-states.ts';
import { clusterWorlds } from './cluster-worlds.ts';
import { KEPT_CLUSTER_SEEDS } from './kept-seeds.ts';
import { WANTED_CLUSTER_STATES } from './wanted-states.ts';

const RUNS = Number(process.env['CLUSTER_RUNS'] ?? 60);
const FIRST_SEED = Number(process.env['CLUSTER_SEED'] ?? 1);
const ENOUGH_TO_SEE_ALL = 1000;

test(
  `${RUNS} simulated clusters, each the same twice, lose nothing and come to rest`,
  async () => {
    const { tally, failures } = await runMany(clusterWorlds, {
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
    if (RUNS >= ENOUGH_TO_SEE_ALL) expect(findBlindSpots(tally, WANTED_CLUSTER_STATES)).toEqual([]);
  },
  20 * 60_000,
);

describe('clusters that once found something', () => {
  test.each(KEPT_CLUSTER_SEEDS)('seed %i: %s', async (seed) => {
    const { failure } = await runTwice(clusterWorlds, seed);
    expect(failure?.message ?? null).toBeNull();
  });
});
