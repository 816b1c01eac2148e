import fs, { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSystemEnvironment } from '@cairn/environment';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Filesystem } from '../filesystem.ts';
import { openNodeFilesystem } from './node-filesystem.ts';

const MEBIBYTE = 1024 * 1024;
type Callback = (error: NodeJS.ErrnoException | null) => void;

/** The disk's flushes wait until they are answered here. */
describe('a large temporary, which the disk begins to write while more comes', () => {
  const original = fs.fdatasync;
  const flushes: ((code: string | null) => void)[] = [];
  const bytes = new Uint8Array(MEBIBYTE).fill(7);
  let root: string;
  let filesystem: Filesystem;
  let temporaries: () => string[];
  beforeEach(async () => {
    root = mkdtempSync(join(tmpdir(), 'cairn-flush-ahead-'));
    temporaries = () => readdirSync(join(root, '.cairn', 'temporary'));
    filesystem = await openNodeFilesystem({ root, environment: createSystemEnvironment() });
    flushes.length = 0;
    fs.fdatasync = Object.assign(
      (descriptor: number, callback: Callback) => {
        flushes.push((code) => {
          if (code === null) original(descriptor, callback);
          else callback(Object.assign(new Error(code), { code, syscall: 'fdatasync' }));
        });
      },
      { __promisify__: original.__promisify__ },
    );
    syncBuiltinESMExports();
  });
  afterEach(async () => {
    fs.fdatasync = original;
    syncBuiltinESMExports();
    await filesystem.close();
    rmSync(root, { recursive: true, force: true });
  });

  async function write(mebibytes: number) {
    const temporary = await filesystem.openTemporary('film');
    for (let index = 0; index < mebibytes; index++) await temporary.write(bytes, index * MEBIBYTE);
    return temporary;
  }

  test('takes more while one flush is under way, and one at its end covers the rest', async () => {
    const temporary = await write(80);
    expect(flushes).toHaveLength(1);
    const synced = temporary.sync();
    flushes[0]?.(null);
    await expect.poll(() => flushes.length).toBe(2);
    flushes[1]?.(null);
    await synced;
    await filesystem.place(temporary, 'film', { absent: true }, {});
    expect(readFileSync(join(root, 'film')).length).toBe(80 * MEBIBYTE);
  });

  test.each([
    ['EIO', 'local-io'],
    ['ENOSPC', 'local-disk-full'],
  ])('that could not be flushed (%s) is never taken for durable, and is gone', async (code, expected) => {
    const temporary = await write(40);
    const synced = temporary.sync();
    flushes[0]?.(code);
    await expect(synced).rejects.toMatchObject({ code: expected });
    await expect(temporary.write(bytes, 0)).rejects.toMatchObject({ code: expected });
    expect(flushes).toHaveLength(1);
    await temporary.close();
    expect(temporaries()).toEqual([]);
  });

  test('that is closed meanwhile waits for the answer, and goes where it was a bad one', async () => {
    const temporary = await write(40);
    const closed = temporary.close();
    flushes[0]?.('EIO');
    await closed;
    expect(temporaries()).toEqual([]);
  });

  test('that is discarded meanwhile keeps its descriptor until the answer has come', async () => {
    const temporary = await write(40);
    await temporary.discard();
    expect(temporaries()).toEqual([]);
    flushes[0]?.(null);
    const small = await filesystem.openTemporary('small');
    await small.write(bytes.subarray(0, 10), 0);
    const synced = small.sync();
    await expect.poll(() => flushes.length).toBe(2);
    flushes[1]?.(null);
    await synced;
    await small.close();
  });
});
