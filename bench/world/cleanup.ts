type Step = () => void | Promise<void>;

/** Takes what is to be done at the end. */
export type Defer = (step: Step) => void;

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Runs `work` and afterwards what it deferred, last first: also when it fails, when something else in this process
 * does, and when the process is told to end (Ctrl-C).
 */
export async function withCleanup<Result>(work: (defer: Defer) => Promise<Result>): Promise<Result> {
  const steps: Step[] = [];
  let cleaning: Promise<void> | null = null;
  async function clean(): Promise<void> {
    for (let step = steps.pop(); step !== undefined; step = steps.pop()) {
      try {
        await step();
      } catch (error) {
        console.error(`cannot clean up: ${String(error)}`);
      }
    }
  }
  function cleanOnce(): Promise<void> {
    cleaning ??= clean();
    return cleaning;
  }
  function onSignal(): void {
    void cleanOnce().then(() => process.exit(130));
  }
  function onUncaught(error: unknown): void {
    console.error(error);
    void cleanOnce().then(() => process.exit(1));
  }
  // A terminal and npm both pass on the same Ctrl-C: the second one must not end this before it has cleaned up.
  for (const signal of SIGNALS) process.on(signal, onSignal);
  process.once('uncaughtException', onUncaught);
  try {
    return await work((step) => {
      steps.push(step);
    });
  } finally {
    await cleanOnce();
    for (const signal of SIGNALS) process.off(signal, onSignal);
    process.off('uncaughtException', onUncaught);
  }
}
