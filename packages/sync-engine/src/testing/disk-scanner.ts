import type { Environment } from '@cairn/environment';
import type { Filesystem } from '@cairn/filesystem';
import { createId, type EntryId } from '@cairn/model';
import { createMemoryTreeStore } from '@cairn/tree-store';
import { LocalTree } from '../local-tree.ts';
import { createScanner, type Scanner } from '../observe/scan.ts';
import { noteRoot } from '../root-marker.ts';
import { Selection } from '../selection.ts';

/** A disk and what is known of it, without an engine: only scans change that. */
export interface ScannedDisk {
  readonly local: LocalTree;
  /** The scanner of a process that just started. */
  createScanner(filesystem: Filesystem): Scanner;
}

/** For tests: nothing is known of the disk yet but its root. */
export async function openScannedDisk(
  filesystem: Filesystem,
  environment: Environment,
): Promise<ScannedDisk> {
  const rootId = createId<EntryId>(environment.random.bytes(16));
  const trees = createMemoryTreeStore(rootId);
  await noteRoot({ filesystem, trees }, rootId);
  const local = new LocalTree(trees.local, rootId);
  return {
    local,
    createScanner: (opened) =>
      createScanner({
        filesystem: opened,
        local,
        environment,
        selection: new Selection(trees, rootId),
        isHeld: () => false,
        leaveAlone: () => undefined,
        folderMoved: () => undefined,
        takeLateHints: async () => new Set(),
      }),
  };
}
