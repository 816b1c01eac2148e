import { type ChildResult, runTask, startChild } from './children.ts';
import { Tally } from './statistics.ts';
import type { AnyWorldKind } from './world-kind.ts';

const MAX_FAILURES = 200;

export interface ManyOptions {
  readonly from: number;
  /** `null`: as many as there is time for. */
  readonly runs: number | null;
  /** Milliseconds since 1970. */
  readonly untilAt: number | null;
  readonly jobs: number;
  readonly twice: boolean;
  readonly keepGoing: boolean;
  onProgress?(runs: number, failures: number): void;
}

export interface ManyResult {
  readonly tally: Tally;
  readonly events: number;
  /** In the order of their seeds. */
  readonly failures: readonly { readonly seed: number; readonly message: string }[];
}

/** Histories of consecutive seeds, in several processes. */
export async function runMany(kind: AnyWorldKind, options: ManyOptions): Promise<ManyResult> {
  const { from, runs, untilAt, jobs, twice, keepGoing } = options;
  const tally = new Tally();
  const failures: { seed: number; message: string }[] = [];
  let events = 0;
  let next = from;

  function isDone(): boolean {
    if (failures.length > 0 && !keepGoing) return true;
    if (failures.length >= MAX_FAILURES) return true;
    if (runs !== null && next >= from + runs) return true;
    return untilAt !== null && Date.now() >= untilAt;
  }

  function take(result: ChildResult): void {
    tally.add(result.states);
    events += result.events;
    if (result.failure !== null) failures.push({ seed: result.seed, message: result.failure });
    options.onProgress?.(tally.runs, failures.length);
  }

  async function work(run: (seed: number) => Promise<ChildResult>): Promise<void> {
    while (!isDone()) take(await run(next++));
  }

  if (jobs <= 1) await work((seed) => runTask(kind, { seed, twice }));
  else {
    const children = Array.from({ length: jobs }, () => startChild(kind));
    try {
      await Promise.all(children.map((child) => work((seed) => child.run({ seed, twice }))));
    } finally {
      for (const child of children) child.end();
    }
  }
  failures.sort((a, b) => a.seed - b.seed);
  return { tally, events, failures };
}
