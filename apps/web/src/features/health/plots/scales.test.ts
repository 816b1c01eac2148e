import { describe, expect, test } from 'vitest';
import { areaPath, barWidths, byteTicks, linearScale, linePath, timeTicks } from './scales.ts';

const GIB = 1024 ** 3;

describe('scales of plots', () => {
  test('a linear scale goes from its domain to its range', () => {
    const y = linearScale([0, 10], [100, 0]);
    expect([0, 5, 10].map(y)).toEqual([100, 50, 0]);
    expect(linearScale([3, 3], [0, 10])(3)).toBe(5);
  });

  test.each([
    [3, [0, 1, 2, 3]],
    [900, [0, 512, 1024]],
    [8 * GIB, [0, 2, 4, 6, 8].map((value) => value * GIB)],
    [1.7 * GIB, [0, 0.5, 1, 1.5, 2].map((value) => value * GIB)],
  ])('ticks up to %d bytes are round in the unit that people read', (max, ticks) => {
    expect(byteTicks(max)).toEqual(ticks);
  });

  test('ticks always reach the greatest value and stay few', () => {
    for (let max = 1; max < 1e16; max *= 1.7) {
      const ticks = byteTicks(max);
      expect(ticks.at(-1)).toBeGreaterThanOrEqual(max);
      expect(ticks.length).toBeLessThanOrEqual(7);
      expect(ticks.length).toBeGreaterThanOrEqual(2);
    }
    expect(byteTicks(0)).toEqual([0, 1]);
  });

  test('instants are spread evenly', () => {
    expect(timeTicks([0, 30], 4)).toEqual([0, 10, 20, 30]);
    expect(timeTicks([5, 5], 4)).toEqual([5]);
  });

  test('a line breaks where nothing was measured', () => {
    const x = linearScale([0, 10], [0, 100]);
    const y = linearScale([0, 1], [10, 0]);
    const samples = [0, 1, 8].map((at) => ({ at, value: 1 }));
    expect(linePath(samples, x, y, 2)).toBe('M0 0L10 0M80 0');
    expect(areaPath(samples, x, y)).toBe('M0 0L10 0L80 0L80 10L0 10Z');
    expect(areaPath([], x, y)).toBe('');
  });

  test('parts of a bar fill it, and small ones can be seen', () => {
    const widths = barWidths([1, 0, 99_999], 2);
    expect(widths).toEqual([2, 0, 98]);
    expect(barWidths([0, 0])).toEqual([0, 0]);
    expect(barWidths([1, 1])).toEqual([50, 50]);
    expect(barWidths([-5, 1])).toEqual([0, 100]);
  });
});
