import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addressKey, callerAddress, isLoopback } from '../foundation/addresses.ts';
import { matchesTag, parseRange } from './byte-range.ts';
import { attachment } from './content-disposition.ts';

describe('ranges', () => {
  it('are read as RFC 9110 says', () => {
    expect(parseRange(undefined, 10)).toBeNull();
    expect(parseRange('bytes=0-0', 10)).toEqual({ start: 0, end: 1 });
    expect(parseRange('bytes=3-', 10)).toEqual({ start: 3, end: 10 });
    expect(parseRange('bytes=-4', 10)).toEqual({ start: 6, end: 10 });
    expect(parseRange('bytes=-40', 10)).toEqual({ start: 0, end: 10 });
    expect(parseRange('bytes=5-400', 10)).toEqual({ start: 5, end: 10 });
    for (const odd of ['bytes=-', 'bytes=5-2', 'items=0-1', 'bytes=0-1,3-4', 'bytes=a-b', 'bytes 0-1', '']) {
      expect(parseRange(odd, 10)).toBeNull();
    }
    for (const outside of ['bytes=10-', 'bytes=10-12', 'bytes=-0']) {
      expect(() => parseRange(outside, 10)).toThrow(expect.objectContaining({ code: 'range-wrong' }));
    }
    expect(() => parseRange('bytes=0-', 0)).toThrow(expect.objectContaining({ code: 'range-wrong' }));
  });

  it('never leave the file, whatever the header', () => {
    fc.assert(
      fc.property(fc.string(), fc.nat(1000), fc.nat(1000), fc.nat(1000), (noise, size, one, other) => {
        for (const header of [noise, `bytes=${one}-${other}`, `bytes=-${one}`, `bytes=${one}-`]) {
          let range = null;
          try {
            range = parseRange(header, size);
          } catch (error) {
            expect(error).toMatchObject({ code: 'range-wrong' });
          }
          if (range === null) continue;
          expect(range.start).toBeLessThan(range.end);
          expect(range.end).toBeLessThanOrEqual(size);
        }
      }),
    );
  });

  it('know their tags', () => {
    expect(matchesTag('"a", W/"b"', '"b"')).toBe(true);
    expect(matchesTag('*', '"b"')).toBe(true);
    expect(matchesTag('"ab"', '"b"')).toBe(false);
  });
});

describe('the name to save under', () => {
  it('cannot break out of its header, and comes back from its encoded form', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (name) => {
        const header = attachment(name);
        expect(header).toMatch(
          /^attachment; filename="[ !#$&-~]*"; filename\*=UTF-8''[A-Za-z0-9!#$&+.^_`|~%-]*$/,
        );
        expect(decodeURIComponent(header.split("UTF-8''")[1] as string)).toBe(name.toWellFormed());
      }),
    );
    expect(attachment('a"; x=\r\nb é.txt')).toBe(
      'attachment; filename="a_; x=__b _.txt"; filename*=UTF-8\'\'a%22%3B%20x%3D%0D%0Ab%20%C3%A9.txt',
    );
  });
});

describe('addresses', () => {
  it('are counted by household, and not on loopback', () => {
    expect(addressKey('2001:db8:1:2:3:4:5:6')).toBe(addressKey('2001:db8:1:2::9'));
    expect(addressKey('2001:db8:1:2::1')).not.toBe(addressKey('2001:db8:1:3::1'));
    expect(addressKey('::ffff:192.0.2.1')).toBe('192.0.2.1');
    for (const own of ['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1']) {
      expect(isLoopback(own)).toBe(true);
      expect(callerAddress(own)).toBeNull();
    }
    expect(isLoopback('1127.0.0.1')).toBe(false);
    expect(callerAddress('192.0.2.1')).toBe('192.0.2.1');
  });
});
