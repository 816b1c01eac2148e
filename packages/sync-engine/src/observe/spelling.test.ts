import { createSimulatedEnvironment } from '@cairn/environment';
import { createMemoryFilesystem } from '@cairn/filesystem';
import { expect, test } from 'vitest';
import { openScannedDisk } from '../testing/disk-scanner.ts';

test('on a disk that folds names, what was made right before a folder above it was renamed in case is seen once', async () => {
  const environment = createSimulatedEnvironment({ seed: 1 });
  const { filesystem, user } = createMemoryFilesystem({
    environment,
    capabilities: { caseSensitive: false, unicodeSensitive: false },
  });
  const { local, createScanner } = await openScannedDisk(filesystem, environment);
  const scanner = createScanner(filesystem);
  for (const path of ['Old', 'Old/inner', 'Old/inner/deep']) user.makeFolder(path);
  await scanner.scan({ paths: [''], recursive: true });

  user.makeFolder('Old/inner/deep/new');
  user.rename('Old', 'OLD');
  // As they are hinted at: below the old spelling, nobody said anything of the folder between.
  await scanner.scan({ paths: ['Old/inner/deep', ''], recursive: false });
  const paths = [...local.sketches()].map(({ entryId }) => local.path(entryId)).sort();
  expect(paths).toEqual(['', 'OLD', 'OLD/inner', 'OLD/inner/deep', 'OLD/inner/deep/new']);
});
