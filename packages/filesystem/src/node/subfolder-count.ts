import { statfsSync } from 'node:fs';

/** By the magic numbers of Linux: ext2 to ext4, XFS, F2FS, tmpfs. */
const COUNTING_TYPES: ReadonlySet<number> = new Set([0xef53, 0x58465342, 0xf2f52010, 0x01021994]);

/** Links of a folder without folders in it, where they are counted: its name, and `.` in itself. */
export const LINKS_OF_LEAF = 2;

/**
 * Whether the filesystem at the path counts a folder's `..` as a link to its parent, so that one with
 * {@link LINKS_OF_LEAF} links has no folder in it (POSIX leaves that to the filesystem; Btrfs and many others do not).
 */
export function countsSubfolders(path: string, readType: (path: string) => number = typeOf): boolean {
  if (process.platform !== 'linux') return false;
  try {
    return COUNTING_TYPES.has(readType(path) >>> 0);
  } catch {
    // What is wrong with it is found by those who read it.
    return false;
  }
}

function typeOf(path: string): number {
  return Number(statfsSync(path).type);
}
