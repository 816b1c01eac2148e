import type { Filesystem } from '@cairn/filesystem';

/**
 * Whether there is certainly no folder at a path: it, or a folder on the way to it, is missing or something else (a
 * link is never followed). What cannot be determined is not gone.
 */
export async function isCertainlyGone(filesystem: Filesystem, path: string): Promise<boolean> {
  const names = path.split('/');
  for (let depth = 1; depth <= names.length; depth++) {
    try {
      const status = await filesystem.status(names.slice(0, depth).join('/'));
      if (status?.kind !== 'folder') return true;
    } catch {
      return false;
    }
  }
  return false;
}
