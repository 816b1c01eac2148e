import type { Environment } from '@cairn/environment';
import { expect, it } from 'vitest';
import { Retries } from './retries.ts';

it('wakes the loop for what became due while it finished the cycle in which that had to wait', () => {
  let now = 1000;
  const clock = { now: () => now, monotonicMs: () => now };
  const retries = new Retries({ clock, random: { fraction: () => 0.5 } } as unknown as Environment);
  retries.noteDecision();
  expect(retries.mayExecute('the same')).toBe(true);
  now += 5000;
  retries.noteDecision();
  expect(retries.mayExecute('the same')).toBe(false);
  // A slow flush before the loop sleeps.
  now += 3000;
  expect(retries.nextDueMs()).toBe(0);
  retries.noteDecision();
  expect(retries.mayExecute('the same')).toBe(true);
  now += 60_000;
  retries.noteDecision();
  expect(retries.nextDueMs()).toBeNull();
});
