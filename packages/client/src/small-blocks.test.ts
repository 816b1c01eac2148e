import { randomBytes } from 'node:crypto';
import { createNodePlatform, encodeBlock } from '@cairn/content';
import { encodePack } from '@cairn/protocol';
import { expect, it } from 'vitest';
import { createSmallBlocks } from './small-blocks.ts';

const platform = createNodePlatform();
const block = (plain: Uint8Array) => encodeBlock(platform, 'chunk', plain);
const pack = (...plains: Uint8Array[]) => Buffer.concat(encodePack(plains.map(block))).toString('base64');

it('hands out once what came along', () => {
  const small = createSmallBlocks(platform);
  const [one, text] = [randomBytes(100), Buffer.alloc(3000, 'the same again, ')];
  small.take(pack(one, text));
  expect(Buffer.compare(small.remove(block(text).blockId) as Uint8Array, text)).toBe(0);
  expect(small.remove(block(text).blockId)).toBeUndefined();
  expect(Buffer.compare(small.remove(block(one).blockId) as Uint8Array, one)).toBe(0);
});

it('passes over what is broken, and never hands out other bytes than the id names', () => {
  const small = createSmallBlocks(platform);
  const plain = randomBytes(500);
  const whole = Buffer.from(pack(plain), 'base64');
  for (const broken of ['%%%', '', whole.subarray(0, 300).toString('base64')]) small.take(broken);
  for (let at = 0; at < whole.length; at += 7) {
    const damaged = Buffer.from(whole);
    damaged[at] = (damaged[at] as number) ^ 4;
    small.take(damaged.toString('base64'));
  }
  const found = small.remove(block(plain).blockId);
  if (found !== undefined) expect(Buffer.compare(found, plain)).toBe(0);
  small.take(whole.toString('base64'));
  expect(small.remove(block(plain).blockId)).toBeDefined();
});

it('keeps a bounded number of bytes, the newest', () => {
  const small = createSmallBlocks(platform);
  const plains = Array.from({ length: 40 }, () => randomBytes(16 * 1024));
  for (const plain of plains) small.take(pack(plain));
  const kept = plains.map((plain) => small.remove(block(plain).blockId) !== undefined);
  expect(kept.filter(Boolean)).toHaveLength(16);
  expect(kept.slice(-16).every(Boolean)).toBe(true);
  // Memory that was given back counts no more.
  for (const plain of plains.slice(0, 16)) small.take(pack(plain));
  expect(plains.slice(0, 16).every((plain) => small.remove(block(plain).blockId) !== undefined)).toBe(true);
});
