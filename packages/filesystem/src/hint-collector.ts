import type { Environment } from '@cairn/environment';
import type { OnStir, WatchHint } from './filesystem.ts';

/** Folders that may wait for one delivery; more become "everything". */
const MAX_FOLDERS = 20_000;
/**
 * Events within one delivery that make us doubt there were no more: a quarter of the kernel's queue, which drops
 * without a word what does not fit.
 */
const MAX_EVENTS = 4000;
const COALESCE_MS = 30;
/** After so long without events, the next one is told of at once, too: a save every now and then, no stream of them. */
const QUIET_MS = 100;
/** What is written in one go is whole by then. */
const STIR_MS = 3;
/** More folders at once are no single save. */
const MAX_STIRRED = 4;

export interface HintCollector {
  /** Something may have changed directly inside this folder. */
  folder(path: string): void;
  everything(reason: string): void;
  /** Events may be missing, now or among those that came last. */
  lost(reason: string): void;
  close(): void;
}

/**
 * Gathers hints for a moment, joins equal ones, and gives up detail where there are too many. What comes after a quiet
 * time is handed to `onStir` besides, without that wait.
 */
export function createHintCollector(
  environment: Environment,
  onHint: (hint: WatchHint) => void,
  { maxEvents = MAX_EVENTS, onStir }: { readonly maxEvents?: number; readonly onStir?: OnStir } = {},
): HintCollector {
  const folders = new Set<string>();
  let everythingReason: string | null = null;
  let lostReason: string | null = null;
  let events = 0;
  let cancel: (() => void) | null = null;
  let cancelStir: (() => void) | null = null;
  let lastEventMs = Number.NEGATIVE_INFINITY;
  let closed = false;

  function deliver(): void {
    cancel = null;
    const paths = [...folders];
    const [everythingWhy, lostWhy] = [everythingReason, lostReason];
    folders.clear();
    everythingReason = null;
    lostReason = null;
    events = 0;
    if (everythingWhy !== null) {
      onHint({ kind: 'everything', reason: everythingWhy });
      return;
    }
    for (const path of paths) onHint({ kind: 'folder', path });
    if (lostWhy !== null) onHint({ kind: 'lost', reason: lostWhy });
  }

  function noteEvent(): void {
    const nowMs = environment.clock.monotonicMs();
    const wasQuiet = nowMs - lastEventMs >= QUIET_MS;
    lastEventMs = nowMs;
    if (!wasQuiet || onStir === undefined || closed) return;
    cancelStir ??= environment.timers.schedule(STIR_MS, () => {
      cancelStir = null;
      if (everythingReason === null && lostReason === null && folders.size <= MAX_STIRRED)
        onStir(new Set(folders));
    });
  }

  function schedule(): void {
    if (!closed) cancel ??= environment.timers.schedule(COALESCE_MS, deliver);
  }

  function everything(reason: string): void {
    everythingReason ??= reason;
    folders.clear();
    schedule();
  }

  function lost(reason: string): void {
    lostReason ??= reason;
    schedule();
  }

  return {
    folder(path) {
      events++;
      noteEvent();
      if (everythingReason !== null) return;
      folders.add(path);
      if (events > maxEvents) lost('more events than can be trusted to be all');
      if (folders.size > MAX_FOLDERS) everything('changes in too many folders at once');
      else schedule();
    },
    everything,
    lost,
    close() {
      closed = true;
      cancel?.();
      cancelStir?.();
      folders.clear();
    },
  };
}
