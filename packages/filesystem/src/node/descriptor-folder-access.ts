import { closeSync, constants, lstatSync, openSync, readlinkSync, statSync } from 'node:fs';
import { FolderUnreachable, rootMissingError, systemCode } from '../local-errors.ts';
import type { FolderAccess, HeldFolder } from './folder-access.ts';

const OPEN_FOLDER = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
const MAX_CACHED = 256;
// Longer paths cannot be asked about in one system call; they are walked every time.
const MAX_CHECKED_PATH = 3000;

interface CachedFolder {
  readonly descriptor: number;
  readonly device: bigint;
  readonly inode: bigint;
  readonly path: string;
  holders: number;
  dropped: boolean;
}

/**
 * Linux: a folder is held by its descriptor and its items are reached as `/proc/self/fd/N/name`, so exchanging
 * any folder on the way for a link cannot lead outside. Descriptors are kept; before one is used again the
 * kernel must still say that it is exactly at its path, and the path that it leads to it (no mount on top).
 *
 * What was found so counts for the rest of the same synchronous piece of work (until the next microtask), as long
 * as we rename and remove nothing ourselves. Somebody who carries a folder off after the check carries off what
 * comes into it a moment later, too, just as if that had come a moment earlier; asking again before every call
 * would only make that moment shorter. Whoever concludes something from absence calls `checkRoot`, which always asks.
 */
export function openDescriptorFolderAccess(root: string): FolderAccess {
  let rootDescriptor: number;
  try {
    rootDescriptor = openSync(root, OPEN_FOLDER);
  } catch (error) {
    throw rootMissingError(root, error);
  }
  const rootStatus = statSync(`/proc/self/fd/${rootDescriptor}`, { bigint: true });
  const cache = new Map<string, CachedFolder>();
  /** What was checked in this piece of work; `rootDescriptor`'s entry stands for the root. */
  const checked = new Set<number>();
  let closed = false;

  function noteChecked(descriptor: number): void {
    if (checked.size === 0) queueMicrotask(() => checked.clear());
    checked.add(descriptor);
  }

  function checkRoot(): void {
    if (closed) throw new Error('the filesystem is closed');
    let now: { dev: bigint; ino: bigint } | undefined;
    try {
      now = lstatSync(root, { bigint: true });
    } catch (error) {
      throw rootMissingError(root, error);
    }
    if (now.dev !== rootStatus.dev || now.ino !== rootStatus.ino) throw rootMissingError(root);
  }

  function isInPlace(folder: CachedFolder): boolean {
    try {
      if (readlinkSync(`/proc/self/fd/${folder.descriptor}`) !== folder.path) return false;
      const now = statSync(folder.path, { bigint: true, throwIfNoEntry: false });
      return now !== undefined && now.ino === folder.inode && now.dev === folder.device;
    } catch {
      // Cannot tell; walking there anew gives the precise error.
      return false;
    }
  }

  function drop(key: string, folder: CachedFolder): void {
    checked.delete(folder.descriptor);
    if (cache.get(key) === folder) cache.delete(key);
    folder.dropped = true;
    if (folder.holders === 0) closeSync(folder.descriptor);
  }

  function makeRoom(): void {
    for (const [key, folder] of cache) {
      if (cache.size < MAX_CACHED) return;
      if (folder.holders === 0) drop(key, folder);
    }
  }

  function walk(names: readonly string[]): number {
    let descriptor = rootDescriptor;
    for (const [index, name] of names.entries()) {
      let next: number;
      try {
        next = openSync(`/proc/self/fd/${descriptor}/${name}`, OPEN_FOLDER);
      } catch (error) {
        throw explainStep(error, `/proc/self/fd/${descriptor}/${name}`, names.slice(0, index + 1).join('/'));
      } finally {
        if (descriptor !== rootDescriptor) closeSync(descriptor);
      }
      descriptor = next;
    }
    return descriptor;
  }

  function explainStep(error: unknown, base: string, path: string): unknown {
    const code = systemCode(error);
    if (code === 'ENOENT') return new FolderUnreachable('missing', path);
    if (code !== 'ENOTDIR' && code !== 'ELOOP') return error;
    const now = lstatSync(base, { throwIfNoEntry: false });
    if (now === undefined) return new FolderUnreachable('missing', path);
    return new FolderUnreachable(now.isSymbolicLink() ? 'link' : 'not-a-folder', path);
  }

  function heldFolder(key: string, folder: CachedFolder): HeldFolder {
    folder.holders++;
    let released = false;
    return {
      base: `/proc/self/fd/${folder.descriptor}`,
      descriptor: folder.descriptor,
      release() {
        if (released) return;
        released = true;
        folder.holders--;
        if (folder.dropped && folder.holders === 0) closeSync(folder.descriptor);
        else if (closed) drop(key, folder);
      },
    };
  }

  return {
    checkRoot,
    forgetChecks: () => checked.clear(),
    hold(names) {
      if (closed || !checked.has(rootDescriptor)) {
        checkRoot();
        noteChecked(rootDescriptor);
      }
      if (names.length === 0) {
        return {
          base: `/proc/self/fd/${rootDescriptor}`,
          descriptor: rootDescriptor,
          release: () => undefined,
        };
      }
      const key = names.join('/');
      const known = cache.get(key);
      if (known !== undefined) {
        if (checked.has(known.descriptor)) return heldFolder(key, known);
        if (isInPlace(known)) {
          noteChecked(known.descriptor);
          cache.delete(key);
          cache.set(key, known);
          return heldFolder(key, known);
        }
        drop(key, known);
      }
      let descriptor: number;
      try {
        descriptor = walk(names);
      } catch (error) {
        // A root that went away meanwhile must not look like a folder that is missing in it.
        checkRoot();
        throw error;
      }
      const status = statSync(`/proc/self/fd/${descriptor}`, { bigint: true });
      const path = `${root === '/' ? '' : root}/${key}`;
      const folder: CachedFolder = {
        descriptor,
        device: status.dev,
        inode: status.ino,
        path,
        holders: 0,
        dropped: true,
      };
      makeRoom();
      if (cache.size < MAX_CACHED && Buffer.byteLength(path) <= MAX_CHECKED_PATH) {
        folder.dropped = false;
        cache.set(key, folder);
        noteChecked(descriptor);
      }
      return heldFolder(key, folder);
    },
    close() {
      if (closed) return;
      closed = true;
      for (const [key, folder] of [...cache]) if (folder.holders === 0) drop(key, folder);
      closeSync(rootDescriptor);
    },
  };
}
