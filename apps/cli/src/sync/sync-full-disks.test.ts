import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createSyncWorld, type SyncWorld, untilEqual } from '../testing/sync-world.ts';

const MIB = 1024 * 1024;

/** A small disk of its own at the path, or why there can be none. */
function mountSmallDisk(path: string, sizeBytes: number): string | null {
  try {
    mkdirSync(path, { recursive: true });
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${sizeBytes}`, 'tmpfs', path], { stdio: 'pipe' });
    return null;
  } catch (error) {
    return String((error as { stderr?: Buffer }).stderr ?? error).trim();
  }
}

describe('full disks', () => {
  let base: string;
  let disk: string;
  let reason: string | null;
  let world: SyncWorld | null = null;
  beforeAll(() => {
    base = mkdtempSync(join(tmpdir(), 'cairn-full-'));
    disk = join(base, 'disk');
    reason = mountSmallDisk(disk, 32 * MIB);
    if (reason !== null) console.info(`full disks are not tested: ${reason}`);
  });
  afterEach(async () => {
    await world?.close();
    world = null;
  });
  afterAll(() => {
    if (reason === null) execFileSync('umount', ['-l', disk]);
    rmSync(base, { recursive: true, force: true });
  });

  it('of a device: it says so, shows no half file, and goes on when there is room [S-71]', async ({
    skip,
  }) => {
    skip(reason !== null, reason ?? '');
    world = await createSyncWorld();
    const laptop = await world.device('Laptop', { username: 'ann' });
    const desktop = await world.device('Desktop', { username: 'ann', folder: join(disk, 'synced') });
    await Promise.all([laptop.start(), desktop.start()]);
    await desktop.until(({ state }) => state === 'in-sync', 'the start');
    await writeFile(join(disk, 'ballast'), randomBytes(28 * MIB));
    await writeFile(join(laptop.folder, 'large.bin'), randomBytes(5 * MIB));
    const status = await desktop.until(({ trouble }) => trouble !== null, 'the full disk');
    expect(status.trouble).toMatchObject({ code: 'local-disk-full' });
    expect((await desktop.run('sync', 'status')).output).toMatch(/full|space/);
    expect((await readdir(desktop.folder)).filter((name) => name !== '.cairn')).toEqual([]);
    expect((await laptop.status()).files).toBe(1);
    await rm(join(disk, 'ballast'));
    await desktop.until(({ state, files }) => state === 'in-sync' && files === 1, 'the way on');
    await untilEqual(laptop, desktop);
  });

  it('of the server: shown by the device, and sent when there is room [S-71]', async ({ skip }) => {
    skip(reason !== null, reason ?? '');
    world = await createSyncWorld({ data: join(disk, 'data') });
    const laptop = await world.device('Laptop', { username: 'ann' });
    await laptop.start();
    await laptop.until(({ state }) => state === 'in-sync', 'the start');
    let ballast = 0;
    try {
      for (; ballast < 128; ballast++)
        await writeFile(join(disk, `ballast ${ballast}`), Buffer.alloc(MIB / 4));
    } catch {
      // Full, as it was meant to be.
    }
    await writeFile(join(laptop.folder, 'large.bin'), randomBytes(2 * MIB));
    const status = await laptop.until(({ trouble }) => trouble !== null, 'the full server');
    expect(status.trouble).toMatchObject({ code: 'storage-full' });
    expect((await laptop.run('sync', 'status')).output).toMatch(/full|space/);
    for (let index = 0; index <= ballast; index++) await rm(join(disk, `ballast ${index}`), { force: true });
    await laptop.until(({ state, files }) => state === 'in-sync' && files === 1, 'the way on');
    expect((await laptop.run('list', '/')).output).toContain('large.bin');
  });
});
