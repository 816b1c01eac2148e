import { isCairnError } from '@cairn/model';
import { describe, expect, it } from 'vitest';
import { createTurns } from './turns.ts';

describe('turns', () => {
  it('lets so many run, so many wait in order, and sends the rest away', async () => {
    const turns = createTurns({ places: 2, maxWaiting: 3 });
    const gate = Promise.withResolvers<void>();
    const started: number[] = [];
    const all = [0, 1, 2, 3, 4].map((number) =>
      turns.take(async () => {
        started.push(number);
        await gate.promise;
      }),
    );
    await expect(turns.take(async () => undefined)).rejects.toSatisfy((error) =>
      isCairnError(error, 'unavailable'),
    );
    expect(started).toEqual([0, 1]);
    const drained = turns.drain();
    gate.resolve();
    await Promise.all(all);
    await drained;
    expect(started).toEqual([0, 1, 2, 3, 4]);
    expect(await turns.take(async () => 'free again')).toBe('free again');
  });

  it('passes the place on when the work fails', async () => {
    const turns = createTurns({ places: 1, maxWaiting: 1 });
    const failing = turns.take(async () => {
      throw new Error('no');
    });
    const next = turns.take(async () => 'yes');
    await expect(failing).rejects.toThrow('no');
    expect(await next).toBe('yes');
  });
});
