import fs, { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSystemEnvironment } from '@cairn/environment';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Filesystem } from '../filesystem.ts';
import { openNodeFilesystem } from './node-filesystem.ts';

const PIECE_BYTES = 256 * 1024;

/** Large writes wait until they are let through here. */
describe('large writes to a temporary that are begun together', () => {
  const original = fs.write;
  const held: { through(): void }[] = [];
  let root: string;
  let filesystem: Filesystem;
  beforeEach(async () => {
    root = mkdtempSync(join(tmpdir(), 'cairn-writes-'));
    filesystem = await openNodeFilesystem({ root, environment: createSystemEnvironment() });
    held.length = 0;
    const hold = (...given: unknown[]) => {
      held.push({ through: () => Reflect.apply(original, fs, given) });
    };
    fs.write = Object.assign(hold, { __promisify__: original.__promisify__ }) as unknown as typeof original;
    syncBuiltinESMExports();
  });
  afterEach(async () => {
    fs.write = original;
    syncBuiltinESMExports();
    await filesystem.close();
    rmSync(root, { recursive: true, force: true });
  });

  const piece = (value: number) => new Uint8Array(PIECE_BYTES).fill(value);

  test('go to the system one after the other, whatever became of the one before', async () => {
    const temporary = await filesystem.openTemporary('film');
    const done = [1, 2, 3].map((value) => temporary.write(piece(value), (value - 1) * PIECE_BYTES));
    for (let written = 0; written < 3; written++) {
      await expect.poll(() => held.length).toBe(1);
      held.pop()?.through();
      await done[written];
    }
    const whole = readFileSync(join(root, '.cairn', 'temporary', 'film'));
    expect(whole.equals(Buffer.concat([1, 2, 3].map(piece)))).toBe(true);
    await temporary.discard();
  });

  test('do not reach another file when it is closed meanwhile, and those that wait are refused', async () => {
    const temporary = await filesystem.openTemporary('film');
    const first = temporary.write(piece(1), 0);
    const second = temporary.write(piece(2), PIECE_BYTES);
    const refused = expect(second).rejects.toThrow('is closed');
    await expect.poll(() => held.length).toBe(1);
    await temporary.discard();
    const other = await filesystem.openTemporary('other');
    held.pop()?.through();
    await first;
    await refused;
    expect(held.length).toBe(0);
    expect(statSync(join(root, '.cairn', 'temporary', 'other')).size).toBe(0);
    await other.discard();
  });
});
