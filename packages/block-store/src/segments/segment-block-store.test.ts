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
