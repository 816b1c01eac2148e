import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { cutContent } from '../cut-content.ts';
import { createNodePlatform } from '../node/node-platform.ts';
import type { PlainBlock } from '../plain-block.ts';
import { createByteSource, makeBytes } from '../testing/byte-source.ts';
import { createBrowserPlatform } from './browser-platform.ts';
import { sha256 } from './sha256.ts';

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

test('names what every SHA-256 names', () => {
  expect(text(sha256(new TextEncoder().encode('abc')))).toBe(
    'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  );
  for (const size of [...Array.from({ length: 200 }, (_, index) => index), 1000, 4096, 335_881]) {
    const bytes = makeBytes(size + 1, size);
    expect(text(sha256(bytes)), `${size} bytes`).toBe(createHash('sha256').update(bytes).digest('hex'));
  }
  // A view that does not begin where its memory does.
  const bytes = makeBytes(7, 300);
  expect(text(sha256(bytes.subarray(3, 200)))).toBe(
    createHash('sha256').update(bytes.subarray(3, 200)).digest('hex'),
  );
});

test('a browser cuts every content as all others do', async () => {
  for (const [size, profile] of [
    [0, 't32-64k'],
    [1, 't32-64k'],
    [40_000_000, 't32-64k'],
    [9_000_000, 't32-256k'],
    [9_000_000, 't32-1m'],
  ] as const) {
    const bytes = makeBytes(3, size);
    const cuts = [];
    for (const platform of [createNodePlatform(), createBrowserPlatform()]) {
      const emitted: string[] = [];
      const emit = async ({ blockId, kind, plain }: PlainBlock) => {
        await null;
        emitted.push(`${blockId} ${kind} ${text(createHash('sha256').update(plain).digest())}`);
      };
      cuts.push([await cutContent(platform, createByteSource(bytes, 700_001), { profile, emit }), emitted]);
    }
    expect(cuts[0]).toEqual(cuts[1]);
  }
});
