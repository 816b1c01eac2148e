import { describe, expect, it } from 'vitest';
import { describeBlockStore } from '../contract.ts';
import { makeBlock } from '../testing/blocks.ts';
import { createMemoryBlockStore } from './memory-block-store.ts';

describeBlockStore('memory', async () => {
  const store = createMemoryBlockStore();
  return {
    store,
    reopen: null,
    damage: async (blockId) => store.damage(blockId),
    dispose: () => store.close(),
  };
});

describe('memory block store', () => {
  it('is full at its capacity, stores nothing of the call, and has room after a delete', async () => {
    const store = createMemoryBlockStore({ capacityBytes: 100 });
    const [location] = await store.put([makeBlock(1, 80)]);
    await expect(store.put([makeBlock(2, 10), makeBlock(3, 11)])).rejects.toMatchObject({
      code: 'storage-full',
    });
    expect(await store.has([makeBlock(2, 10).blockId])).toEqual([false]);
    await store.delete(location as NonNullable<typeof location>);
    await store.put([makeBlock(2, 10), makeBlock(3, 11)]);
  });
});
