import { describe, expect, test } from 'vitest';
import { findMoments, fromInputValue, momentBefore, toInputValue } from './moments.ts';

const change = (committedAt: number, deviceName = 'laptop') => ({ committedAt, deviceName });

describe('moments', () => {
  test('runs of changes become one moment at their end, oldest first', () => {
    const moments = findMoments([change(500_000), change(100_500), change(100_000, 'phone'), change(50_000)]);
    expect(moments).toEqual([
      { at: 100_500, firstAt: 50_000, changes: 3, deviceNames: ['laptop', 'phone'] },
      { at: 500_000, firstAt: 500_000, changes: 1, deviceNames: ['laptop'] },
    ]);
  });

  test('finds the last moment that is not after an instant', () => {
    const moments = findMoments([change(3_000_000), change(2_000_000), change(1_000_000)]);
    expect([999_999, 1_000_000, 2_500_000, 9_000_000].map((at) => momentBefore(moments, at))).toEqual([
      -1, 0, 1, 2,
    ]);
    expect(momentBefore([], 1)).toBe(-1);
  });

  test('input values go there and back, to the end of what was chosen', () => {
    const at = new Date(2026, 10, 20, 9, 5, 7).getTime();
    expect(toInputValue(at)).toBe('2026-11-20T09:05:07');
    expect(fromInputValue('2026-11-20T09:05:07')).toBe(at + 999);
    expect(fromInputValue('2026-11-20T09:05')).toBe(new Date(2026, 10, 20, 9, 5, 59, 999).getTime());
    expect(fromInputValue('')).toBeNull();
    expect(fromInputValue('yesterday')).toBeNull();
  });
});
