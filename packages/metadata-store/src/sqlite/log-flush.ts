/** Makes what was committed durable, one flush for all that were committed while the one before it ran. */
export interface LogFlush {
  /** Notes a commit that is in the log and perhaps only in the system's memory. */
  noteCommit(): void;
  /** How much was committed so far: for {@link settle}. */
  mark(): number;
  /**
   * Resolves when everything up to the mark is on the disk: at once where it is already. Rejects when a flush failed,
   * then and ever after: what it had to write may be lost although a later flush would succeed.
   */
  settle(mark: number): Promise<void>;
  /** Resolves when no flush runs, whatever came of it. */
  drain(): Promise<void>;
}

/** @param flush writes everything committed before the call to the disk; never called twice at once */
export function createLogFlush(flush: () => Promise<void>): LogFlush {
  let committed = 0;
  let durable = 0;
  let running: Promise<void> | null = null;
  let failure: { readonly error: unknown } | null = null;

  async function run(): Promise<void> {
    const mark = committed;
    try {
      await flush();
      durable = mark;
    } catch (error) {
      failure = { error };
    } finally {
      running = null;
    }
  }

  return {
    noteCommit() {
      committed++;
    },
    mark: () => committed,
    async settle(mark) {
      while (durable < mark) {
        if (failure !== null) throw failure.error;
        // One that runs may have begun before the commit that is waited for: then another one follows.
        running ??= run();
        await running;
      }
    },
    async drain() {
      while (running !== null) await running;
    },
  };
}

/** Commits that are durable by themselves. */
export const noLogFlush: LogFlush = {
  noteCommit: () => undefined,
  mark: () => 0,
  settle: async () => undefined,
  drain: async () => undefined,
};
