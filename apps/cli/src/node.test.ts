import { describe, expect, it } from 'vitest';
import { parseCapacity } from './node.ts';

describe('the capacity of a node', () => {
  it('is a number with a unit', () => {
    expect(parseCapacity('500GiB')).toBe(500 * 2 ** 30);
    expect(parseCapacity('1.5 TB')).toBe(1.5e12);
    expect(parseCapacity('1000000')).toBe(1_000_000);
  });

  it.each(['', '0', '0GiB', '-1GiB', '5 gigs', '1e9', '99999999TiB', 'GiB', '1..5GB'])(
    'is not "%s"',
    (text) => {
      expect(() => parseCapacity(text)).toThrow(expect.objectContaining({ code: 'usage' }));
    },
  );
});
