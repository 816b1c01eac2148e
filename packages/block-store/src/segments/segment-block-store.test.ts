import { describe, expect, it } from 'vitest';
import { describeBlockStore } from '../contract.ts';
import { makeBlock } from '../testing/blocks.ts';
import {
  damagePayload,
  makeStoreDirectory,
  openTestStore,
  removeStoreDirectory,
} from '../testing/segment-store.ts';
import { nodeSegmentFiles, type SegmentFiles } from './segment-files.ts';

for (const [name, settings] of [
  ['segments', {}],
  ['tiny segments', { maxSegmentBytes: 1500 }],
] as const) {
  describeBlockStore(name, async () => {
    const directory = await makeStoreDirectory();
    let store = await openTestStore(directory, settings);
    return {
      store,
      async reopen() {
        await store.close();
        store = await openTestStore(directory, settings);
        return store;
      },
      damage: (blockId) => damagePayload(directory, blockId),
      async dispose() {
        await store.close();
        await removeStoreDirectory(directory);
      },
    };
  });
}

describe('segment block store', () => {
  it('gives many blocks in any order, and reads few times for neighbours', async () => {
    const directory = await makeStoreDirectory();
    let reads = 0;
    const files: SegmentFiles = {
      ...nodeSegmentFiles,
      async open(path, mode) {
        const file = await nodeSegmentFiles.open(path, mode);
        const read: typeof file.read = (into, position) => {
          if (mode === 'read') reads++;
          return file.read(into, position);
        };
        return { ...file, read };
      },
    };
    const store = await openTestStore(directory, { files, maxSegmentBytes: 1024 * 1024 });
    const blocks = Array.from({ length: 1500 }, (_, seed) => makeBlock(seed, (seed * 37) % 3000));
    await store.put(blocks);
    const absent = makeBlock(99_999, 10);
    // Each seventh is asked for twice, each eleventh place is one that the store does not have.
    const asked = blocks.flatMap((_, index) => {
      const block = blocks[(index * 797) % blocks.length] as (typeof blocks)[number];
      return index % 7 === 0 ? [block, block] : index % 11 === 0 ? [block, absent] : [block];
    });
    reads = 0;
    let position = 0;
    for await (const got of store.getMany(asked.map(({ blockId }) => blockId))) {
      const wanted = asked[position++];
      expect(got).toEqual(wanted === absent ? null : wanted);
      // What is handed out holds at most the run that it was read with.
      if (got !== null) expect(got.payload.buffer.byteLength).toBeLessThanOrEqual(1024 * 1024);
    }
    expect(position).toBe(asked.length);
    expect(reads).toBeLessThan(asked.length / 10);
    await store.close();
    await removeStoreDirectory(directory);
  });

  it('leaves no file open when it is closed under a reader', async () => {
    const directory = await makeStoreDirectory();
    let open = 0;
    const files: SegmentFiles = {
      ...nodeSegmentFiles,
      async open(path, mode) {
        const file = await nodeSegmentFiles.open(path, mode);
        open++;
        return {
          ...file,
          async close() {
            open--;
            await file.close();
          },
        };
      },
    };
    const store = await openTestStore(directory, { maxSegmentBytes: 1500, files });
    const blocks = Array.from({ length: 60 }, (_, seed) => makeBlock(seed, 1000));
    await store.put(blocks);
    // More reads than are done at once: most of them wait for their turn when the store closes.
    const reading = store.getMany(blocks.map((block) => block.blockId))[Symbol.asyncIterator]();
    await reading.next();
    await store.close();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(open).toBe(0);
    await removeStoreDirectory(directory);
  });

  it('refuses a second store on the same folder in one process', async () => {
    const directory = await makeStoreDirectory();
    const store = await openTestStore(directory);
    await expect(openTestStore(directory)).rejects.toMatchObject({ code: 'already-running' });
    await store.close();
    await (await openTestStore(directory)).close();
    await removeStoreDirectory(directory);
  });
});
