import { describe, expect, it } from 'vitest';
import { describeBlockStore } from '../contract.ts';
import {
  damagePayload,
  makeStoreDirectory,
  openTestStore,
  removeStoreDirectory,
} from '../testing/segment-store.ts';

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
  it('refuses a second store on the same folder in one process', async () => {
    const directory = await makeStoreDirectory();
    const store = await openTestStore(directory);
    await expect(openTestStore(directory)).rejects.toMatchObject({ code: 'already-running' });
    await store.close();
    await (await openTestStore(directory)).close();
    await removeStoreDirectory(directory);
  });
});
