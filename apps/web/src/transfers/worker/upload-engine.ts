import { isCairnError } from '@cairn/model';
import type { ClashPolicy, EngineState, UploadJob } from '../upload-types.ts';
import { type ActiveJob, createActiveJob } from './active-job.ts';
import type { UploadEngineOptions } from './engine-options.ts';
import { createUploadRound, type UploadRound } from './upload-round.ts';

/** Reports to the page are this far apart at least. */
const REPORT_EVERY_MS = 250;
const FIRST_PAUSE_MS = 1_000;
const MAX_PAUSE_MS = 30_000;
const PASSING = ['server-unreachable', 'unavailable', 'internal', 'limit-reached', 'blocks-missing'] as const;
const FULL = ['storage-full', 'quota-exceeded'] as const;
const SIGNED_OUT = ['not-signed-in', 'session-revoked', 'token-expired'] as const;

/** Uploads jobs in their order, several at once, until there are none; goes on by itself after an outage. */
export interface UploadEngine {
  add(jobs: readonly UploadJob[]): void;
  cancel(ids: readonly number[]): void;
  /** What to do about jobs whose name is taken. */
  answer(ids: readonly number[], policy: ClashPolicy): void;
  pause(): void;
  resume(): void;
  /** Ends the pause after an outage. */
  kick(): void;
  /** Whether the last request had an answer: it is tried again for a while, but the person is told at once. */
  noteAnswer(hasAnswer: boolean): void;
}

export function createUploadEngine(options: UploadEngineOptions): UploadEngine {
  const { environment } = options;
  const jobs = new Map<number, ActiveJob>();
  const dirty = new Set<ActiveJob>();
  let waiting: ActiveJob[] = [];
  let round: UploadRound | null = null;
  let state: EngineState = 'idle';
  let isPaused = false;
  let isUnanswered = false;
  let failures = 0;
  let wakeUp: (() => void) | null = null;
  let isReporting = false;
  let sentBefore = 0;
  let skippedBefore = 0;
  let gate: { readonly opened: Promise<void>; open(): void } | null = null;

  function describeState(): EngineState {
    if (isPaused && state !== 'signed-out') return 'paused';
    return state === 'running' && isUnanswered ? 'unreachable' : state;
  }

  function reportSoon(): void {
    if (isReporting) return;
    isReporting = true;
    environment.timers.schedule(REPORT_EVERY_MS, () => {
      isReporting = false;
      const changed = [...dirty];
      dirty.clear();
      options.report({
        type: 'report',
        jobs: changed.map((job) => job.describe()),
        engine: {
          state: describeState(),
          sentBytes: sentBefore + (round?.sentBytes ?? 0),
          skippedBytes: skippedBefore + (round?.skippedBytes ?? 0),
        },
      });
      for (const job of changed) if (job.isOver) jobs.delete(job.id);
    });
  }

  function enter(next: EngineState): void {
    state = next;
    reportSoon();
  }

  /** Takes the next job that waits; `null`: none is left. */
  function next(): ActiveJob | null {
    for (;;) {
      const job = waiting.shift();
      if (job === undefined) return null;
      if (job.state === 'waiting') return job;
    }
  }

  async function run(): Promise<void> {
    if (round !== null || state === 'unreachable' || state === 'signed-out') return;
    while (waiting.length > 0) {
      enter('running');
      const current = createUploadRound({
        ...options,
        next,
        gate: () => gate?.opened,
        onProgress: reportSoon,
        again: (job) => waiting.push(job),
      });
      round = current;
      const failure = await current.run();
      sentBefore += current.sentBytes;
      skippedBefore += current.skippedBytes;
      round = null;
      if (failure === null) {
        failures = 0;
        continue;
      }
      // What was in the works is taken up again: what the server has of it is not sent twice.
      const stopped = [...jobs.values()].filter((job) => job.isInWork);
      if (isCairnError(failure.error, ...PASSING) || isCairnError(failure.error, ...SIGNED_OUT)) {
        for (const job of stopped) job.wait();
        waiting = [...stopped, ...waiting];
      } else {
        for (const job of stopped) job.fail(failure.error);
        // The next ones would meet the same.
        if (isCairnError(failure.error, ...FULL))
          for (const job of waiting.splice(0)) job.fail(failure.error);
      }
      if (isCairnError(failure.error, ...SIGNED_OUT)) {
        enter('signed-out');
        return;
      }
      if (isCairnError(failure.error, ...PASSING)) await rest(current.hasProgressed);
    }
    enter('idle');
  }

  /** Waits after an outage, longer every time, until `kick`. */
  async function rest(hasProgressed: boolean): Promise<void> {
    failures = hasProgressed ? 1 : failures + 1;
    const pauseMs = Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (failures - 1));
    enter('unreachable');
    await new Promise<void>((resolve) => {
      const unschedule = environment.timers.schedule(
        pauseMs * (0.5 + environment.random.fraction() / 2),
        resolve,
      );
      wakeUp = () => {
        unschedule();
        resolve();
      };
    });
    wakeUp = null;
    state = 'running';
  }

  function start(): void {
    // What goes wrong in here is a fault of this code; the jobs say so instead of standing still.
    run().catch((error: unknown) => {
      round = null;
      for (const job of jobs.values()) if (job.isInWork) job.fail(error);
      enter('idle');
    });
  }

  return {
    add(added) {
      for (const one of added) {
        const job = createActiveJob(one, () => {
          dirty.add(job);
          reportSoon();
        });
        jobs.set(job.id, job);
        waiting.push(job);
      }
      if (round === null) start();
    },
    cancel(ids) {
      for (const id of ids) jobs.get(id)?.cancel();
    },
    answer(ids, policy) {
      for (const id of ids) {
        const job = jobs.get(id);
        if (job === undefined || job.state !== 'asking') continue;
        job.decide(policy);
        if (policy !== 'skip') waiting.push(job);
      }
      if (round === null) start();
    },
    pause() {
      isPaused = true;
      if (gate === null) {
        let open = (): void => undefined;
        const opened = new Promise<void>((resolve) => {
          open = resolve;
        });
        gate = { opened, open };
      }
      reportSoon();
    },
    resume() {
      isPaused = false;
      gate?.open();
      gate = null;
      if (state === 'signed-out') state = 'idle';
      wakeUp?.();
      reportSoon();
      if (round === null) start();
    },
    kick() {
      if (state === 'signed-out') state = 'idle';
      if (wakeUp !== null) wakeUp();
      else if (round === null) start();
    },
    noteAnswer(hasAnswer) {
      if (isUnanswered === !hasAnswer) return;
      isUnanswered = !hasAnswer;
      reportSoon();
    },
  };
}
