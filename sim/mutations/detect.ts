import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Detector } from './planted-bug.ts';

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
  /** For one detector. */
  readonly timeoutMs: number;
}

/**
 * Runs one detector on the sources in `path`.
 * @param runsBefore histories from seed 1 on that were played in vain before: they are not played again, and count
 */
export async function detect(
  path: string,
  detector: Detector,
  budget: Budget,
  runsBefore = 0,
): Promise<Detection> {
  const started = performance.now();
  const { status, output } = await run(path, commandOf(path, detector, budget, runsBefore), budget);
  const timeMs = performance.now() - started;
  if (detector in SIMULATIONS) {
    const { runs, ...found } = readHistories(output);
    return { detector, timeMs, runs: runs === null ? null : runsBefore + runs, ...found };
  }
  return { detector, caught: status !== 0, timeMs, ...(status === 0 ? NOTHING : readTests(output)) };
}

/** Programs that play histories from seeds. */
const SIMULATIONS = { sim: 'main.ts', cluster: join('cluster', 'main.ts') } as const;
/** What a history that began just before the end may still take. */
const GRACE_MS = 60_000;
/** Tests end when they are done; this is for those that never are. */
const LEAST_TIMEOUT_MS = 180_000;
const NOTHING = { runs: null, what: '' };

function commandOf(path: string, detector: Detector, budget: Budget, runsBefore: number): string[] {
  const vitest = join(path, 'node_modules', 'vitest', 'vitest.mjs');
  if (detector in SIMULATIONS) {
    const minutes = String(budget.timeoutMs / 60_000);
    const seeds = ['--from', String(1 + runsBefore), '--runs', String(budget.simRuns)];
    const options = [...seeds, '--minutes', minutes, '--once', '--json'];
    return [join(path, 'sim', 'src', SIMULATIONS[detector as keyof typeof SIMULATIONS]), ...options];
  }
  if (detector === 'planner') return [vitest, 'run', 'packages/planner', '--bail', '1'];
  const name = detector.slice(detector.indexOf(':') + 1);
  if (detector.startsWith('scenario:'))
    return [join(path, 'sim', 'real', 'scenarios-main.ts'), '--stage', 'memory', '--only', name];
  return [vitest, 'run', name, '--bail', '1'];
}

function run(
  path: string,
  command: readonly string[],
  budget: Budget,
): Promise<{ status: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    // A group of its own: tests start processes, and those of a test that never ends must end with it.
    const child = spawn(process.execPath, command, {
      cwd: path,
      env: environmentFor(budget),
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    const endAll = () => endGroup(child.pid);
    const interrupted = () => {
      endAll();
      process.exit(130);
    };
    process.once('SIGINT', interrupted).once('SIGTERM', interrupted);
    let output = '';
    const collect = (piece: Buffer) => {
      output = (output + piece.toString()).slice(-200_000);
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    // The seeded world ends by itself after its time; one that goes on never comes to rest, and has noticed something.
    const timer = setTimeout(endAll, Math.max(budget.timeoutMs, LEAST_TIMEOUT_MS) + GRACE_MS);
    child.on('error', reject);
    child.on('exit', endAll);
    child.on('close', (status) => {
      clearTimeout(timer);
      process.off('SIGINT', interrupted).off('SIGTERM', interrupted);
      resolve({ status, output });
    });
  });
}

function endGroup(leader: number | undefined): void {
  if (leader === undefined) return;
  try {
    process.kill(-leader, 'SIGKILL');
  } catch (error) {
    // Nobody of it is left.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Tests of the copy must not take themselves for a part of the test run that they are started from. */
function environmentFor({ propertyRuns }: Budget): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('VITEST'));
  return { ...Object.fromEntries(inherited), PLANNER_RUNS: String(propertyRuns), NO_COLOR: '1' };
}

/** A world that never comes to rest, or cannot even begin, has noticed something too. */
function readHistories(output: string): Pick<Detection, 'caught' | 'runs' | 'what'> {
  const line = output.split('\n').findLast((each) => each.startsWith('{"from"'));
  if (line === undefined) {
    const what = /(?:AssertionError|Error): (.*)/.exec(output)?.[1] ?? 'it never ended';
    return { caught: true, runs: null, what };
  }
  const { runs, failures } = JSON.parse(line) as { runs: number; failures: { message: string }[] };
  const [first] = failures;
  if (first === undefined) return { caught: false, runs, what: '' };
  return { caught: true, runs, what: first.message.split('\n')[0] ?? '' };
}

function readTests(output: string): Pick<Detection, 'runs' | 'what'> {
  const property = /Property failed after (\d+) tests?/.exec(output);
  const failed = /FAIL\s+(.*)/.exec(output) ?? /(?:AssertionError|Error): (.*)/.exec(output);
  return {
    runs: property === null ? null : Number(property[1]),
    what: (failed?.[1] ?? 'it never ended').trim(),
  };
}
