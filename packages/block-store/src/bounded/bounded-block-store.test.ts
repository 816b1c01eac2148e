import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BlockStore } from '../block-store.ts';
import { describeBlockStore } from '../contract.ts';
import { createMemoryBlockStore } from '../memory/memory-block-store.ts';
import { makeBlock } from '../testing/blocks.ts';
import {
  damagePayload,
  makeStoreDirectory,
  openTestStore,
  removeStoreDirectory,
} from '../testing/segment-store.ts';
import { createBoundedBlockStore } from './bounded-block-store.ts';

const MEBIBYTE = 1024 * 1024;
const FULL = { code: 'storage-full' };

describeBlockStore('bounded, with room', async () => {
  const inner = createMemoryBlockStore();
  return {
    store: createBoundedBlockStore(inner, { capacityBytes: 100 * MEBIBYTE, refusal: () => null }),
    reopen: null,
    damage: async (blockId) => inner.damage(blockId),
    dispose: () => inner.close(),
  };
});

describe('a bounded block store on disk', () => {
  let directory: string;
  let store: BlockStore;
  let refusal: string | null;

  beforeEach(async () => {
    directory = await makeStoreDirectory();
    refusal = null;
    const inner = await openTestStore(directory, { maxSegmentBytes: MEBIBYTE / 4 });
    store = createBoundedBlockStore(inner, { capacityBytes: MEBIBYTE, refusal: () => refusal });
  });
  afterEach(async () => {
    await store.close();
    await removeStoreDirectory(directory);
  });

  /** Puts until it is full; returns what was taken. */
  async function fill(): Promise<number> {
    for (let number = 1; ; number++) {
      try {
        await store.put([makeBlock(number, 50_000)]);
      } catch (error) {
        expect(error).toMatchObject(FULL);
        return number - 1;
      }
    }
  }

  it('is full at its capacity, on disk, and says so before the last byte', async () => {
    await store.checkHealth();
    const taken = await fill();
    expect(taken).toBe(20);
    expect((await store.usage()).diskBytes).toBeLessThanOrEqual(MEBIBYTE);
    await expect(store.checkHealth()).rejects.toMatchObject(FULL);
    // What is there is read, and putting it again takes no room.
    expect(await store.get(makeBlock(3, 50_000).blockId)).not.toBeNull();
    await store.put([makeBlock(3, 50_000)]);
    // Nothing of a call that does not fit is stored.
    await expect(store.put([makeBlock(3, 50_000), makeBlock(91, 10), makeBlock(92, 90_000)])).rejects.toEqual(
      expect.objectContaining(FULL),
    );
    expect(await store.has([makeBlock(91, 10).blockId])).toEqual([false]);
  });

  it('does not take two at a time for which there is room for one', async () => {
    for (let number = 1; number <= 19; number++) await store.put([makeBlock(number, 50_000)]);
    const results = await Promise.allSettled(
      [100, 101, 102].map((each) => store.put([makeBlock(each, 50_000)])),
    );
    expect(results.filter(({ status }) => status === 'fulfilled').length).toBeLessThanOrEqual(1);
    expect((await store.usage()).diskBytes).toBeLessThanOrEqual(MEBIBYTE);
  });

  it('takes new blocks again once a compaction gave back what deleted ones had', async () => {
    const taken = await fill();
    for (let number = 1; number <= taken / 2; number++) {
      const [location] = await store.locate([makeBlock(number, 50_000).blockId]);
      expect(await store.delete(location as NonNullable<typeof location>)).toBe(true);
    }
    await expect(store.put([makeBlock(99, 50_000)])).rejects.toMatchObject(FULL);
    await store.compact();
    await store.put([makeBlock(99, 50_000)]);
    await store.checkHealth();
  });

  it('has room for a damaged block that comes again, and none while it is told to refuse', async () => {
    const block = makeBlock(1, 50_000);
    await store.put([block]);
    await damagePayload(directory, block.blockId);
    await expect(store.get(block.blockId)).rejects.toMatchObject({ code: 'data-damaged' });
    refusal = 'somebody wants to see it full';
    await expect(store.put([block])).rejects.toMatchObject(FULL);
    await expect(store.checkHealth()).rejects.toMatchObject({
      ...FULL,
      message: expect.stringContaining('see it'),
    });
    refusal = null;
    await store.put([block]);
    expect(await store.get(block.blockId)).toMatchObject({ plainBytes: 50_000 });
  });
});
