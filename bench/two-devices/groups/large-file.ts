import {
  appendFileSync,
  closeSync,
  copyFileSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { createByteStream, writeRandomFile } from '../../world/seeded-random.ts';
import { describeBytes, exists, sizeOf } from './folders.ts';
import type { Group, Session } from './group.ts';

const NAME = 'large.bin';
const OVERWRITTEN_BYTES = 4096;
const APPENDED_BYTES = 1024 ** 2;
const PIECE_BYTES = 4 * 1024 ** 2;

export const largeFile: Group = {
  name: 'large',
  floorStep: 'large',
  countFiles: () => 10,
  describe(step, { largeBytes }) {
    const size = describeBytes(largeBytes);
    switch (step) {
      case 'insert':
        return `1 byte inserted at the front of the file of ${size}`;
      case 'overwrite':
        return `4 KiB overwritten in the middle of the file of ${size}`;
      case 'append':
        return `1 MiB appended to the file of ${size}`;
      case 'copy':
        return `a copy of the file of ${size}`;
      default:
        return `a new file of ${size}, random bytes`;
    }
  },
  write(folder, { largeBytes, seed }) {
    mkdirSync(folder);
    writeRandomFile(join(folder, NAME), largeBytes, seed);
  },
  async run({ peer, stage, source, options, measure }: Session) {
    const inA = join(peer.folderA, NAME);
    const inB = join(peer.folderB, NAME);
    const next = createByteStream(`${options.seed} changes`);
    let sizeBytes = options.largeBytes;
    await measure('large', {
      dataBytes: sizeBytes,
      act: () => renameSync(join(source, NAME), inA),
      hasArrived: () => sizeOf(inB) === sizeBytes,
    });

    const inserted = join(stage, 'inserted');
    copyWithByteInFront(inA, inserted);
    sizeBytes++;
    // While it is open its blocks and memory are not given back, which takes part of a second that no program can save, and
    // where the host takes that memory the writing after it slows down.
    const older = openSync(inA, 'r');
    try {
      await measure('insert', {
        dataBytes: sizeBytes,
        act: () => renameSync(inserted, inA),
        hasArrived: () => sizeOf(inB) === sizeBytes,
      });
    } finally {
      closeSync(older);
    }

    const place = Math.floor(sizeBytes / 2);
    const overwritten = next(OVERWRITTEN_BYTES);
    await measure('overwrite', {
      dataBytes: OVERWRITTEN_BYTES,
      keepsSize: true,
      act: () => writeAt(inA, place, overwritten),
      hasArrived: () => readAt(inB, place, OVERWRITTEN_BYTES).equals(overwritten),
    });

    sizeBytes += APPENDED_BYTES;
    const appended = next(APPENDED_BYTES);
    await measure('append', {
      dataBytes: APPENDED_BYTES,
      act: () => appendFileSync(inA, appended),
      hasArrived: () => sizeOf(inB) === sizeBytes,
    });

    const copy = join(stage, 'copy');
    copyFileSync(inA, copy);
    await measure('copy', {
      dataBytes: sizeBytes,
      act: () => renameSync(copy, join(peer.folderA, 'copy.bin')),
      hasArrived: () => sizeOf(join(peer.folderB, 'copy.bin')) === sizeBytes,
    });
  },
};

function writeAt(path: string, offset: number, bytes: Buffer): void {
  const descriptor = openSync(path, 'r+');
  writeSync(descriptor, bytes, 0, bytes.length, offset);
  closeSync(descriptor);
}

function readAt(path: string, offset: number, length: number): Buffer {
  if (!exists(path)) return Buffer.alloc(0);
  const bytes = Buffer.alloc(length);
  const descriptor = openSync(path, 'r');
  const count = readSync(descriptor, bytes, 0, length, offset);
  closeSync(descriptor);
  return bytes.subarray(0, count);
}

function copyWithByteInFront(from: string, to: string): void {
  const piece = Buffer.allocUnsafe(PIECE_BYTES);
  const source = openSync(from, 'r');
  const target = openSync(to, 'wx');
  try {
    writeSync(target, '!');
    for (let count = readSync(source, piece); count > 0; count = readSync(source, piece))
      writeSync(target, piece, 0, count);
  } finally {
    closeSync(source);
    closeSync(target);
  }
}
