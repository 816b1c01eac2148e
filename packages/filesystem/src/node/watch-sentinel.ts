import { closeSync, constants, type FSWatcher, futimesSync, openSync, watch } from 'node:fs';
import type { Environment } from '@cairn/environment';
import type { FolderAccess } from './folder-access.ts';
import { holdPrivate } from './root-context.ts';

const NAME = 'sentinel';
/** Events normally come within milliseconds; a busy process may need long to get to them. */
const MUST_COME_WITHIN_MS = 10_000;
/** After a long pause of the process its timers fire before its events are read. */
const GRACE_MS = 500;

export interface WatchSentinel {
  /** Touches the sentinel; what is told next is whether its event came. */
  probe(): void;
  close(): void;
}

/**
 * A file in our private folder whose change must come back as an event: through the same queue as all others, so it
 * proves that the watcher still reports. Touched only when there is a reason to doubt, so idle costs nothing.
 * Throws when it cannot be made or watched.
 */
export function openWatchSentinel(
  context: { readonly access: FolderAccess; readonly environment: Environment; readonly root: string },
  onVerdict: (works: boolean) => void,
  watchFile: typeof watch = watch,
): WatchSentinel {
  const { environment, root } = context;
  const folder = holdPrivate(context);
  let descriptor: number;
  try {
    const flags = constants.O_CREAT | constants.O_RDWR | constants.O_NOFOLLOW;
    descriptor = openSync(`${folder.base}/${NAME}`, flags, 0o600);
  } finally {
    folder.release();
  }
  let watcher: FSWatcher;
  try {
    watcher = watchFile(`${root}/.cairn/${NAME}`, () => settle(true));
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
  watcher.on('error', () => settle(false));
  let cancel: (() => void) | null = null;
  let closed = false;

  function settle(works: boolean): void {
    if (cancel === null) return;
    cancel();
    cancel = null;
    onVerdict(works);
  }

  return {
    probe() {
      if (closed || cancel !== null) return;
      cancel = environment.timers.schedule(MUST_COME_WITHIN_MS, () => {
        cancel = environment.timers.schedule(GRACE_MS, () => settle(false));
      });
      const now = environment.clock.now() / 1000;
      try {
        futimesSync(descriptor, now, now);
      } catch (error) {
        environment.log.warn('filesystem.sentinel-failed', { error: String(error) });
        cancel();
        cancel = null;
      }
    },
    close() {
      if (closed) return;
      closed = true;
      cancel?.();
      cancel = null;
      watcher.close();
      closeSync(descriptor);
    },
  };
}
