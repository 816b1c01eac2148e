import { describe, expect, test } from 'vitest';
import { runSelectionHistory } from './testing/selection-history.ts';

const RUNS = Number(process.env['SELECTION_RUNS'] ?? 40);
const FIRST_SEED = Number(process.env['SELECTION_SEED'] ?? 1);

/** Seeds that once found something: something in a moved folder, a second move in between, a late hint of one. */
const KEPT_SEEDS: readonly number[] = [48, 230, 498];

describe('random selections, rules and moves', () => {
  test.each(KEPT_SEEDS)('seed %i', async (seed) => {
    await runSelectionHistory(seed);
  });

  test('nothing is deleted on the server, and each device shows what it selected [S-67 S-68]', async () => {
    const met = new Map<string, number>();
    for (let seed = FIRST_SEED; seed < FIRST_SEED + RUNS; seed++) {
      const lines: string[] = [];
      try {
        const report = await runSelectionHistory(seed, (line) => lines.push(line));
        for (const [what, times] of report.met) met.set(what, (met.get(what) ?? 0) + times);
      } catch (error) {
        throw new Error(`seed ${seed}: ${(error as Error).message}\n${lines.join('\n')}`, { cause: error });
      }
    }
    for (const what of ['moved', 'selected', 'ignored', 'out', 'held'])
      expect(met.get(what) ?? 0, what).toBeGreaterThan(RUNS === 1 ? -1 : 0);
  }, 600_000);
});
