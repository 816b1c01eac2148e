import type { FileStatus, ListedFolder, ListingAhead } from '../filesystem.ts';
import { packFolder, unpackFolder } from '../listed-folder.ts';
import { isPrivateName } from '../paths.ts';
import type { MemoryDisk, MemoryFolder } from './memory-disk.ts';

/**
 * Everything as it is now: what is told of it is as old as it can be.
 * @param canList whether the folder at the path can be listed
 */
export function listMemoryAhead(
  disk: MemoryDisk,
  now: () => number,
  canList: (path: string) => boolean,
): ListingAhead {
  const listed = new Map<string, ListedFolder>();
  let startedAtMs = now();

  function begin(): void {
    startedAtMs = now();
    const open: [path: string, folder: MemoryFolder][] = [['', disk.root]];
    for (const [path, folder] of open) {
      if (!canList(path)) continue;
      const found: [string, FileStatus][] = [];
      for (const { name, node } of folder.items.values()) {
        if (path === '' && isPrivateName(name, disk.capabilities.caseSensitive)) continue;
        found.push([name, disk.statusOf(node)]);
        if (node.kind === 'folder') open.push([path === '' ? name : `${path}/${name}`, node]);
      }
      listed.set(path, unpackFolder(packFolder(path, disk.statusOf(folder), found)));
    }
  }

  return {
    get startedAtMs() {
      return startedAtMs;
    },
    begin,
    async take(path) {
      const folder = listed.get(path) ?? null;
      listed.delete(path);
      return folder;
    },
    close: () => listed.clear(),
  };
}
