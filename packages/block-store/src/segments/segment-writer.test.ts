import { createSystemEnvironment, silentLog } from '@cairn/environment';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { makeBlock } from '../testing/blocks.ts';
import { makeStoreDirectory, removeStoreDirectory } from '../testing/segment-store.ts';
import { openIndexFile } from './index-file.ts';
import { nodeSegmentFiles } from './segment-files.ts';
import { createSegmentWriter, type SegmentWriter } from './segment-writer.ts';

let directory: string;
let index: Awaited<ReturnType<typeof openIndexFile>>['index'];
let writer: SegmentWriter;
let stoppedBy: unknown[];
let flushes: (() => void)[];

/** A writer whose later flushes of the index do what the test says. */
beforeEach(async () => {
  directory = await makeStoreDirectory();
  const environment = createSystemEnvironment(silentLog);
  const place = { directory, segmentsDirectory: directory, files: nodeSegmentFiles, environment };
  const opened = await openIndexFile(place);
  index = opened.index;
  stoppedBy = [];
  flushes = [];
  writer = createSegmentWriter({
    ...place,
    index: { ...index, flush: () => flushes.shift()?.() },
    storeUuid: opened.storeUuid,
    keyId: null,
    maxSegmentBytes: 1024 * 1024,
    reserve: { ensure: async () => true, release: async () => true },
    current: null,
    nextNumber: 1,
    stopWriting: (error) => stoppedBy.push(error),
    onDiskBytes: () => undefined,
  });
  // The first is flushed with its index, the second follows it by less than a second.
  for (const seed of [1, 2]) await writer.commit([{ ...makeBlock(seed, 100), generation: 1 }]);
});
afterEach(async () => {
  await writer.close();
  index.close();
  await removeStoreDirectory(directory);
});

function databaseError(errcode: number): Error {
  return Object.assign(new Error('the disk said no'), { errcode });
}
const patiently = { timeout: 20_000, interval: 20 };

it('ends writing when the index that follows cannot be flushed', async () => {
  const error = databaseError(10);
  flushes = [
    () => {
      throw error;
    },
  ];
  await vi.waitFor(() => expect(stoppedBy).toEqual([error]), patiently);
});

it('flushes the index once there is room again', async () => {
  let isFlushed = false;
  flushes = [
    () => {
      throw databaseError(13);
    },
    () => {
      isFlushed = true;
    },
  ];
  await vi.waitFor(() => expect(isFlushed).toBe(true), patiently);
  expect(stoppedBy).toEqual([]);
});
