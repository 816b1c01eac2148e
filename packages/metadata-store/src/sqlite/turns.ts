import { CairnError } from '@cairn/model';

export interface Turns {
  /** Runs `work` when a place is free, first come first served. Throws `unavailable` when too many wait. */
  take<Result>(work: () => Promise<Result>): Promise<Result>;
  /** Resolves when nothing runs and nobody waits. */
  drain(): Promise<void>;
}

/** @param options.places how many may run at once */
export function createTurns(options: { readonly places: number; readonly maxWaiting: number }): Turns {
  const waiting: (() => void)[] = [];
  let drained: (() => void)[] = [];
  let running = 0;

  function release(): void {
    // The place goes straight to the next in line, so that nobody can slip in between.
    const next = waiting.shift();
    if (next !== undefined) {
      next();
      return;
    }
    running--;
    if (running > 0) return;
    for (const resolve of drained) resolve();
    drained = [];
  }

  return {
    async take(work) {
      if (running < options.places) {
        running++;
      } else {
        if (waiting.length >= options.maxWaiting) {
          throw new CairnError('unavailable', 'the server has too much to do; try again in a moment');
        }
        await new Promise<void>((resolve) => waiting.push(resolve));
      }
      try {
        return await work();
      } finally {
        release();
      }
    },
    async drain() {
      if (running === 0) return;
      await new Promise<void>((resolve) => drained.push(resolve));
    },
  };
}
