import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Where a run works: a new filesystem of its own, or a new folder among the temporary ones. */
export type WorkPlace = 'loop' | 'temp';

export interface WorkFolder {
  readonly path: string;
  readonly description: string;
  remove(): void;
}

/**
 * Makes a new folder to work in. `auto` takes a new ext4 in a loop image where that is possible (Linux, root):
 * ext4 without a journal creates files slowly for minutes after many were deleted, which would be measured
 * instead of the product.
 * @param base folder to put it in, the system's for temporary files by default
 * @param mostFiles how many files and folders the new ext4 can hold
 */
export function createWorkFolder(
  place: WorkPlace | 'auto',
  sizeBytes: number,
  base = tmpdir(),
  mostFiles = 400_000,
): WorkFolder {
  const outer = mkdtempSync(join(base, 'cairn-bench-'));
  const remove = () => rmSync(outer, { recursive: true, force: true, maxRetries: 3 });
  if (place !== 'temp') {
    try {
      return mountImage(outer, sizeBytes, mostFiles, remove);
    } catch (error) {
      if (place === 'loop') {
        remove();
        throw error;
      }
    }
  }
  return {
    path: outer,
    description: `a new folder in ${base}, on a filesystem that was used before`,
    remove,
  };
}

function mountImage(outer: string, sizeBytes: number, mostFiles: number, remove: () => void): WorkFolder {
  const image = join(outer, 'image');
  const path = join(outer, 'work');
  mkdirSync(path);
  run('truncate', '-s', String(sizeBytes), image);
  const eager = 'lazy_itable_init=0,lazy_journal_init=0';
  run('mkfs.ext4', '-q', '-F', '-N', String(mostFiles), '-E', eager, image);
  run('mount', '-o', 'loop', image, path);
  return {
    path,
    description: 'a new ext4 (journalled) in a loop image',
    remove() {
      try {
        run('umount', path);
      } catch {
        // Something still has a file open there: detach it, it goes with the last user.
        run('umount', '-l', path);
      }
      remove();
    },
  };
}

function run(program: string, ...words: string[]): void {
  execFileSync(program, words, { stdio: ['ignore', 'ignore', 'pipe'] });
}
