import { cpSync, mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { writeTextFile } from '../../world/text-file.ts';
import { countItems } from '../../world/trees.ts';
import { countCarried, describeBytes, describeCount, exists, sizeOf, sumBytes } from './folders.ts';
import type { Group } from './group.ts';

const NAME = 'text.log';

export const text: Group = {
  name: 'text',
  floorStep: 'text',
  countFiles: () => 10,
  describe: (_step, { textBytes }) => `${describeBytes(textBytes)} of text`,
  write(folder, { textBytes, seed }) {
    mkdirSync(folder);
    writeTextFile(join(folder, NAME), textBytes, seed);
  },
  run: ({ peer, source, options, measure }) =>
    measure('text', {
      dataBytes: options.textBytes,
      act: () => renameSync(join(source, NAME), join(peer.folderA, NAME)),
      hasArrived: () => sizeOf(join(peer.folderB, NAME)) === options.textBytes,
    }),
};

/** A folder that somebody has. */
export const existingFolder: Group = {
  name: 'folder',
  floorStep: 'folder',
  countFiles: ({ existingFolder: folder }) => (folder === null ? 0 : countItems(folder)),
  describe: (_step, options) => `a folder of ${describeCount(existingFolder.countFiles(options))} items`,
  write(folder, options) {
    if (options.existingFolder !== null)
      cpSync(options.existingFolder, folder, { recursive: true, verbatimSymlinks: true });
  },
  run({ peer, source, measure }) {
    const items = countCarried(peer, source);
    const inB = join(peer.folderB, 'folder');
    return measure('folder', {
      dataBytes: sumBytes(source),
      act: () => renameSync(source, join(peer.folderA, 'folder')),
      hasArrived: () => exists(inB) && countCarried(peer, inB) === items,
    });
  },
};
