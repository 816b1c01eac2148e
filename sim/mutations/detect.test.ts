import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { detect } from './detect.ts';
import type { Detector } from './planted-bug.ts';
import { PLANTED_BUGS } from './planted-bugs.ts';
import { createPlantedCopy, type PlantedCopy } from './planted-copy.ts';

const BUDGET = { simRuns: 200, propertyRuns: 500, timeoutMs: 120_000 };

let copy: PlantedCopy;
beforeAll(() => {
  copy = createPlantedCopy(join(import.meta.dirname, '..', '..'));
});
afterAll(() => copy.remove());

function plant(name: string): void {
  const bug = PLANTED_BUGS.find((each) => each.name === name);
  if (bug === undefined) throw new Error(`there is no bug "${name}"`);
  copy.plant(bug);
}

test.each<[string, Detector]>([
  ['planner-server-wins-silently', 'planner'],
  ['engine-every-row-is-ours', 'sim'],
  ['engine-own-cursor-skips-others', 'sim'],
])('%s is noticed (%s)', { timeout: 180_000 }, async (name, detector) => {
  plant(name);
  const { caught, what } = await detect(copy.path, detector, BUDGET);
  expect(caught).toBe(true);
  expect(what).not.toBe('');
});

test('without a planted bug nothing is noticed', { timeout: 180_000 }, async () => {
  copy.restore();
  expect(await detect(copy.path, 'sim', { ...BUDGET, simRuns: 10 })).toMatchObject({
    caught: false,
    runs: 10,
  });
});
