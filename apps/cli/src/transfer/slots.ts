/** Runs work side by side, a bounded number at a time. The first failure stops what has not begun. */
export interface Slots {
  /** Resolves when the work has begun (or done nothing because of an earlier failure, which is thrown). */
  run(work: () => Promise<void>): Promise<void>;
  /** Resolves when all of it has ended; throws the first failure. */
  drain(): Promise<void>;
}

export function createSlots(limit: number): Slots {
  const running = new Set<Promise<void>>();
  let failure: { readonly error: unknown } | null = null;

  function check(): void {
    if (failure !== null) throw failure.error;
  }

  return {
    async run(work) {
      while (running.size >= limit) await Promise.race(running);
      check();
      const one: Promise<void> = work()
        .catch((error: unknown) => {
          failure ??= { error };
        })
        .finally(() => running.delete(one));
      running.add(one);
    },
    async drain() {
      while (running.size > 0) await Promise.all(running);
      check();
    },
  };
}
