import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { partName, writeSmallFiles } from '../../world/small-files.ts';
import { countCarried, describeCount, exists, sumBytes } from './folders.ts';
import type { Group, Session } from './group.ts';

export const smallFiles: Group = {
  name: 'small',
  floorStep: 'small',
  countFiles: ({ smallFiles: count }) => count,
  describe(step, { smallFiles: count, smallFolders }) {
    switch (step) {
      case 'rename':
        return `rename of the folder of ${describeCount(count)}`;
      case 'delete':
        return `delete of one of the folders that hold the ${describeCount(count)}`;
      default:
        return `${describeCount(count)} small files (1–32 KiB, ${describeCount(smallFolders)} folders)`;
    }
  },
  write(folder, { smallFiles: count, smallFolders, seed }, mostFiles) {
    const perFolder = Math.ceil(count / smallFolders);
    const some = Math.min(count, mostFiles);
    writeSmallFiles(folder, some, Math.ceil(some / perFolder), seed);
  },
  async run({ peer, options, stage, source, scale, wants, measure }: Session) {
    const inA = (name: string) => join(peer.folderA, name);
    const inB = (name: string) => join(peer.folderB, name);
    const items = countCarried(peer, source);
    const dataBytes = sumBytes(source);
    await measure('small', {
      dataBytes,
      scale,
      ...(scale === 1 ? {} : { note: `reckoned from ${Math.round(options.smallFiles / scale)} files` }),
      act: () => renameSync(source, inA('small')),
      hasArrived: () => exists(inB('small')) && countCarried(peer, inB('small')) === items,
    });
    if (!wants('rename') && !wants('delete')) return;

    await measure('rename', {
      dataBytes,
      act: () => renameSync(inA('small'), inA('renamed')),
      hasArrived: () =>
        exists(inB('renamed')) && !exists(inB('small')) && countCarried(peer, inB('renamed')) === items,
    });
    if (!wants('delete')) return;

    const part = `renamed/${partName(0)}`;
    await measure('delete', {
      dataBytes: sumBytes(inA(part)),
      act: () => renameSync(inA(part), join(stage, 'deleted')),
      hasArrived: () => !exists(inB(part)),
    });
  },
};
