import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { walk } from '../../world/trees.ts';
import type { Peer } from '../peers/peer.ts';

export function sumBytes(root: string): number {
  let total = 0;
  for (const { path, entry } of walk(root)) if (entry.isFile()) total += lstatSync(join(root, path)).size;
  return total;
}

/** Number of files, folders and links below a folder, without what is the peer's own. */
export function countCarried(peer: Peer, root: string): number {
  let count = 0;
  for (const { entry } of walk(root)) if (!peer.isOwn(entry.name)) count++;
  return count;
}

export function exists(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

/** -1 where there is no such file. */
export function sizeOf(path: string): number {
  return lstatSync(path, { throwIfNoEntry: false })?.size ?? -1;
}

export function describeBytes(sizeBytes: number): string {
  const gib = sizeBytes / 1024 ** 3;
  return gib >= 1 ? `${Number(gib.toFixed(2))} GiB` : `${Number((sizeBytes / 1024 ** 2).toFixed(1))} MiB`;
}

export function describeCount(count: number): string {
  return count.toLocaleString('en');
}
