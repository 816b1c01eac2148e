import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createByteStream, createSeededRandom } from './seeded-random.ts';

const MIN_BYTES = 1024;
const MAX_BYTES = 32 * 1024;
/** Mean and deviation of the logarithm: a median of 4 KiB. */
const LOG_MEAN = Math.log(4096);
const LOG_DEVIATION = 1;
const FOLDERS_IN_A_PART = 50;

/** Folder of a part of the small files, below theirs. */
export function partName(part: number): string {
  return `part-${part}`;
}

/**
 * Writes `count` files of log-normal sizes from 1 to 32 KiB in `folders` folders, which stand in parts of 50.
 * Half of every file compresses; every 50th is executable.
 */
export function writeSmallFiles(root: string, count: number, folders: number, seed: string): void {
  const random = createSeededRandom(seed);
  const bytes = createByteStream(seed);
  const perFolder = Math.ceil(count / folders);
  for (let index = 0; index < count; index++) {
    const folderIndex = Math.floor(index / perFolder);
    const part = partName(Math.floor(folderIndex / FOLDERS_IN_A_PART));
    const folder = join(root, part, `folder-${folderIndex}`);
    if (index % perFolder === 0) mkdirSync(folder, { recursive: true });
    const wished = Math.exp(LOG_MEAN + LOG_DEVIATION * random.normal());
    const sizeBytes = Math.round(Math.min(MAX_BYTES, Math.max(MIN_BYTES, wished)));
    const half = bytes(sizeBytes >> 1);
    const text = half.toString('hex').slice(0, sizeBytes - half.length);
    writeFileSync(join(folder, `file-${index}.txt`), Buffer.concat([half, Buffer.from(text)]), {
      mode: index % 50 === 0 ? 0o755 : 0o644,
    });
  }
}
