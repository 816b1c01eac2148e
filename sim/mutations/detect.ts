import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Detector } from './planted-bugs.ts';

export interface Detection {
  readonly detector: Detector;
  readonly caught: boolean;
  /** Histories or cases until it was noticed; `null` where that is not counted. */
  readonly runs: number | null;
  readonly timeMs: number;
  /** What was noticed, one line. */
  readonly what: string;
}

export interface Budget {
  /** Histories of the simulated world, at most. */
  readonly simRuns: number;
  /** Cases of each property, at most. */
  readonly propertyRuns: number;
  readonly timeoutMs: number;
}

/** Runs one detector on the sources in `path`. */
export async function detect(path: string, detector: Detector, budget: Budget): Promise<Detection> {
  const started = performance.now();
  const { status, output } = await run(path, commandOf(path, detector, budget), budget);
  const timeMs = performance.now() - started;
  return { detector, caught: status !== 0, timeMs, ...(status === 0 ? NOTHING : describe(detector, output)) };
}

const NOTHING = { runs: null, what: '' };

function commandOf(path: string, detector: Detector, budget: Budget): string[] {
  const vitest = join(path, 'node_modules', 'vitest', 'vitest.mjs');
  if (detector === 'sim')
    return [
      join(path, 'sim', 'src', 'main.ts'),
      '--runs',
      String(budget.simRuns),
      '--no-shrink',
      '--jobs',
      '1',
    ];
  if (detector === 'planner') return [vitest, 'run', 'packages/planner', '--bail', '1'];
  return [vitest, 'run', detector.slice('tests:'.length), '--bail', '1'];
}

function run(
  path: string,
  command: readonly string[],
  budget: Budget,
): Promise<{ status: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, command, {
      cwd: path,
      env: { ...process.env, PLANNER_RUNS: String(budget.propertyRuns), NO_COLOR: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    const collect = (piece: Buffer) => {
      output = (output + piece.toString()).slice(-200_000);
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    // A world that never comes to rest has noticed something too.
    const timer = setTimeout(() => child.kill('SIGKILL'), budget.timeoutMs);
    child.on('error', reject);
    child.on('close', (status) => {
      clearTimeout(timer);
      resolve({ status, output });
    });
  });
}

function describe(detector: Detector, output: string): { runs: number | null; what: string } {
  const property = /Property failed after (\d+) tests?/.exec(output);
  const world = /seed \S+ failed(?: after (\d+) runs?)?[:;]? ?(.*)/i.exec(output);
  const first = /(?:AssertionError|Error): (.*)/.exec(output);
  const failed = /FAIL\s+(.*)/.exec(output);
  if (detector === 'sim')
    return {
      runs: Number(world?.[1] ?? Number.NaN) || null,
      what: world?.[2] ?? first?.[1] ?? 'it never ended',
    };
  return {
    runs: property === null ? null : Number(property[1]),
    what: (failed?.[1] ?? first?.[1] ?? 'it never ended').trim(),
  };
}
