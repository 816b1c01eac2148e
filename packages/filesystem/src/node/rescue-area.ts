import { type BigIntStats, linkSync, lstatSync, readdirSync, renameSync, unlinkSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import type { FileStatus, RescuedItem } from '../filesystem.ts';
import { changedError, localError, systemCode } from '../local-errors.ts';
import { parseRescueName, rescueName } from '../paths.ts';
import { statusAt } from './file-status.ts';
import type { Place, RootContext } from './root-context.ts';
import { holdPrivate } from './root-context.ts';

const DELETIONS_PER_TURN = 16;

/** Bytes that were kept before something takes their place. */
export interface Kept {
  /** Whether the item is still at its path too (a second name), or was moved away. */
  readonly stillInPlace: boolean;
  /** Puts everything back as it was; never replaces anything. */
  undo(): void;
  /** Removes the rescued name again, when the bytes have another one. */
  forget(): void;
}

export interface RescueArea {
  /** Gives the item a second name here where possible, else moves it here. Throws `local-changed` when it is not the expected one. */
  keep(place: Place, path: string, expected: FileStatus): Kept;
  /** Moves the item here. Throws `local-changed`, with the item back at its path, when it is not the expected one. */
  take(place: Place, path: string, expected: FileStatus): Kept;
  list(): RescuedItem[];
  removeOld(
    olderThanMs: number,
    keepBytes: number,
  ): Promise<{ removedItems: number; removedBytes: number; keptBytes: number }>;
  /** Runs `sync` if anything was kept since it last succeeded: the area becomes durable before folders do. */
  syncKept(sync: () => Promise<void>): Promise<void>;
}

/** Displacing itself changes ctime a little later than the moment in the item's name. */
const DISPLACING_MS = 250;
const SAME_MOMENT_NS = 50_000_000n;

/**
 * A write sets both times of a file to the same moment. What we place has the modification time that the server says,
 * and displacing changes only ctime, so neither looks like one. Another name outside means another owner, who sees it.
 */
function wasWrittenAfter(status: BigIntStats, rescuedAt: number): boolean {
  if (!status.isFile() || status.nlink > 1n) return false;
  if (status.ctimeNs <= BigInt(rescuedAt + DISPLACING_MS) * 1_000_000n) return false;
  const apartNs = status.ctimeNs - status.mtimeNs;
  return apartNs > -SAME_MOMENT_NS && apartNs < SAME_MOMENT_NS;
}

export function createRescueArea(context: RootContext): RescueArea {
  const { environment, capabilities } = context;
  let unsynced = false;

  function isExpected(found: FileStatus | null, expected: FileStatus): boolean {
    // Getting a second name or a new place changes ctime, so the fingerprint cannot be asked here.
    return (
      found !== null &&
      found.identity === expected.identity &&
      found.sizeBytes === expected.sizeBytes &&
      found.modifiedAtNs === expected.modifiedAtNs
    );
  }

  function inRescue<T>(name: string, use: (rescued: string) => T): T {
    const folder = holdPrivate(context, 'rescue');
    try {
      return use(`${folder.base}/${rescueName(environment.clock.now(), context.nextCounter(), name)}`);
    } finally {
      folder.release();
    }
  }

  function putBack(rescued: string, original: string): void {
    try {
      linkSync(rescued, original);
      unlinkSync(rescued);
    } catch (error) {
      // Something else is there by now: what was taken stays safe in the rescue area.
      if (systemCode(error) === 'EEXIST') return;
      if (lstatSync(original, { throwIfNoEntry: false }) === undefined) renameSync(rescued, original);
    }
  }

  function take(place: Place, path: string, expected: FileStatus): Kept {
    return inRescue(place.name, (rescued) => {
      try {
        renameSync(place.systemPath, rescued);
      } catch (error) {
        if (systemCode(error) === 'ENOENT') throw changedError(path, 'it is gone');
        throw error;
      }
      unsynced = true;
      if (!isExpected(statusAt(rescued, capabilities.executableBit), expected)) {
        putBack(rescued, place.systemPath);
        throw changedError(path, 'something else came to this path');
      }
      const name = rescued.slice(rescued.lastIndexOf('/') + 1);
      return {
        stillInPlace: false,
        undo: () => undoIn(name, (now) => putBack(now, place.systemPath)),
        forget: () => undoIn(name, forget),
      };
    });
  }

  function undoIn(name: string, undo: (rescued: string) => void): void {
    const folder = holdPrivate(context, 'rescue');
    try {
      undo(`${folder.base}/${name}`);
    } finally {
      folder.release();
    }
  }

  /** Removes our second name, unless it became the only one that the bytes have. */
  function forget(rescued: string): void {
    const status = lstatSync(rescued, { throwIfNoEntry: false });
    if (status !== undefined && status.nlink > 1) unlinkSync(rescued);
  }

  function keep(place: Place, path: string, expected: FileStatus): Kept {
    const canLink = context.hardLinks && (expected.kind === 'file' || process.platform === 'linux');
    if (!canLink) return take(place, path, expected);
    const kept = inRescue(place.name, (rescued): Kept | null => {
      try {
        linkSync(place.systemPath, rescued);
      } catch (error) {
        const code = systemCode(error);
        if (code === 'ENOENT') throw changedError(path, 'it is gone');
        // The system may forbid a second name for somebody else's file (protected_hardlinks), or be out of them.
        if (code === 'EPERM' || code === 'EMLINK') return null;
        throw error;
      }
      unsynced = true;
      if (!isExpected(statusAt(rescued, capabilities.executableBit), expected)) {
        forget(rescued);
        throw changedError(path, 'something else came to this path');
      }
      const name = rescued.slice(rescued.lastIndexOf('/') + 1);
      const forgetIt = () => undoIn(name, forget);
      return { stillInPlace: true, undo: forgetIt, forget: forgetIt };
    });
    return kept ?? take(place, path, expected);
  }

  function list(): RescuedItem[] {
    const folder = holdPrivate(context, 'rescue');
    try {
      const items: RescuedItem[] = [];
      for (const name of readdirSync(folder.base)) {
        const parsed = parseRescueName(name);
        if (parsed === null) continue;
        const status = lstatSync(`${folder.base}/${name}`, { throwIfNoEntry: false, bigint: true });
        if (status === undefined) continue;
        const writtenLate = wasWrittenAfter(status, parsed.rescuedAt);
        items.push({ name, ...parsed, sizeBytes: Number(status.size), writtenLate });
      }
      return items.sort((a, b) => a.rescuedAt - b.rescuedAt || (a.name < b.name ? -1 : 1));
    } catch (error) {
      throw localError(error, 'list', '.cairn/rescue');
    } finally {
      folder.release();
    }
  }

  return {
    keep,
    take,
    list,
    async removeOld(olderThanMs, keepBytes) {
      const items = list();
      const before = environment.clock.now() - olderThanMs;
      let keptBytes = items.reduce((sum, item) => sum + item.sizeBytes, 0);
      let removedBytes = 0;
      let removedItems = 0;
      for (const item of items) {
        if (item.rescuedAt > before || keptBytes <= keepBytes) break;
        if (item.writtenLate) continue;
        // Many deletions at once make ext4 slow at creating files for a while.
        if (removedItems > 0 && removedItems % DELETIONS_PER_TURN === 0) await setImmediate();
        try {
          undoIn(item.name, (rescued) => unlinkSync(rescued));
        } catch (error) {
          if (systemCode(error) !== 'ENOENT') throw localError(error, 'delete', `.cairn/rescue/${item.name}`);
        }
        keptBytes -= item.sizeBytes;
        removedBytes += item.sizeBytes;
        removedItems++;
      }
      return { removedItems, removedBytes, keptBytes };
    },
    async syncKept(sync) {
      if (!unsynced) return;
      unsynced = false;
      try {
        await sync();
      } catch (error) {
        unsynced = true;
        throw error;
      }
    },
  };
}
