import { createReadStream } from 'node:fs';
import { lstat, readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { PRIVATE_FOLDER } from '@cairn/model';

export interface Comparison {
  readonly files: number;
  readonly folders: number;
  readonly links: number;
  readonly contentBytes: number;
  /** What differs, one sentence each; empty when the folders are equal. */
  readonly differences: readonly string[];
}

interface CompareOptions {
  /** Paths (`/` between names) that are meant to be on one side only. */
  readonly leaves?: (path: string) => boolean;
}

/**
 * Compares two folders on disk, without asking Cairn: names, kinds, every byte, the executable bit, the times of
 * modification of files and links, and the text of links.
 */
export async function compareFolders(
  left: string,
  right: string,
  { leaves = () => false }: CompareOptions = {},
): Promise<Comparison> {
  const found = { files: 0, folders: 0, links: 0, contentBytes: 0 };
  const differences: string[] = [];

  async function namesIn(root: string, path: string): Promise<Set<string>> {
    const names = await readdir(join(root, path));
    return new Set(
      names.filter((name) => !(path === '' && name === PRIVATE_FOLDER) && !leaves(inside(path, name))),
    );
  }

  async function compareItem(path: string): Promise<void> {
    const [here, there] = await Promise.all([
      lstat(join(left, path), { bigint: true }),
      lstat(join(right, path), { bigint: true }),
    ]);
    const kind = kindOf(here);
    if (kind !== kindOf(there)) {
      differences.push(`${path} is a ${kind} on one side and a ${kindOf(there)} on the other`);
      return;
    }
    if (kind === 'folder') {
      found.folders++;
      await compareFolder(path);
      return;
    }
    if (here.mtimeNs / 1000n !== there.mtimeNs / 1000n)
      differences.push(`${path} has two modification times`);
    if (kind === 'link') {
      found.links++;
      const targets = await Promise.all([readlink(join(left, path)), readlink(join(right, path))]);
      if (targets[0] !== targets[1]) differences.push(`${path} points to ${targets[0]} and to ${targets[1]}`);
      return;
    }
    found.files++;
    found.contentBytes += Number(here.size);
    if ((here.mode & 0o100n) !== (there.mode & 0o100n)) differences.push(`${path} is executable on one side`);
    if (here.size !== there.size || !(await haveEqualBytes(join(left, path), join(right, path))))
      differences.push(`${path} has different bytes`);
  }

  async function compareFolder(path: string): Promise<void> {
    const [here, there] = await Promise.all([namesIn(left, path), namesIn(right, path)]);
    for (const name of there)
      if (!here.has(name)) differences.push(`${inside(path, name)} is missing on the left`);
    for (const name of here) {
      if (there.has(name)) await compareItem(inside(path, name));
      else differences.push(`${inside(path, name)} is missing on the right`);
    }
  }

  await compareFolder('');
  return { ...found, differences };
}

function inside(path: string, name: string): string {
  return path === '' ? name : `${path}/${name}`;
}

function kindOf(status: { isDirectory(): boolean; isSymbolicLink(): boolean; isFile(): boolean }): string {
  return status.isDirectory()
    ? 'folder'
    : status.isSymbolicLink()
      ? 'link'
      : status.isFile()
        ? 'file'
        : 'other';
}

async function haveEqualBytes(left: string, right: string): Promise<boolean> {
  const there = createReadStream(right)[Symbol.asyncIterator]();
  let rest: Buffer = Buffer.alloc(0);
  try {
    for await (const piece of createReadStream(left)) {
      let mine = piece as Buffer;
      while (mine.length > 0) {
        if (rest.length === 0) {
          const next = await there.next();
          if (next.done) return false;
          rest = next.value as Buffer;
        }
        const length = Math.min(mine.length, rest.length);
        if (mine.compare(rest, 0, length, 0, length) !== 0) return false;
        mine = mine.subarray(length);
        rest = rest.subarray(length);
      }
    }
    return rest.length === 0 && (await there.next()).done === true;
  } finally {
    await there.return?.();
  }
}
