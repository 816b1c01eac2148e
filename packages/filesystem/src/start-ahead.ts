import type { Timers } from '@cairn/environment';
import type { Filesystem, FolderWatch, ListingAhead, OnStir, WatchHint } from './filesystem.ts';

/** Folders hinted at that are kept for who is not there yet; more become "everything". */
const MAX_FOLDERS = 20_000;
/** Who has not begun by then has other worries, and what was listed takes memory. */
const MAX_WAIT_MS = 60_000;

interface Follower {
  onHint(hint: WatchHint): void;
  onStir?: OnStir | undefined;
}

/**
 * Begins to watch and to list a folder while whoever is to work with it still gets ready: its first `watch` is told what
 * happened since, and `takeAhead` has what was listed, without the folders in which something happened meanwhile. That
 * it is watched before it is listed is what makes the listing worth anything.
 * @param timers what forgets the listing where nobody takes it
 * @returns the same filesystem; close this one
 * @throws what `watch` does
 */
export async function startAhead(
  filesystem: Filesystem,
  timers: Pick<Timers, 'schedule'>,
): Promise<Filesystem> {
  const { begin, ...ahead } = withAhead(filesystem, timers);
  await begin();
  return ahead;
}

/** As {@link startAhead}, but it begins when it is told to, or else with the first `watch`. */
export function withAhead(
  filesystem: Filesystem,
  timers: Pick<Timers, 'schedule'>,
): Filesystem & { begin(): Promise<void> } {
  const folders = new Set<string>();
  /** The last of each kind, but for folders. */
  const others = new Map<Exclude<WatchHint['kind'], 'folder'>, WatchHint>();
  let follower: Follower | null = null;
  let watch: FolderWatch | null = null;
  let cancelWait: (() => void) | null = null;
  let ahead: ListingAhead | null = null;
  let isTaken = false;
  let isWatched = true;
  const hinted = new Set<string>();

  function forgetAhead(): void {
    ahead?.close();
    ahead = null;
    hinted.clear();
  }

  /** What was listed before something happened is not what is there. */
  function noteStale(hint: WatchHint): void {
    if (hint.kind === 'watching') isWatched = hint.works;
    if (ahead === null) return;
    if (hint.kind === 'folder') hinted.add(hint.path);
    const isLost = hint.kind === 'everything' || hint.kind === 'lost';
    if (isLost || !isWatched || hinted.size > MAX_FOLDERS) forgetAhead();
  }

  function keep(hint: WatchHint): void {
    if (hint.kind !== 'folder') {
      others.set(hint.kind, hint);
    } else if (!others.has('everything')) {
      folders.add(hint.path);
      if (folders.size > MAX_FOLDERS) {
        others.set('everything', { kind: 'everything', reason: 'changes in too many folders at once' });
        folders.clear();
      }
    }
  }

  async function begin(): Promise<void> {
    // A thread needs as long to start as many folders to be watched.
    const listing = filesystem.listAhead?.() ?? null;
    try {
      watch ??= await filesystem.watch(
        (hint) => {
          noteStale(hint);
          if (follower === null) keep(hint);
          else follower.onHint(hint);
        },
        (paths) => follower?.onStir?.(paths),
      );
    } catch (error) {
      listing?.close();
      throw error;
    }
    // Where hints do not come, what was listed proves nothing.
    if (isWatched) {
      ahead = listing;
      ahead?.begin();
    } else {
      listing?.close();
    }
    cancelWait = timers.schedule(MAX_WAIT_MS, forgetAhead);
  }

  return {
    ...filesystem,
    begin,
    async watch(onHint, onStir): Promise<FolderWatch> {
      if (follower !== null) return filesystem.watch(onHint, onStir);
      follower = { onHint, onStir };
      if (watch === null) await begin();
      for (const path of folders) onHint({ kind: 'folder', path });
      for (const hint of others.values()) onHint(hint);
      folders.clear();
      others.clear();
      return watch as unknown as FolderWatch;
    },
    takeAhead() {
      const taken = isTaken ? null : ahead;
      isTaken = true;
      cancelWait?.();
      if (taken === null) return null;
      return {
        startedAtMs: taken.startedAtMs,
        begin: () => {},
        async take(path) {
          const folder = await taken.take(path);
          return ahead !== taken || hinted.has(path) ? null : folder;
        },
        close: forgetAhead,
      };
    },
    async close() {
      cancelWait?.();
      forgetAhead();
      watch?.close();
      await filesystem.close();
    },
  };
}
