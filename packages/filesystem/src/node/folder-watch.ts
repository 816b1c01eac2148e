import { accessSync, constants, type FSWatcher, lstatSync, watch } from 'node:fs';
import { isCairnError, PRIVATE_FOLDER } from '@cairn/model';
import type { FolderWatch, WatchHint } from '../filesystem.ts';
import { createHintCollector } from '../hint-collector.ts';
import { systemCode } from '../local-errors.ts';
import { watchFolderTree } from './folder-tree-watch.ts';
import type { RootContext } from './root-context.ts';

/** A new folder is hinted at again after this time: its own watch may have started after its first items came. */
const SECOND_LOOK_MS = 250;
const MAX_SECOND_LOOKS = 1000;
const FIRST_RETRY_MS = 5_000;
const LAST_RETRY_MS = 300_000;

export interface FolderWatchState extends FolderWatch {
  close(): void;
}

/**
 * Hints from `fs.watch`: on Linux our own tree of watches, one per folder; elsewhere the system's recursive one. Whatever goes wrong (too few watches,
 * the root removed) becomes an "everything" hint and a new attempt later: callers scan on their own clock too.
 */
export function startFolderWatch(
  context: RootContext,
  onHint: (hint: WatchHint) => void,
  onClose: () => void,
): FolderWatchState {
  const { environment, root } = context;
  const collector = createHintCollector(environment, tell);
  const secondLooks = new Set<string>();
  let cancelSecondLooks: (() => void) | null = null;
  let cancelRetry: (() => void) | null = null;
  let watcher: Pick<FSWatcher, 'close'> | null = null;
  let retryMs = FIRST_RETRY_MS;
  let closed = false;
  let rootWasGone = false;

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
    const code = systemCode(error);
    const reason =
      code === 'ENOSPC' || code === 'EMFILE'
        ? 'the system allows too few watches (raise fs.inotify.max_user_watches)'
        : `watching failed (${code || String(error)})`;
    environment.log.warn('filesystem.watch-failed', { reason, retryMs });
    collector.everything(reason);
    cancelRetry?.();
    cancelRetry = environment.timers.schedule(retryMs, () => {
      cancelRetry = null;
      start();
      if (watcher !== null) collector.everything('watching began again');
    });
    retryMs = Math.min(retryMs * 2, LAST_RETRY_MS);
  }

  function startOwnTree(): Pick<FSWatcher, 'close'> {
    return watchFolderTree({
      root,
      timers: environment.timers,
      isLeft: isPrivate,
      onChange: (folder) => {
        if (!closed) collector.folder(folder);
      },
      onFailure: fail,
    });
  }

  function startRecursive(): Pick<FSWatcher, 'close'> {
    const recursive = watch(root, { recursive: true, ignore: leaves }, onEvent);
    recursive.on('error', fail);
    return recursive;
  }

  function start(): void {
    if (closed) return;
    try {
      context.access.checkRoot();
      watcher = process.platform === 'linux' ? startOwnTree() : startRecursive();
    } catch (error) {
      fail(error);
    }
  }

  start();
  return {
    close() {
      if (closed) return;
      closed = true;
      cancelRetry?.();
      cancelSecondLooks?.();
      collector.close();
      watcher?.close();
      watcher = null;
      onClose();
    },
  };
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
