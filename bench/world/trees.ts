import { createHash } from 'node:crypto';
import {
  closeSync,
  type Dirent,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  readSync,
} from 'node:fs';
import { join } from 'node:path';

/** The product's own folder in a synced one. */
const PRIVATE_FOLDER = '.cairn';
const PIECE_BYTES = 4 * 1024 * 1024;

export interface TreeItem {
  readonly kind: 'file' | 'folder' | 'link' | 'other';
  readonly sizeBytes: number;
  /** The owner's bit: what a space keeps of the mode. */
  readonly executable: boolean;
  /** Microseconds since 1970; 0 for folders. */
  readonly modifiedAtUs: number;
  readonly target: string | null;
  /** SHA-256 of a file's bytes, hexadecimal. */
  readonly hash: string | null;
}

export type TreeListing = ReadonlyMap<string, TreeItem>;

/** Relative paths of everything below a folder, but for what is Cairn's own; a folder that is gone is empty. */
export function* walk(root: string, below = ''): Generator<{ path: string; entry: Dirent }> {
  let entries: Dirent[];
  try {
    entries = readdirSync(join(root, below), { withFileTypes: true });
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return;
    throw error;
  }
  for (const entry of entries) {
    if (below === '' && entry.name === PRIVATE_FOLDER) continue;
    const path = below === '' ? entry.name : `${below}/${entry.name}`;
    yield { path, entry };
    if (entry.isDirectory()) yield* walk(root, path);
  }
}

/** Number of files, folders and links below a folder. */
export function countItems(root: string): number {
  let count = 0;
  for (const _item of walk(root)) count++;
  return count;
}

export function hashFile(path: string): string {
  const hash = createHash('sha256');
  if (lstatSync(path).size <= PIECE_BYTES) return hash.update(readFileSync(path)).digest('hex');
  const piece = Buffer.allocUnsafe(PIECE_BYTES);
  const descriptor = openSync(path, 'r');
  try {
    for (;;) {
      const count = readSync(descriptor, piece, 0, PIECE_BYTES, null);
      if (count === 0) return hash.digest('hex');
      hash.update(piece.subarray(0, count));
    }
  } finally {
    closeSync(descriptor);
  }
}

/** Reads everything below a folder, contents included. Nobody may change it meanwhile. */
export function readTree(root: string): TreeListing {
  const tree = new Map<string, TreeItem>();
  for (const { path } of walk(root)) {
    const stats = lstatSync(join(root, path), { bigint: true });
    const isFile = stats.isFile();
    const isLink = stats.isSymbolicLink();
    tree.set(path, {
      kind: isFile ? 'file' : isLink ? 'link' : stats.isDirectory() ? 'folder' : 'other',
      sizeBytes: isFile ? Number(stats.size) : 0,
      executable: isFile && (stats.mode & 0o100n) !== 0n,
      modifiedAtUs: isFile || isLink ? Number(stats.mtimeNs / 1000n) : 0,
      target: isLink ? readlinkSync(join(root, path)) : null,
      hash: isFile ? hashFile(join(root, path)) : null,
    });
  }
  return tree;
}

/** What differs, one line each: names, kinds, bytes, executable bits, texts of links, times of files. */
export function compareTrees(left: TreeListing, right: TreeListing): string[] {
  const differences: string[] = [];
  for (const [path, item] of left) {
    const other = right.get(path);
    if (other === undefined) {
      differences.push(`${path}: only on the first (${item.kind})`);
      continue;
    }
    for (const fact of ['kind', 'sizeBytes', 'hash', 'executable', 'target'] as const) {
      if (item[fact] !== other[fact])
        differences.push(`${path}: ${fact} is ${item[fact]} on the first, ${other[fact]} on the second`);
    }
    if (item.kind === 'file' && item.modifiedAtUs !== other.modifiedAtUs) {
      differences.push(
        `${path}: modified at ${item.modifiedAtUs} µs on the first, ${other.modifiedAtUs} µs on the second`,
      );
    }
  }
  for (const [path, item] of right) {
    if (!left.has(path)) differences.push(`${path}: only on the second (${item.kind})`);
  }
  return differences;
}
