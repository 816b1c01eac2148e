import type { Script, Step } from './history/script.ts';
import { run } from './run.ts';
import type { RunResult } from './run-result.ts';
import type { Shrunk } from './world-kind.ts';

/** What a failure is about: smaller scripts must fail of the same. */
export function kindOfFailure(failure: Error): string {
  const [line = ''] = failure.message.split('\n');
  const tags = /^(\[[^\]]*\])/.exec(line)?.[1];
  const words = line
    .replaceAll(/"[^"]*"|#\d+|\b[a-z0-9]{20,}\b|\d+/g, '…')
    .split(/[,:]/)[0]
    ?.slice(0, 60);
  return tags ?? words ?? '';
}

/** Tries a smaller script; tells whether it fails of the same, and is the best one then. */
export type TryOut<Script> = (candidate: Script) => Promise<boolean>;

/**
 * Makes a failing script smaller as long as that works.
 * @param runScript plays it
 * @param round tries what it can, on the best script so far
 * @param budgetRuns runs to spend on it
 */
export async function shrinkWith<Script>(
  script: Script,
  failure: Error,
  budgetRuns: number,
  runScript: (script: Script) => Promise<RunResult>,
  sizeOf: (script: Script) => number,
  round: (best: () => Script, tryOut: TryOut<Script>) => Promise<void>,
): Promise<Shrunk<Script>> {
  const kind = kindOfFailure(failure);
  let best = script;
  let runs = 0;
  let result = await runScript(script);

  async function tryOut(candidate: Script): Promise<boolean> {
    if (runs >= budgetRuns) return false;
    runs++;
    const tried = await runScript(candidate);
    if (tried.failure === null || kindOfFailure(tried.failure) !== kind) return false;
    best = candidate;
    result = tried;
    return true;
  }

  for (let before = -1; before !== sizeOf(best) && runs < budgetRuns; ) {
    before = sizeOf(best);
    await round(() => best, tryOut);
  }
  return { script: best, result, runs };
}

/**
 * Leaves out of a failing script what it can do without: steps, devices, peculiarities of disks and networks.
 * @param budgetRuns runs to spend on it
 */
export function shrink(script: Script, failure: Error, budgetRuns: number): Promise<Shrunk<Script>> {
  return shrinkWith(script, failure, budgetRuns, run, sizeOf, async (best, tryOut) => {
    await shrinkList(
      () => best().steps,
      (steps) => tryOut({ ...best(), steps }),
    );
    await shrinkList(
      () => best().calm,
      (calm) => tryOut({ ...best(), calm }),
    );
    await shrinkList(
      () => best().before,
      (words) => tryOut({ ...best(), before: words }),
    );
    for (let index = best().devices.length - 1; index >= 0 && best().devices.length > 1; index--)
      await tryOut(withoutDevice(best(), index));
    for (const simpler of simplerScripts(best())) await tryOut(simpler(best()));
  });
}

function sizeOf(script: Script): number {
  return script.steps.length + script.calm.length + script.before.length + script.devices.length;
}

/** Leaves out large pieces first, then smaller ones. */
export async function shrinkList<Item>(
  current: () => readonly Item[],
  tryOut: (items: readonly Item[]) => Promise<boolean>,
): Promise<void> {
  for (let size = Math.ceil(current().length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let start = 0; start < current().length; ) {
      const items = current();
      const left = [...items.slice(0, start), ...items.slice(start + size)];
      if (!(await tryOut(left))) start += size;
    }
  }
}

function withoutDevice(script: Script, index: number): Script {
  const shift = (steps: readonly Step[]): Step[] =>
    steps
      .filter(({ device }) => device !== index)
      .map((step) => (step.device > index ? { ...step, device: step.device - 1 } : step));
  const writers = script.writers
    .filter((writer) => writer !== index)
    .map((writer) => (writer > index ? writer - 1 : writer));
  const devices = script.devices
    .filter((each, at) => at !== index && each.cloneOf !== index)
    .map((each) =>
      each.cloneOf !== null && each.cloneOf > index ? { ...each, cloneOf: each.cloneOf - 1 } : each,
    );
  return {
    ...script,
    devices,
    writers: writers.length === 0 ? [0] : writers,
    steps: shift(script.steps),
    calm: shift(script.calm),
  };
}

/** Each makes one thing plain. */
function* simplerScripts(script: Script): Generator<(best: Script) => Script> {
  if (script.largePercent > 0) yield (best) => ({ ...best, largePercent: 0 });
  if (script.foldersFirst) yield (best) => ({ ...best, foldersFirst: false });
  if (script.ignores) yield (best) => ({ ...best, ignores: false });
  const plainer = [
    { disk: 'precise' as const },
    { slowPercent: 0 },
    { clockOffsetMs: 0 },
    { capacityBytes: null },
    { latencyMs: [0, 1] as const },
  ];
  for (const [index, device] of script.devices.entries()) {
    for (const change of plainer) {
      if (JSON.stringify({ ...device, ...change }) === JSON.stringify(device)) continue;
      yield (best) => ({
        ...best,
        devices: best.devices.map((each, at) => (at === index ? { ...each, ...change } : each)),
      });
    }
  }
  for (const [index, step] of script.steps.entries()) {
    if (step.afterMs === 0) continue;
    yield (best) =>
      best.steps[index] === step
        ? { ...best, steps: best.steps.map((each, at) => (at === index ? { ...each, afterMs: 0 } : each)) }
        : best;
  }
}
