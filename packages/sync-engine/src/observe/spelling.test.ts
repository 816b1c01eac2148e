import { createSimulatedEnvironment } from '@cairn/environment';
import { createMemoryFilesystem } from '@cairn/filesystem';
import { createId, type EntryId } from '@cairn/model';
import { createMemoryTreeStore } from '@cairn/tree-store';
import { expect, test } from 'vitest';
import { LocalTree } from '../local-tree.ts';
import { noteRoot } from '../root-marker.ts';
import { Selection } from '../selection.ts';
import { createScanner } from './scan.ts';

test('on a disk that folds names, what was made right before a folder above it was renamed in case is seen once', async () => {
  const environment = createSimulatedEnvironment({ seed: 1 });
  const { filesystem, user } = createMemoryFilesystem({
    environment,
    capabilities: { caseSensitive: false, unicodeSensitive: false },
  });
  const rootId = createId<EntryId>(environment.random.bytes(16));
  const trees = createMemoryTreeStore(rootId);
  await noteRoot({ filesystem, trees }, rootId);
  const local = new LocalTree(trees.local, rootId);
  const scanner = createScanner({
    filesystem,
    local,
    environment,
    selection: new Selection(trees, rootId),
    isHeld: () => false,
    leaveAlone: () => undefined,
    folderMoved: () => undefined,
    takeLateHints: async () => new Set(),
  });
  for (const path of ['Old', 'Old/inner', 'Old/inner/deep']) user.makeFolder(path);
  await scanner.scan({ paths: [''], recursive: true });

  user.makeFolder('Old/inner/deep/new');
  user.rename('Old', 'OLD');
  // As they are hinted at: below the old spelling, nobody said anything of the folder between.
  await scanner.scan({ paths: ['Old/inner/deep', ''], recursive: false });
  const paths = [...local.sketches()].map(({ entryId }) => local.path(entryId)).sort();
  expect(paths).toEqual(['', 'OLD', 'OLD/inner', 'OLD/inner/deep', 'OLD/inner/deep/new']);
});
