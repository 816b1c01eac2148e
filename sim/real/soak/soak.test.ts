import { expect, test } from 'vitest';
import { runSoak } from './run-soak.ts';

const SEED = 'continuous integration';

/** `npm run soak:gc` in small: one round. */
test('users, collections, kills and jumps of time leave every file right and no garbage', async () => {
  const lines: string[] = [];
  const result = await runSoak({
    seed: SEED,
    minutes: 0.01,
    roundSeconds: 6,
    // However slow the machine, enough is removed for a collection to find something.
    leastDeeds: 30,
    users: 4,
    nodes: 0,
    report: (line) => lines.push(line),
  });
  expect(result.failures, `seed "${SEED}"\n${lines.join('\n')}`).toEqual([]);
  expect(result).toMatchObject({ rounds: 1, roundsWithoutGarbage: 1, folder: null });
  expect(result.disturbance.serverKills).toBeGreaterThan(0);
  expect(result.disturbance.collections).toBeGreaterThan(2);
  expect(result.disturbance.reclaimedBlocks).toBeGreaterThan(0);
}, 240_000);
