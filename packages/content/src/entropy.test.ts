import { describe, expect, it } from 'vitest';
import { estimateEntropy } from './entropy.ts';
import { makeBytes } from './testing/byte-source.ts';

describe('estimateEntropy', () => {
  it('tells incompressible bytes from others, in bits per byte', () => {
    expect(estimateEntropy(makeBytes(1, 100_000))).toBeGreaterThan(7.9);
    expect(estimateEntropy(makeBytes(1, 5_000))).toBeGreaterThan(7.9);
    expect(estimateEntropy(makeBytes(1, 100_000, 64))).toBeCloseTo(6, 1);
    expect(estimateEntropy(new Uint8Array(100_000))).toBe(0);
    expect(estimateEntropy(new Uint8Array(0))).toBe(0);
  });

  it('samples the beginning, the middle and the end', () => {
    const bytes = makeBytes(1, 100_000);
    for (const from of [0, 32_000, 65_000, 98_000]) {
      const holed = bytes.slice().fill(0, from, from + 2_000);
      expect(estimateEntropy(holed)).toBeLessThan(estimateEntropy(bytes) - 0.5);
    }
  });
});
