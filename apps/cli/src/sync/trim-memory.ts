import type { Log } from '@cairn/environment';
import type { SyncEngine } from '@cairn/sync-engine';
import { createFreedMemoryReturn } from './return-freed-memory.ts';

/** So long nothing has changed before memory is given back: the pause must not meet anybody's work. */
const REST_MS = 3_000;
/** Less than this is not worth a pause. */
const WORTH_BYTES = 16 * 1024 * 1024;

/** What is done to the memory of this process. */
export interface ProcessMemory {
  residentBytes(): number;
  /** Collects all garbage, and what may be had again besides. */
  collect(): void;
  /** Returns to the system what was freed. */
  returnFreed(): void;
}

/** `null` where the runtime was not started with `--expose-gc` (see `tune-runtime.ts`). */
export function ofThisProcess(log: Log): ProcessMemory | null {
  const { gc } = globalThis;
  if (gc === undefined) return null;
  return {
    residentBytes: () => process.memoryUsage.rss(),
    collect() {
      gc({ type: 'major', execution: 'sync' });
      internNew();
      gc({ type: 'major', execution: 'sync', flavor: 'last-resort' });
    },
    returnFreed: createFreedMemoryReturn(log),
  };
}

/**
 * Has the engine add a name to its table of names of properties. Only then does that table become smaller, after a collection
 * that emptied it, and only the next collection lets go of the one before: 8 MiB after 100,000 files were sent.
 */
function internNew(): void {
  const holder: Record<string, unknown> = {};
  holder[`name of ${performance.now()}`] = holder;
}

/**
 * Gives memory back to the system once the engine rests: what the engine keeps to be fast at the next work goes first, then
 * garbage is collected, and last what the C library has for nobody. The runtime by itself collects only when more is asked for, so
 * what a start or thousands of files left behind would stay for days.
 * @param memory `null`: nothing is given back
 * @returns what ends it
 */
export function trimMemoryAtRest(
  engine: Pick<SyncEngine, 'onChange' | 'status' | 'giveMemoryBack'>,
  memory: ProcessMemory | null,
  log: Log,
): () => void {
  if (memory === null) return () => undefined;
  const { residentBytes, collect, returnFreed } = memory;
  let timer: NodeJS.Timeout | null = null;
  let trimmedBytes = 0;

  function trim(): void {
    timer = null;
    const before = residentBytes();
    if (before < trimmedBytes + WORTH_BYTES || engine.status().state === 'syncing') return;
    const startMs = performance.now();
    engine.giveMemoryBack();
    collect();
    returnFreed();
    trimmedBytes = residentBytes();
    const pauseMs = Math.round(performance.now() - startMs);
    log.info('daemon.memory-given-back', {
      residentBytes: trimmedBytes,
      givenBytes: before - trimmedBytes,
      pauseMs,
    });
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
