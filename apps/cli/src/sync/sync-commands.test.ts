import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { waitUntil } from '../demo/child-processes.ts';
import { createSyncWorld, type SyncDevice, type SyncWorld, untilEqual } from '../testing/sync-world.ts';

describe('cairn sync and cairn why', () => {
  let world: SyncWorld;
  beforeAll(async () => {
    world = await createSyncWorld();
  });
  afterAll(() => world?.close());

  it('start, status, pause, resume, stop and remove', async () => {
    const laptop = await world.device('Laptop', { username: 'ann' });
    expect(await laptop.run('sync', 'status')).toMatchObject({ exitCode: 5 });
    expect(await laptop.run('sync', 'pause')).toMatchObject({ exitCode: 5 });
    const started = await laptop.run('sync', 'start', laptop.folder);
    try {
      expect(started).toMatchObject({ exitCode: 0, errors: '' });
      expect(started.output).toContain('in the background');
      expect((await laptop.run('sync', 'start', laptop.folder)).exitCode).not.toBe(0);
      expect((await laptop.run('sync', 'start')).exitCode).toBe(0);
      await laptop.until(({ state }) => state === 'in-sync', 'the start');

      expect((await laptop.run('sync', 'pause')).output).toContain('Paused');
      await laptop.until(({ state }) => state === 'paused', 'the pause');
      await writeFile(join(laptop.folder, 'while paused'), 'x');
      expect((await laptop.run('sync', 'status')).output).toContain('paused');
      expect((await laptop.run('list', '/')).output).not.toContain('while paused');
      expect((await laptop.run('sync', 'resume', laptop.folder)).output).toContain('Resumed');
      await laptop.until(({ state, files }) => state === 'in-sync' && files === 1, 'the file');

      const json = JSON.parse((await laptop.run('sync', 'status', '--json')).output);
      expect(json.folders).toMatchObject([
        { folder: laptop.folder, running: true, status: { state: 'in-sync', files: 1, problems: [] } },
      ]);
      expect((await laptop.run('sync', 'status')).output).toMatch(/in sync · 1 file in 0 folders/);
      expect((await laptop.run('sync', 'confirm')).exitCode).toBe(6);
      expect((await laptop.run('sync', 'reject')).exitCode).toBe(6);
    } finally {
      expect((await laptop.run('sync', 'stop')).output).toContain('Stopped');
    }
    expect((await laptop.run('sync', 'status')).output).toContain('not running');
    expect((await laptop.run('sync', 'stop', laptop.folder)).exitCode).not.toBe(0);
    expect((await laptop.run('sync', 'remove', laptop.folder)).exitCode).toBe(0);
    expect(await readFile(join(laptop.folder, 'while paused'), 'utf8')).toBe('x');
    expect((await laptop.run('sync', 'status')).exitCode).toBe(5);
  });

  it('why answers for every kind of path [S-75]', async () => {
    const [laptop] = await world.pair('why');
    await writeFile(join(laptop.folder, '.cairnignore'), '*.log\n');
    await laptop.until(({ state, files }) => state === 'in-sync' && files === 1, 'the rules');
    await writeFile(join(laptop.folder, 'plain.txt'), 'x');
    await writeFile(join(laptop.folder, 'debug.log'), 'x');
    await laptop.until(({ state, files }) => state === 'in-sync' && files === 2, 'the files');
    const answer = async (name: string) =>
      JSON.parse((await laptop.run('why', join(laptop.folder, name), '--json')).output);
    await waitUntil(async () => (await answer('debug.log')).verdict === 'ignored', 'the rules');
    expect(await answer('plain.txt')).toMatchObject({ path: 'plain.txt', verdict: 'in-sync' });
    expect((await answer('debug.log')).lines.join(' ')).toContain('*.log');
    expect(await answer('missing')).toMatchObject({ verdict: 'unknown-path' });
    expect((await laptop.run('why', join(laptop.folder, 'plain.txt'))).output).toMatch(
      /^plain\.txt: in-sync\n {2}\w/,
    );
    expect((await laptop.run('why', '/nowhere/at/all')).exitCode).toBe(5);
    await laptop.run('sync', 'pause');
    await laptop.daemon?.stop();
    const stopped = await laptop.run('why', join(laptop.folder, 'plain.txt'));
    expect(stopped.exitCode).toBe(0);
    expect(stopped.output).toContain('The sync daemon is stopped');
  });

  it('many deletes are held until they are confirmed or taken back [S-48 S-49]', async () => {
    const [laptop, desktop] = await world.pair('held');
    const fill = async (device: SyncDevice) => {
      await mkdir(join(device.folder, 'many'), { recursive: true });
      for (let index = 0; index < 230; index++) await writeFile(join(device.folder, 'many', `${index}`), 'x');
      await device.until(({ state, files }) => state === 'in-sync' && files === 230, 'the files');
      await untilEqual(laptop, desktop);
    };
    await fill(laptop);
    await rm(join(laptop.folder, 'many'), { recursive: true });
    await laptop.until(({ state }) => state === 'held', 'the brake');
    const shown = await laptop.run('sync', 'status');
    expect(shown.output).toMatch(/items were removed here; they are still on the server/);
    expect(shown.output).toContain('"cairn sync confirm"');
    expect(await readdir(join(desktop.folder, 'many'))).toHaveLength(230);
    expect((await laptop.run('sync', 'reject')).exitCode).toBe(0);
    await untilEqual(laptop, desktop);
    expect(await readdir(join(laptop.folder, 'many'))).toHaveLength(230);

    await rm(join(laptop.folder, 'many'), { recursive: true });
    await laptop.until(({ state }) => state === 'held', 'the brake again');
    expect((await laptop.run('sync', 'confirm')).exitCode).toBe(0);
    await laptop.until(({ state, files }) => state === 'in-sync' && files === 0, 'the deletes');
    // The other device has a brake of its own.
    await desktop.until(({ state }) => state === 'held', 'the brake there');
    expect((await desktop.run('sync', 'confirm')).exitCode).toBe(0);
    await untilEqual(laptop, desktop);
    expect((await readdir(desktop.folder)).filter((name) => name !== '.cairn')).toEqual([]);
  });

  it('a wrong password and a taken name', async () => {
    const laptop = await world.device('Laptop', { username: 'bob' });
    expect((await laptop.run('signup', '--username', 'bob')).exitCode).toBe(6);
    expect((await laptop.run('login', '--username', 'nobody-here')).exitCode).toBe(3);
  });
});
