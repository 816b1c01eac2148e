import { mkdtempSync, rmSync, statSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createByteStream } from '../world/seeded-random.ts';
import { makeParts, overwrite, requireSameSparseFile, writeSparseFile } from './sparse-file.ts';

const MIB = 1024 ** 2;
/** Above what is compared whole. */
const LARGE_BYTES = 5000 * MIB;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cairn-sparse-test-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function makeTwo(sizeBytes: number) {
  const next = createByteStream('sparse');
  const parts = makeParts(sizeBytes, next);
  const paths = ['own', 'other'].map((name) => join(folder, name)) as [string, string];
  for (const path of paths) writeSparseFile(path, sizeBytes, parts);
  const [own, other] = paths;
  return { own, other, parts, next, compare: (all = parts) => requireSameSparseFile(own, other, all) };
}

test.each([1, MIB, 10 * MIB, LARGE_BYTES])(
  'a file of %i bytes is equal to itself, and has holes',
  (bytes) => {
    const { other, compare } = makeTwo(bytes);
    expect(compare().other).toBeLessThanOrEqual(4 * MIB);
    expect(statSync(other).size).toBe(bytes);
  },
);

test('an overwritten place is expected on both', () => {
  const { own, other, parts, next, compare } = makeTwo(LARGE_BYTES);
  const change = { position: (parts[1]?.position ?? 0) + 4096, bytes: next(4096) };
  overwrite(own, change);
  expect(() => compare([...parts, change])).toThrow(/other bytes than written/);
  overwrite(other, change);
  compare([...parts, change]);
  expect(() => compare()).toThrow(/other bytes than written/);
});

test('other bytes beside a random part, another size and lost holes are found', () => {
  const beside = makeTwo(LARGE_BYTES);
  overwrite(beside.other, { position: 1.5 * MIB, bytes: Buffer.from('!') });
  expect(() => beside.compare()).toThrow(/other bytes within/);
  rmSync(beside.own);
  rmSync(beside.other);
  const filled = makeTwo(LARGE_BYTES);
  overwrite(filled.other, { position: 100 * MIB, bytes: Buffer.alloc(70 * MIB) });
  expect(() => filled.compare()).toThrow(/its holes are lost/);
  truncateSync(filled.other, LARGE_BYTES - 1);
  expect(() => filled.compare()).toThrow(/bytes instead of/);
});
