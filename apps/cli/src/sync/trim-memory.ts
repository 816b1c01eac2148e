import type { SyncEngine } from '@cairn/sync-engine';

/** So long nothing has changed before memory is given back: the pause must not meet anybody's work. */
const REST_MS = 3_000;
/** Less than this is not worth a pause. */
const WORTH_BYTES = 16 * 1024 * 1024;

/**
 * Gives memory back to the system once the engine rests: the runtime itself collects only when more is asked for, so what a
 * start or thousands of files left behind would stay for days. Does nothing where the runtime was not started with
 * `--expose-gc` (see `tune-runtime.ts`).
 * @returns what ends it
 */
export function trimMemoryAtRest(engine: Pick<SyncEngine, 'onChange' | 'status'>): () => void {
  const collect = globalThis.gc;
  if (collect === undefined) return () => undefined;
  let timer: NodeJS.Timeout | null = null;
  let trimmedBytes = 0;

  function trim(): void {
    timer = null;
    if (process.memoryUsage.rss() < trimmedBytes + WORTH_BYTES || engine.status().state === 'syncing') return;
    collect?.({ type: 'major', execution: 'sync', flavor: 'last-resort' });
    trimmedBytes = process.memoryUsage.rss();
  }

  function schedule(): void {
    if (timer !== null) timer.refresh();
    else timer = setTimeout(trim, REST_MS).unref();
  }

  const stop = engine.onChange(schedule);
  return () => {
    stop();
    if (timer !== null) clearTimeout(timer);
  };
}
