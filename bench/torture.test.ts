import { expect, test } from 'vitest';
import { runTorture } from './torture/run-torture.ts';
import { withCleanup } from './world/cleanup.ts';
import { createWorkFolder } from './world/work-folder.ts';

const SEED = 'continuous integration';

/** `npm run torture` in small: enough to meet every kind of kill. */
test('kill -9 of the server and of both daemons loses nothing and leaves equal trees', async () => {
  const lines: string[] = [];
  const result = await withCleanup(async (defer) => {
    const work = createWorkFolder('temp', 0);
    defer(() => work.remove());
    return runTorture(
      work.path,
      {
        seed: SEED,
        kills: 6,
        gapMs: [200, 700],
        smallFiles: 120,
        largeBytes: 4 * 1024 ** 2,
        existingFolder: null,
        settleTimeoutMs: 60_000,
        checksNewDevice: true,
        report: (line) => lines.push(line),
      },
      defer,
    );
  });
  expect(result.failures, `seed "${SEED}"\n${lines.join('\n')}`).toEqual([]);
  expect(Math.min(result.kills.server, result.kills.a, result.kills.b)).toBeGreaterThan(0);
  expect(result.actions).toBeGreaterThan(10);
}, 150_000);
