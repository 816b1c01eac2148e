import { Buffer } from 'node:buffer';
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createZstdContexts } from './zstd-contexts.ts';

const level1 = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };
const text = (length: number) => Buffer.alloc(length, 'what is said twice is said well, ');

describe('contexts that are used again', () => {
  it('make the frames of the public functions and open them, whatever was before', () => {
    const zstd = createZstdContexts();
    const bytes = fc
      .tuple(fc.uint8Array({ minLength: 1, maxLength: 300 }), fc.integer({ min: 1, max: 1500 }))
      .map(([part, times]) => Buffer.concat(Array.from({ length: times }, () => part)));
    fc.assert(
      fc.property(bytes, fc.nat(), (plain, place) => {
        const frame = zstd.compress(plain);
        expect(Buffer.compare(frame, zstdCompressSync(plain, level1))).toBe(0);
        const broken = Uint8Array.from(frame);
        broken[place % broken.length] = (broken[place % broken.length] as number) ^ 0x55;
        try {
          zstd.decompress(broken, plain.length);
        } catch {
          // Damage may be seen or not, here as there: the hash of the bytes decides.
        }
        expect(Buffer.compare(zstd.decompress(frame, plain.length), plain)).toBe(0);
      }),
      { numRuns: 60 },
    );
  });

  it('give memory of its own', () => {
    const zstd = createZstdContexts();
    const frames = [500, 600].map((length) => zstd.compress(text(length)));
    const [first, second] = frames.map((frame, index) => zstd.decompress(frame, 500 + index * 100));
    expect(Buffer.compare(first as Uint8Array, text(500))).toBe(0);
    expect(Buffer.compare(second as Uint8Array, text(600))).toBe(0);
    expect(Buffer.compare(zstdDecompressSync(frames[0] as Uint8Array), text(500))).toBe(0);
  });

  it('make the same frame in memory that is given, or elsewhere where that has no room', () => {
    const zstd = createZstdContexts();
    const plain = fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 3000 }),
      fc.integer({ min: 1, max: 400_000 }).map(text),
    );
    fc.assert(
      fc.property(plain, fc.integer({ min: -2, max: 40 }), (bytes, room) => {
        const into = new Uint8Array(Math.max(0, bytes.length + room));
        const frame = zstd.compress(bytes, into);
        const expected = zstdCompressSync(bytes, level1);
        expect(Buffer.compare(frame, expected)).toBe(0);
        expect(frame.buffer === into.buffer).toBe(room >= 0 && expected.length < into.length);
      }),
      {
        numRuns: 60,
        examples: [
          [text(1000), 0],
          [text(1000), -1],
        ],
      },
    );
  });

  it('refuse frames of more bytes than are claimed, and frames that are cut off', () => {
    const zstd = createZstdContexts();
    for (const [plainBytes, claimed] of [
      [501, 500],
      [1_000_000, 500],
      [1_000_000, 200_000],
    ] as const) {
      const frame = zstdCompressSync(text(plainBytes), level1);
      expect(() => zstd.decompress(frame, claimed)).toThrow();
    }
    const frame = zstd.compress(text(5000));
    let opened = 0;
    try {
      opened = zstd.decompress(frame.subarray(0, frame.length - 8), 5000).length;
    } catch {
      // As the public function does it.
    }
    expect(opened).toBeLessThan(5000);
    expect(Buffer.compare(zstd.decompress(frame, 5000), text(5000))).toBe(0);
  });
});
