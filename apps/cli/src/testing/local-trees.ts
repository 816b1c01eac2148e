import { createHash } from 'node:crypto';
import { lstat, readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';

/** For tests: everything below a folder as plain data, to be compared. */
export async function describeTree(folder: string): Promise<Record<string, unknown>> {
  const found: Record<string, unknown> = {};
  async function visit(path: string, shown: string): Promise<void> {
    for (const name of (await readdir(path)).sort()) {
      const inside = join(path, name);
      const status = await lstat(inside, { bigint: true });
      const key = `${shown}/${name}`;
      if (status.isDirectory()) {
        found[key] = 'folder';
        await visit(inside, key);
      } else if (status.isSymbolicLink()) {
        found[key] = { link: await readlink(inside), modifiedAtUs: toMicroseconds(status.mtimeNs) };
      } else {
        found[key] = {
          sha256: createHash('sha256')
            .update(await readFile(inside))
            .digest('hex'),
          executable: (status.mode & 0o100n) !== 0n,
          modifiedAtUs: toMicroseconds(status.mtimeNs),
        };
      }
    }
  }
  await visit(folder, '');
  return found;
}

/** For tests: bytes of all files below a folder. */
export async function sizeOfTree(folder: string): Promise<number> {
  let total = 0;
  for (const item of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!item.isFile()) continue;
    total += (await lstat(join(item.parentPath, item.name)).catch(() => ({ size: 0 }))).size;
  }
  return total;
}

/** Rounded down, also before 1970. */
function toMicroseconds(ns: bigint): bigint {
  return (ns - (((ns % 1000n) + 1000n) % 1000n)) / 1000n;
}
