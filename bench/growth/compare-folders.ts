import { type Dirent, lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';

/** The product's own folder in a synced one. */
const PRIVATE_FOLDER = '.cairn';
const MOST_DIFFERENCES = 5;

/**
 * Compares names, kinds, bytes, executable bits and times of all files in two folders, with memory for one folder of
 * each at a time. Nobody may change them meanwhile.
 * @returns how many files there are
 * @throws Error naming what differs
 */
export async function requireEqualFolders(left: string, right: string): Promise<number> {
  const differences: string[] = [];
  const waiting = [''];
  let files = 0;
  for (let below = waiting.pop(); below !== undefined; below = waiting.pop()) {
    if (differences.length >= MOST_DIFFERENCES) break;
    // Signals are heard in between.
    await nextTurn();
    const others = listFolder(right, below);
    for (const [name, entry] of listFolder(left, below)) {
      const path = join(below, name);
      const other = others.get(name);
      others.delete(name);
      if (other === undefined) differences.push(`${path} is missing`);
      else if (entry.isDirectory() && other.isDirectory()) waiting.push(path);
      else if (entry.isFile() && other.isFile()) {
        files++;
        const difference = compareFiles(join(left, path), join(right, path));
        if (difference !== null) differences.push(`${path}: ${difference}`);
      } else differences.push(`${path} is of another kind`);
    }
    for (const name of others.keys()) differences.push(`${join(below, name)} is there in addition`);
  }
  if (differences.length > 0)
    throw new Error(`the folders differ: ${differences.slice(0, MOST_DIFFERENCES).join('; ')}`);
  return files;
}

function listFolder(root: string, below: string): Map<string, Dirent> {
  const entries = readdirSync(join(root, below), { withFileTypes: true });
  return new Map(
    entries
      .filter(({ name }) => below !== '' || name !== PRIVATE_FOLDER)
      .map((entry): [string, Dirent] => [entry.name, entry]),
  );
}

function compareFiles(left: string, right: string): string | null {
  const [own, other] = [lstatSync(left, { bigint: true }), lstatSync(right, { bigint: true })];
  if (own.size !== other.size) return `${other.size} bytes instead of ${own.size}`;
  if ((own.mode & 0o100n) !== (other.mode & 0o100n)) return 'another executable bit';
  if (own.mtimeNs / 1000n !== other.mtimeNs / 1000n) return 'another time';
  return readFileSync(left).equals(readFileSync(right)) ? null : 'other bytes';
}
