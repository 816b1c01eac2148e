import { CairnError } from '@cairn/model';

/** Long work that goes on beside puts and reads, one of each kind at a time, and ends when the store closes. */
export interface BackgroundWork {
  /**
   * Runs `work` with a signal that is aborted with the caller's, or when the store closes. Throws `already-running`
   * while work of the same name runs.
   */
  run<Result>(
    name: string,
    signal: AbortSignal | undefined,
    work: (signal: AbortSignal) => Promise<Result>,
  ): Promise<Result>;
  /** Aborts what runs, and resolves when it has ended. */
  stop(): Promise<void>;
}

export function createBackgroundWork(): BackgroundWork {
  const closing = new AbortController();
  const running = new Map<string, Promise<unknown>>();
  return {
    async run(name, signal, work) {
      if (running.has(name)) {
        throw new CairnError(
          'already-running',
          `a ${name} of this block store is running already; wait for its end, then start another one if it is still needed`,
        );
      }
      const either = signal === undefined ? closing.signal : AbortSignal.any([closing.signal, signal]);
      const result = work(either);
      running.set(name, result);
      try {
        return await result;
      } finally {
        running.delete(name);
      }
    },
    async stop() {
      closing.abort();
      await Promise.allSettled(running.values());
    },
  };
}
