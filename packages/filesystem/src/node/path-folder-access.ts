import { lstatSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { FolderUnreachable, rootMissingError } from '../local-errors.ts';
import type { FolderAccess } from './folder-access.ts';

/**
 * Systems without `/proc/self/fd`: every part of the path is checked with `lstat` and the whole with
 * `realpath`. Somebody who exchanges a folder for a link in the microseconds between this check and the call
 * that follows it could still mislead that one call; the caller checks the identity of what it reached.
 */
export function openPathFolderAccess(root: string): FolderAccess {
  const realRoot = realRootOf(root);
  const rootStatus = lstatSync(realRoot, { bigint: true });
  let closed = false;

  function checkRoot(): void {
    if (closed) throw new Error('the filesystem is closed');
    const now = lstatSync(realRoot, { bigint: true, throwIfNoEntry: false });
    if (now === undefined || now.dev !== rootStatus.dev || now.ino !== rootStatus.ino) {
      throw rootMissingError(root);
    }
  }

  return {
    checkRoot,
    forgetChecks: () => undefined,
    hold(names) {
      checkRoot();
      let base = realRoot;
      for (const [index, name] of names.entries()) {
        base = join(base, name);
        const path = names.slice(0, index + 1).join('/');
        const status = lstatSync(base, { throwIfNoEntry: false });
        if (status === undefined) {
          checkRoot();
          throw new FolderUnreachable('missing', path);
        }
        if (status.isSymbolicLink()) throw new FolderUnreachable('link', path);
        if (!status.isDirectory()) throw new FolderUnreachable('not-a-folder', path);
      }
      const real = realpathSync.native(base);
      if (real !== realRoot && !real.startsWith(join(realRoot, '/'))) {
        throw new FolderUnreachable('link', names.join('/'));
      }
      return { base, descriptor: null, release: () => undefined };
    },
    close() {
      closed = true;
    },
  };
}

function realRootOf(root: string): string {
  try {
    return realpathSync.native(root);
  } catch (error) {
    throw rootMissingError(root, error);
  }
}
