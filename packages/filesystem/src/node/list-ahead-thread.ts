import { readdirSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import type { FileStatus } from '../filesystem.ts';
import { type PackedFolder, packFolder } from '../listed-folder.ts';
import { isPrivateName } from '../paths.ts';
import { openDescriptorFolderAccess } from './descriptor-folder-access.ts';
import { statusAt } from './file-status.ts';
import type { FolderAccess } from './folder-access.ts';
import { type ListAheadJob, waitAtGate } from './list-ahead-gate.ts';
import { openPathFolderAccess } from './path-folder-access.ts';

/** Items that are handed over together: each message costs as much as looking at some of them. */
const ITEMS_AT_ONCE = 2000;
const FOLDERS_AT_ONCE = 200;

/**
 * Lists a folder and all below it, each before those in it, so that they come in the order in which a scan asks for them.
 * What cannot be listed, or not be told of exactly, is left out: whoever asks lists it again.
 */
export function listAll(
  { root, byDescriptor, caseSensitive, executableBit, maxItems }: Omit<ListAheadJob, 'gate'>,
  handOver: (folders: PackedFolder[]) => void,
): void {
  const access = byDescriptor ? openDescriptorFolderAccess(root) : openPathFolderAccess(root);
  let folders: PackedFolder[] = [];
  let items = 0;
  let left = maxItems;
  try {
    const open = [''];
    // Not an iterator: the list grows while it is gone through.
    for (let next = 0; next < open.length && left > 0; next++) {
      const path = open[next] as string;
      const listed = listOne(access, path, { root, caseSensitive, executableBit });
      if (listed === null) continue;
      const { status, found } = listed;
      for (const [name, { kind, device }] of found) {
        if (kind === 'folder' && device === status.device) open.push(path === '' ? name : `${path}/${name}`);
      }
      folders.push(packFolder(path, status, found));
      items += found.length;
      left -= found.length + 1;
      if (items < ITEMS_AT_ONCE && folders.length < FOLDERS_AT_ONCE) continue;
      handOver(folders);
      folders = [];
      items = 0;
    }
    if (folders.length > 0) handOver(folders);
  } finally {
    access.close();
  }
}

interface Listed {
  readonly status: FileStatus;
  readonly found: (readonly [name: string, status: FileStatus])[];
}

function listOne(
  access: FolderAccess,
  path: string,
  { root, caseSensitive, executableBit }: Pick<ListAheadJob, 'root' | 'caseSensitive' | 'executableBit'>,
): Listed | null {
  access.forgetChecks();
  try {
    const folder = access.hold(path === '' ? [] : path.split('/'));
    try {
      const status = statusAt(`${folder.base}/.`, executableBit);
      if (status === null) return null;
      const found: [string, FileStatus][] = [];
      // A status says of which object it is, whatever way led there; by its path the system finds it sooner.
      const base = path === '' ? root : `${root}/${path}`;
      for (const name of readdirSync(folder.base)) {
        // Perhaps no UTF-8.
        if (name.includes('\ufffd')) return null;
        if (path === '' && isPrivateName(name, caseSensitive)) continue;
        const item = statusAt(`${base}/${name}`, executableBit);
        if (item === null) return null;
        found.push([name, item]);
      }
      return { status, found };
    } finally {
      folder.release();
    }
  } catch {
    // Whoever asks for it lists it again, and meets what was met here.
    return null;
  }
}

if (parentPort !== null && workerData?.task === 'list-ahead') {
  const port = parentPort;
  const job = workerData as ListAheadJob;
  waitAtGate(job.gate);
  listAll(job, (folders) =>
    port.postMessage(
      folders,
      folders.map(({ items }) => items.buffer),
    ),
  );
}
