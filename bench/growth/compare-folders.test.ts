import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { requireEqualFolders } from './compare-folders.ts';

let outer: string;
let left: string;
let right: string;
beforeEach(() => {
  outer = mkdtempSync(join(tmpdir(), 'cairn-compare-test-'));
  [left, right] = [join(outer, 'left'), join(outer, 'right')];
  mkdirSync(join(left, 'deep', 'deeper'), { recursive: true });
  writeFileSync(join(left, 'top.txt'), 'top');
  writeFileSync(join(left, 'deep', 'deeper', 'file.txt'), 'below');
  cpSync(left, right, { recursive: true, preserveTimestamps: true });
  mkdirSync(join(right, '.cairn'));
});
afterEach(() => rmSync(outer, { recursive: true }));

test('a copy is equal, and its files are counted; what is the product’s own is not looked at', async () => {
  expect(await requireEqualFolders(left, right)).toBe(2);
});

const inRight = (...names: string[]) => join(right, ...names);
test.each<[string, () => void, RegExp]>([
  ['a missing file', () => rmSync(inRight('top.txt')), /top\.txt is missing/],
  ['one more', () => writeFileSync(inRight('deep', 'more'), ''), /deep\/more is there in addition/],
  ['another size', () => writeFileSync(inRight('top.txt'), 'longer'), /6 bytes instead of 3/],
  ['an executable bit', () => chmodSync(inRight('top.txt'), 0o755), /another executable bit/],
  ['a time', () => utimesSync(inRight('top.txt'), 1, 1), /another time/],
  [
    'a kind',
    () => {
      rmSync(inRight('top.txt'));
      mkdirSync(inRight('top.txt'));
    },
    /of another kind/,
  ],
  [
    'bytes alone',
    () => {
      for (const root of [left, right]) {
        writeFileSync(join(root, 'top.txt'), root === left ? 'one' : 'two');
        utimesSync(join(root, 'top.txt'), 1, 1);
      }
    },
    /top\.txt: other bytes/,
  ],
])('%s is found', async (_what, change, message) => {
  change();
  await expect(requireEqualFolders(left, right)).rejects.toThrow(message);
});
