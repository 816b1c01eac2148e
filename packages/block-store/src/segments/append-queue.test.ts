import { CairnError } from '@cairn/model';
import { describe, expect, it } from 'vitest';
import { createAppendQueue } from './append-queue.ts';

function makeQueue(commit: (items: readonly number[]) => Promise<void>) {
  const poisoned: unknown[] = [];
  const queue = createAppendQueue<number>({
    maxQueuedBytes: 100,
    maxGroupBytes: 50,
    commit,
    onPoisoned: (error) => poisoned.push(error),
  });
  return { queue, poisoned };
}

describe('append queue', () => {
  it('groups what waits, in order, one group at a time, within its bound', async () => {
    const groups: number[][] = [];
    let release: () => void = () => undefined;
    let atOnce = 0;
    const { queue } = makeQueue(async (items) => {
      expect(++atOnce).toBe(1);
      groups.push([...items]);
      await new Promise<void>((resolve) => {
        release = resolve;
      });
      atOnce--;
    });
    const done: number[] = [];
    const all = Array.from({ length: 12 }, (_, index) =>
      queue.append([index], 20).then(() => void done.push(index)),
    );
    while (done.length < 12) {
      await new Promise((resolve) => setImmediate(resolve));
      release();
    }
    await Promise.all(all);
    expect(groups.flat()).toEqual([...Array(12).keys()]);
    expect(groups.every((group) => group.length <= 2)).toBe(true);
    expect(done).toEqual([...Array(12).keys()]);
  });

  it('makes callers wait at its bound, and lets a batch larger than it through alone', async () => {
    let committed = 0;
    const gate = Promise.withResolvers<void>();
    const { queue } = makeQueue(async (items) => {
      await gate.promise;
      committed += items.length;
    });
    const all = [queue.append([1], 500), queue.append([2], 10), queue.append([3], 500)];
    gate.resolve();
    await Promise.all(all);
    expect(committed).toBe(3);
  });

  it('fails only what does not fit when the disk is full, and everything for ever after any other error', async () => {
    const { queue, poisoned } = makeQueue(async (items) => {
      if (items.includes(1)) throw new CairnError('storage-full', 'full');
      if (items.includes(9)) throw new Error('broken');
    });
    const first = await Promise.allSettled([queue.append([1], 10), queue.append([2], 10)]);
    expect(first.map((each) => each.status)).toEqual(['rejected', 'fulfilled']);
    expect(queue.poison()).toBeNull();
    await expect(queue.append([9], 10)).rejects.toMatchObject({ code: 'unavailable' });
    await expect(queue.append([2], 10)).rejects.toMatchObject({ code: 'unavailable' });
    expect(poisoned).toHaveLength(1);
    expect(queue.poison()).toMatchObject({ code: 'unavailable' });
  });
});
