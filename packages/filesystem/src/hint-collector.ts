import type { Environment } from '@cairn/environment';
import type { WatchHint } from './filesystem.ts';

/** Folders that may wait for one delivery; more become "everything". */
const MAX_FOLDERS = 2000;
/**
 * Events within one delivery that make us doubt there were no more: the kernel's queue holds 16,384 and drops
 * the rest without a word.
 */
const MAX_EVENTS = 4000;
const COALESCE_MS = 30;

export interface HintCollector {
  /** Something may have changed directly inside this folder. */
  folder(path: string): void;
  everything(reason: string): void;
  close(): void;
}

/** Gathers hints for a moment, joins equal ones, and gives up detail where there are too many. */
export function createHintCollector(
  environment: Environment,
  onHint: (hint: WatchHint) => void,
): HintCollector {
  const folders = new Set<string>();
  let everythingReason: string | null = null;
  let events = 0;
  let cancel: (() => void) | null = null;
  let closed = false;

  function deliver(): void {
    cancel = null;
    const paths = [...folders];
    const reason = everythingReason;
    folders.clear();
    everythingReason = null;
    events = 0;
    if (reason !== null) onHint({ kind: 'everything', reason });
    else for (const path of paths) onHint({ kind: 'folder', path });
  }

  function schedule(): void {
    if (!closed) cancel ??= environment.timers.schedule(COALESCE_MS, deliver);
  }

  function everything(reason: string): void {
    everythingReason ??= reason;
    folders.clear();
    schedule();
  }

  return {
    folder(path) {
      events++;
      if (everythingReason !== null) return;
      folders.add(path);
      if (events > MAX_EVENTS) everything('more events than can be trusted to be all');
      else if (folders.size > MAX_FOLDERS) everything('changes in too many folders at once');
      else schedule();
    },
    everything,
    close() {
      closed = true;
      cancel?.();
      folders.clear();
    },
  };
}
