import { accessSync, constants, type FSWatcher, lstatSync, readFileSync, watch } from 'node:fs';
import { isCairnError, PRIVATE_FOLDER } from '@cairn/model';
import type { FolderWatch, OnStir, WatchHint } from '../filesystem.ts';
import { createHintCollector } from '../hint-collector.ts';
import { systemCode } from '../local-errors.ts';
import { watchFolderTree } from './folder-tree-watch.ts';
import { findNetworkDisk } from './network-disk.ts';
import type { RootContext } from './root-context.ts';
import { openWatchSentinel, type WatchSentinel } from './watch-sentinel.ts';

/** A new folder is hinted at again after this time: its own watch may have started after its first items came. */
const SECOND_LOOK_MS = 250;
const MAX_SECOND_LOOKS = 1000;
const FIRST_RETRY_MS = 5_000;
const LAST_RETRY_MS = 300_000;
/** Events after which the sentinel is asked whether they keep coming. */
const BURST_EVENTS = 1000;
/** The kernel's queue where its size cannot be read. */
const QUEUE_EVENTS = 16_384;

export interface FolderWatchState extends FolderWatch {
  probe(): void;
  close(): void;
}

/** The system's calls, for tests that have them fail. */
export interface WatchCalls {
  readonly watch: typeof watch;
  readonly findNetworkDisk: (path: string) => string | null;
}

/**
 * Hints from `fs.watch`: on Linux our own tree of watches, one per folder; elsewhere the system's recursive one. Whatever goes wrong (too few watches,
 * the root removed) becomes an "everything" hint and a new attempt later: callers scan on their own clock too.
 */
export function startFolderWatch(
  context: RootContext,
  onHint: (hint: WatchHint) => void,
  onClose: () => void,
  calls: WatchCalls = { watch, findNetworkDisk },
  onStir?: OnStir,
): FolderWatchState {
  const { environment, root } = context;
  const collector = createHintCollector(environment, tell, {
    maxEvents: Math.floor(readQueueLimit() / 4),
    ...(onStir === undefined ? {} : { onStir }),
  });
  const networkDisk = calls.findNetworkDisk(root);
  const secondLooks = new Set<string>();
  let cancelSecondLooks: (() => void) | null = null;
  let cancelRetry: (() => void) | null = null;
  let watcher: Pick<FSWatcher, 'close'> | null = null;
  let retryMs = FIRST_RETRY_MS;
  let closed = false;
  let rootWasGone = false;
  let sentinel: WatchSentinel | null = null;
  let events = 0;
  /** The last probe failed, and watching was begun anew since. */
  let doubted = false;
  let told: string | null = null;

  /** Our open descriptor keeps a removed root alive, so the kernel does not tell: this looks. */
  function tell(hint: WatchHint): void {
    try {
      context.access.checkRoot();
    } catch (error) {
      if (!isCairnError(error, 'root-missing')) throw error;
      if (!rootWasGone) onHint({ kind: 'everything', reason: 'the root is missing' });
      rootWasGone = true;
      return;
    }
    rootWasGone = false;
    onHint(hint);
  }

  function lookTwice(folder: string): void {
    if (secondLooks.size >= MAX_SECOND_LOOKS) {
      collector.everything('many new folders at once');
      return;
    }
    secondLooks.add(folder);
    cancelSecondLooks ??= environment.timers.schedule(SECOND_LOOK_MS, () => {
      cancelSecondLooks = null;
      const folders = [...secondLooks];
      secondLooks.clear();
      for (const path of folders) collector.folder(path);
    });
  }

  function onEvent(event: string, changed: string | null): void {
    if (closed) return;
    if (changed === null || changed === '') {
      collector.everything(changed === null ? 'an event without a name' : 'the root itself changed');
      return;
    }
    const path = changed.replaceAll('\\', process.platform === 'win32' ? '/' : '\\');
    if (isPrivate(path)) return;
    const slash = path.lastIndexOf('/');
    collector.folder(slash < 0 ? '' : path.slice(0, slash));
    if (event !== 'rename') return;
    // Only a guess at what the name means now.
    if (lookAt(`${root}/${path}`) === 'folder') {
      collector.folder(path);
      lookTwice(path);
    }
  }

  /**
   * What the runtime's own recursion must not get to see: it follows links, and a link to itself or a folder that
   * may not be read makes it throw where nobody can catch. Their changes are hinted at from here.
   */
  function leaves(path: string): boolean {
    if (isPrivate(path)) return true;
    const kind = lookAt(`${root}/${path}`);
    if (kind === 'folder' || kind === 'file') return false;
    if (watcher !== null) onEvent('rename', path);
    return true;
  }

  function fail(error: unknown): void {
    if (closed) return;
    watcher?.close();
    watcher = null;
    closeSentinel();
    const code = systemCode(error);
    const reason =
      code === 'ENOSPC' || code === 'EMFILE'
        ? 'the system allows too few watches for this many folders; raise the limit with "sudo sysctl fs.inotify.max_user_watches=1048576" (and max_user_instances), permanently in /etc/sysctl.d'
        : `watching the folder failed (${code || String(error)})`;
    environment.log.warn('filesystem.watch-failed', { reason, retryMs });
    tellWatching(reason);
    collector.everything(reason);
    cancelRetry?.();
    cancelRetry = environment.timers.schedule(retryMs, () => {
      cancelRetry = null;
      start();
      if (watcher !== null) collector.everything('watching began again');
    });
    retryMs = Math.min(retryMs * 2, LAST_RETRY_MS);
  }

  let failure: unknown = null;

  function startOwnTree(): Pick<FSWatcher, 'close'> {
    return watchFolderTree({
      root,
      timers: environment.timers,
      isLeft: isPrivate,
      onChange: (folder) => {
        if (closed) return;
        collector.folder(folder);
        if (++events % BURST_EVENTS === 0) sentinel?.probe();
      },
      onFailure: (error) => {
        failure ??= error;
        if (watcher !== null) fail(error);
      },
      watch: calls.watch,
    });
  }

  function startRecursive(): Pick<FSWatcher, 'close'> {
    const recursive = calls.watch(root, { recursive: true, ignore: leaves }, onEvent);
    recursive.on('error', fail);
    return recursive;
  }

  function start(): void {
    if (closed) return;
    failure = null;
    try {
      context.access.checkRoot();
      watcher = process.platform === 'linux' ? startOwnTree() : startRecursive();
      if (failure !== null) throw failure;
      retryMs = FIRST_RETRY_MS;
      startSentinel();
    } catch (error) {
      fail(error);
    }
  }

  /** Events come, as far as is known; on a network disk only those of this machine. */
  function tellWorking(): void {
    if (networkDisk === null) tellWatching(null);
    else
      tellWatching(
        `the folder is on a network disk (${networkDisk}), which does not tell what other machines change; better sync a folder of this machine's own disk`,
      );
  }

  function tellWatching(reason: string | null): void {
    if (reason === told || closed) return;
    told = reason;
    onHint({ kind: 'watching', works: reason === null, reason });
  }

  function startSentinel(): void {
    try {
      sentinel = openWatchSentinel(context, onVerdict, calls.watch);
    } catch (error) {
      environment.log.warn('filesystem.sentinel-failed', { error: String(error) });
      tellWorking();
      return;
    }
    sentinel.probe();
  }

  function closeSentinel(): void {
    sentinel?.close();
    sentinel = null;
  }

  function onVerdict(works: boolean): void {
    if (closed) return;
    if (works) {
      doubted = false;
      tellWorking();
      return;
    }
    environment.log.warn('filesystem.watch-silent', { again: doubted });
    collector.lost('the watcher did not report a change');
    if (doubted) {
      tellWatching('the system does not report changes in this folder (a network or virtual disk?)');
      return;
    }
    doubted = true;
    closeSentinel();
    watcher?.close();
    watcher = null;
    start();
  }

  start();
  return {
    probe: () => sentinel?.probe(),
    close() {
      if (closed) return;
      closed = true;
      cancelRetry?.();
      cancelSecondLooks?.();
      collector.close();
      closeSentinel();
      watcher?.close();
      watcher = null;
      onClose();
    },
  };
}

function readQueueLimit(): number {
  try {
    const limit = Number(readFileSync('/proc/sys/fs/inotify/max_queued_events', 'utf8'));
    return limit > 0 ? limit : QUEUE_EVENTS;
  } catch {
    return QUEUE_EVENTS;
  }
}

function isPrivate(path: string): boolean {
  return path === PRIVATE_FOLDER || path.startsWith(`${PRIVATE_FOLDER}/`);
}

function lookAt(systemPath: string): 'folder' | 'file' | 'unwatchable' {
  try {
    const status = lstatSync(systemPath, { throwIfNoEntry: false });
    if (status === undefined || status.isSymbolicLink()) return 'unwatchable';
    if (!status.isDirectory()) return 'file';
    accessSync(systemPath, constants.R_OK);
    return 'folder';
  } catch {
    // Its parent is hinted at in any case.
    return 'unwatchable';
  }
}
