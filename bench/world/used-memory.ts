import { execFileSync } from 'node:child_process';
import { closeSync, existsSync, ftruncateSync, openSync, readSync, rmSync } from 'node:fs';
import { totalmem } from 'node:os';
import { join } from 'node:path';

/** Of the kernel's reporting of free pages to the host of a virtual machine, which takes them away. */
const PAGE_REPORTING = '/sys/module/page_reporting';
const PIECE_BYTES = 4 * 1024 ** 2;

/** Memory as it is on a machine that has been in use for a while. */
export interface UsedMemory {
  /** Fills what is free with the page cache of a file that nobody needs; then what is in `folder` is in it, too. */
  fill(folder: string): void;
  close(): void;
}

/** Whether memory that is free here may not be there: whoever writes to it first waits for the host. */
export function givesMemoryBack(): boolean {
  return existsSync(PAGE_REPORTING);
}

/**
 * A virtual machine may give its free memory back to its host and pay for each page when it is next written to: here
 * up to 3 s per GiB, ten times what writing costs. Who comes first, or after a pause, would pay for all. Where the page cache
 * is full, as on machines in use, its pages are used again, and cost everybody the same.
 * @param folder for a sparse file as large as the memory
 */
export function createUsedMemory(folder: string): UsedMemory {
  const path = join(folder, `cairn-bench-ballast-${process.pid}`);
  const descriptor = openSync(path, 'w+');
  ftruncateSync(descriptor, totalmem());
  const piece = Buffer.alloc(PIECE_BYTES);
  return {
    fill(needed) {
      let position = 0;
      for (let count = -1; count !== 0; position += count)
        count = readSync(descriptor, piece, 0, piece.length, position);
      execFileSync('sh', ['-c', 'find "$1" -type f -exec cat {} + > /dev/null', 'sh', needed], {
        stdio: ['ignore', 'ignore', 'ignore'],
      });
    },
    close() {
      closeSync(descriptor);
      rmSync(path, { force: true });
    },
  };
}
