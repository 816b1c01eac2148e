import { zstdCompressSync } from 'node:zlib';
import type { BlockId } from '@cairn/model';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { blockIdOf, encodeBlock, openBlock } from './block-encoding.ts';
import { createNodePlatform } from './node/node-platform.ts';
import type { StoredBlock } from './stored-block.ts';
import { makeBytes } from './testing/byte-source.ts';

const platform = createNodePlatform();
const wrong = expect.objectContaining({ code: 'block-wrong' });

/** Opens, and checks that only the right bytes ever come out. Returns whether the block was refused. */
function isRefused(block: StoredBlock, plain: Uint8Array): boolean {
  let opened: Uint8Array;
  try {
    opened = openBlock(platform, block);
  } catch (error) {
    expect(error).toEqual(wrong);
    return true;
  }
  expect(Buffer.compare(opened, plain)).toBe(0);
  return false;
}

describe('blockIdOf', () => {
  it('is the algorithm byte and the SHA-256', () => {
    expect(blockIdOf(platform, 'chunk', new TextEncoder().encode('abc'))).toBe(
      '01ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    );
    expect(blockIdOf(platform, 'manifest', new TextEncoder().encode('abc'))).toBe(
      '02ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    );
  });
});

describe('encodeBlock and openBlock', () => {
  it('are inverse to each other', () => {
    fc.assert(
      fc.property(
        fc.integer(),
        fc.integer({ min: 1, max: 50_000 }),
        fc.integer({ min: 1, max: 256 }),
        (seed, size, alphabet) => {
          const plain = makeBytes(seed, size, alphabet);
          const block = encodeBlock(platform, 'chunk', plain);
          expect(block.payload.length).toBeLessThanOrEqual(plain.length);
          expect(Buffer.compare(openBlock(platform, block), plain)).toBe(0);
        },
      ),
    );
  });

  it('do not share memory with what was given, also when that is a Buffer', () => {
    for (const plain of [makeBytes(1, 1000), Buffer.from(makeBytes(1, 1000))]) {
      const block = encodeBlock(platform, 'chunk', plain);
      expect(block.codec).toBe('raw');
      plain.fill(0);
      expect(Buffer.compare(openBlock(platform, block), makeBytes(1, 1000))).toBe(0);
    }
  });

  it('compress what gains 5 % or more and nothing else', () => {
    expect(encodeBlock(platform, 'chunk', makeBytes(1, 100_000, 4)).codec).toBe('zstd');
    expect(encodeBlock(platform, 'chunk', new Uint8Array(3 * 1024 * 1024)).payload.length).toBeLessThan(1000);
    expect(encodeBlock(platform, 'chunk', makeBytes(1, 100_000)).codec).toBe('raw');
    expect(encodeBlock(platform, 'chunk', makeBytes(1, 100_000, 246)).codec).toBe('raw');
    expect(encodeBlock(platform, 'chunk', new Uint8Array(20)).codec).toBe('raw');
  });

  it('own their payload', () => {
    for (const alphabet of [4, 256]) {
      const plain = makeBytes(1, 10_000, alphabet);
      const copy = plain.slice();
      const block = encodeBlock(platform, 'chunk', plain);
      plain.fill(0);
      expect(block.payload.buffer.byteLength).toBe(block.payload.length);
      expect(Buffer.compare(openBlock(platform, block), copy)).toBe(0);
    }
  });

  it('refuse blocks of no or too many bytes', () => {
    expect(() => encodeBlock(platform, 'chunk', new Uint8Array(0))).toThrow(RangeError);
    expect(() => encodeBlock(platform, 'chunk', new Uint8Array(3 * 1024 * 1024 + 1))).toThrow(RangeError);
    const block = encodeBlock(platform, 'chunk', makeBytes(1, 100));
    for (const plainBytes of [0, -1, 0.5, Number.NaN, 3 * 1024 * 1024 + 1]) {
      expect(() => openBlock(platform, { ...block, plainBytes })).toThrow(wrong);
    }
  });

  it('detect every changed byte of a raw payload [S-5]', () => {
    const plain = makeBytes(3, 500);
    const block = encodeBlock(platform, 'chunk', plain);
    expect(block.codec).toBe('raw');
    for (let index = 0; index < block.payload.length; index++) {
      const payload = block.payload.slice();
      payload[index] = (payload[index] as number) ^ 0x10;
      expect(isRefused({ ...block, payload }, plain)).toBe(true);
    }
  });

  it('never give out wrong bytes for any changed bit, cut or addition of a compressed payload [S-5]', () => {
    const plain = makeBytes(3, 600, 8);
    const block = encodeBlock(platform, 'chunk', plain);
    expect(block.codec).toBe('zstd');
    let refused = 0;
    for (let bit = 0; bit < block.payload.length * 8; bit++) {
      const payload = block.payload.slice();
      payload[bit >>> 3] = (payload[bit >>> 3] as number) ^ (1 << (bit & 7));
      if (isRefused({ ...block, payload }, plain)) refused++;
    }
    // A frame has a few bits of no meaning; the bytes behind them are right all the same.
    expect(refused).toBeGreaterThan(block.payload.length * 8 - 16);
    for (let length = 0; length < block.payload.length; length++) {
      expect(isRefused({ ...block, payload: block.payload.slice(0, length) }, plain)).toBe(true);
    }
    const twice = Buffer.concat([block.payload, block.payload]);
    expect(isRefused({ ...block, payload: twice }, plain)).toBe(true);
  });

  it('detect a wrong kind, size, id, codec', () => {
    const plain = makeBytes(3, 600, 8);
    const block = encodeBlock(platform, 'chunk', plain);
    const other = blockIdOf(platform, 'chunk', new Uint8Array(1));
    const asManifest = blockIdOf(platform, 'manifest', plain);
    expect(isRefused({ ...block, kind: 'manifest' }, plain)).toBe(true);
    expect(isRefused({ ...block, blockId: asManifest }, plain)).toBe(true);
    expect(isRefused({ ...block, blockId: `03${block.blockId.slice(2)}` as BlockId }, plain)).toBe(true);
    expect(isRefused({ ...block, kind: 'manifest', blockId: asManifest }, plain)).toBe(false);
    expect(isRefused({ ...block, plainBytes: 599 }, plain)).toBe(true);
    expect(isRefused({ ...block, plainBytes: 601 }, plain)).toBe(true);
    expect(isRefused({ ...block, blockId: other }, plain)).toBe(true);
    expect(isRefused({ ...block, blockId: block.blockId.toUpperCase() as BlockId }, plain)).toBe(
      /[a-f]/.test(block.blockId),
    );
    expect(isRefused({ ...block, codec: 'raw' }, plain)).toBe(true);
    expect(isRefused({ ...block, codec: 'brotli' as 'raw' }, plain)).toBe(true);
  });

  it('refuse decompression bombs without making their bytes', () => {
    const bomb = zstdCompressSync(new Uint8Array(256 * 1024 * 1024));
    expect(bomb.length).toBeLessThan(32 * 1024);
    const block: StoredBlock = {
      ...encodeBlock(platform, 'chunk', new Uint8Array(1000)),
      payload: bomb,
    };
    const before = process.memoryUsage().arrayBuffers;
    expect(isRefused(block, new Uint8Array(1000))).toBe(true);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 * 1024 * 1024);
  });

  it('refuse frames that would need a huge window', () => {
    const plain = makeBytes(1, 1000);
    const block = encodeBlock(platform, 'chunk', plain);
    const frame = (windowLog: number): StoredBlock => ({
      ...block,
      codec: 'zstd',
      // magic, flags, window size, one last raw block of 1000 bytes
      payload: Buffer.concat([
        Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0, (windowLog - 10) << 3),
        Uint8Array.of(((1000 << 3) | 1) & 255, (1000 << 3) >> 8, 0),
        plain,
      ]),
    });
    expect(isRefused(frame(20), plain)).toBe(false);
    expect(isRefused(frame(27), plain)).toBe(true);
  });
});
