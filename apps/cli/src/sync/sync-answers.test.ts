import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { waitUntil } from '../demo/child-processes.ts';
import { createSyncWorld, type SyncDevice, type SyncWorld, untilEqual } from '../testing/sync-world.ts';
import { openActivityLog, readActivities } from './activity-log.ts';

const names = async (device: SyncDevice, folder = '') =>
  (await readdir(join(device.folder, folder))).filter((name) => name !== '.cairn').sort();

describe('what the commands answer, with a daemon and without', () => {
  let world: SyncWorld;
  beforeAll(async () => {
    world = await createSyncWorld();
  });
  afterAll(() => world?.close());

  it('[S-75] [S-76] why, status and log', async () => {
    const [laptop, desktop] = await world.pair('answers');
    await mkdir(join(laptop.folder, 'docs'));
    await writeFile(join(laptop.folder, 'docs', 'a.txt'), 'one');
    await untilEqual(laptop, desktop);
    await writeFile(join(desktop.folder, 'docs', 'b.txt'), 'two');
    await untilEqual(laptop, desktop);
    await rm(join(laptop.folder, 'docs', 'a.txt'));
    await untilEqual(laptop, desktop);

    const why = async (path: string) =>
      JSON.parse((await laptop.run('why', join(laptop.folder, path), '--json')).output);
    const running = await why('docs/b.txt');
    expect(running).toMatchObject({
      running: true,
      verdict: 'in-sync',
      planned: [],
      attempt: null,
      waits: [],
    });
    for (const tree of ['remote', 'local', 'synced'])
      expect(running.trees[tree]).toMatchObject({ kind: 'file', path: 'docs/b.txt' });
    expect(running.trees.remote.contentId).toBe(running.trees.local.contentId);

    const log = async (device: SyncDevice, ...words: string[]) => {
      const { output } = await device.run('sync', 'log', '--json', ...words);
      return output
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line));
    };
    const did = (lines: { operation: string; path: string }[]) =>
      lines.map(({ operation, path }) => `${operation} ${path}`.trim());
    await waitUntil(async () => did(await log(laptop)).includes('push-remove docs/a.txt'), 'the log');
    expect(did(await log(laptop))).toEqual(
      expect.arrayContaining(['start', 'push-create docs/a.txt', 'download docs/b.txt']),
    );
    expect(did(await log(desktop, join(desktop.folder, 'docs', 'a.txt')))).toEqual([
      'download docs/a.txt',
      'remove-local docs/a.txt',
    ]);
    expect((await laptop.run('sync', 'log', '-n', '1')).output.trim().split('\n')).toHaveLength(1);

    await laptop.daemon?.stop();
    await writeFile(join(laptop.folder, 'docs', 'c.txt'), 'made while stopped');
    const stopped = await why('docs/b.txt');
    expect(stopped).toMatchObject({
      running: false,
      verdict: 'in-sync',
      trees: { local: { path: 'docs/b.txt' } },
    });
    expect(stopped.activities.map(({ operation }: { operation: string }) => operation)).toContain('download');
    expect(await why('docs/c.txt')).toMatchObject({ running: false, verdict: 'unknown-path' });
    const status = JSON.parse((await laptop.run('sync', 'status', '--json')).output);
    expect(status.folders).toMatchObject([
      { running: false, status: { state: 'stopped', files: 1, differing: 0 } },
    ]);
    expect(status.folders[0].status.lastInSyncAt).toBeGreaterThan(0);
    const shown = (await laptop.run('sync', 'status')).output;
    expect(shown).toMatch(/not running.*\n.*last in sync/);
    expect(did(await log(laptop)).at(-1)).toBe('stopped');
  });

  it('[S-70] what waits says why, what was tried and when it is tried again', async () => {
    const [laptop] = await world.pair('waits');
    await writeFile(join(laptop.folder, 'a'), '1');
    await laptop.until(({ state, files }) => state === 'in-sync' && files === 1, 'the file');
    await laptop.run('sync', 'pause');
    await laptop.until(({ state }) => state === 'paused', 'the pause');
    await writeFile(join(laptop.folder, 'a'), '2');
    expect((await laptop.run('why', join(laptop.folder, 'a'))).output).toMatch(/a: /);
    await laptop.run('sync', 'resume');
    await laptop.until(({ state }) => state === 'in-sync', 'the end');
  });

  it('what cannot be synced is listed with its reason', async ({ skip }) => {
    skip(process.platform !== 'linux', 'names that no text can hold exist on Linux only');
    const [laptop, desktop] = await world.pair('unsyncable');
    execFileSync('mkfifo', [join(laptop.folder, 'pipe')]);
    await writeFile(Buffer.concat([Buffer.from(`${laptop.folder}/bad-`), Buffer.from([0xff, 0xfe])]), 'x');
    const socket = createServer().listen(join(laptop.folder, 'socket'));
    await writeFile(join(laptop.folder, 'good'), 'x');
    try {
      const status = await laptop.until(
        ({ state, files, unsynced }) => state === 'in-sync' && files === 1 && unsynced.length === 3,
        'the list',
      );
      const reasons = Object.fromEntries(status.unsynced.map(({ path, reason }) => [path, reason]));
      expect(reasons).toEqual({
        pipe: 'special-file',
        socket: 'special-file',
        'bad-\\xff\\xfe': 'name-not-unicode',
      });
      const shown = (await laptop.run('sync', 'status')).output;
      expect(shown).toContain('pipe: not synced, a pipe, socket or device file');
      expect(shown).toContain('name is not valid UTF-8');
      expect(await laptop.why('pipe')).toMatchObject({ verdict: 'unsyncable' });
      await waitUntil(async () => (await names(desktop)).length > 0, 'the one file that can be synced');
      expect(await names(desktop)).toEqual(['good']);
    } finally {
      socket.close();
    }
  });

  it('[S-68] select leaves out, survives restarts, works without a daemon, and takes back', async () => {
    const [laptop, desktop] = await world.pair('select');
    for (const folder of ['photos', 'photos/2019', 'docs']) await mkdir(join(laptop.folder, folder));
    for (const file of ['photos/2019/x', 'photos/y', 'docs/z'])
      await writeFile(join(laptop.folder, file), file);
    await untilEqual(laptop, desktop);
    const chosen = await laptop.run('sync', 'select', '--exclude', join(laptop.folder, 'photos', '2019'));
    expect(chosen).toMatchObject({ exitCode: 0, errors: '' });
    expect(chosen.output).toContain('leaves out /photos/2019');
    await waitUntil(async () => (await names(laptop, 'photos')).join() === 'y', 'the folder to go');
    await laptop.until(({ state }) => state === 'in-sync', 'rest');
    expect(await names(desktop, 'photos')).toEqual(['2019', 'y']);
    expect(await laptop.why('photos/2019/x')).toMatchObject({ verdict: 'not-selected' });
    expect((await laptop.run('sync', 'select', '--list')).output).toContain('/photos/2019');

    await laptop.daemon?.stop();
    const stopped = await laptop.run('sync', 'select', '--only', '/docs');
    expect(stopped.output).toContain('It is carried out when "cairn sync start" runs again');
    expect(stopped.output).toContain('holds /docs');
    expect(await names(laptop)).toEqual(['docs', 'photos']);
    await laptop.start();
    await waitUntil(async () => (await names(laptop)).join() === 'docs', 'the rest to go');
    await writeFile(join(desktop.folder, 'photos', 'new'), 'not for the laptop');
    await writeFile(join(desktop.folder, 'docs', 'new'), 'for the laptop');
    await waitUntil(async () => (await names(laptop, 'docs')).length === 2, 'the new file');
    expect(await names(laptop)).toEqual(['docs']);
    expect(await names(desktop, 'photos')).toEqual(['2019', 'new', 'y']);
    const named = ['sync', 'select', '--include', 'photos', '--folder', laptop.folder] as const;
    expect((await laptop.run(...named)).output).toContain('holds /photos');
    const nowhere = await laptop.run('sync', 'select', '--exclude', 'docs');
    expect(JSON.stringify(nowhere)).toContain('add --folder FOLDER');
    expect((await laptop.run('sync', 'select', '--all')).output).toContain('holds everything');
    await untilEqual(laptop, desktop);
    expect((await laptop.run('sync', 'select', '--exclude', '/nowhere')).errors).toContain('nothing at');
    expect((await laptop.run('sync', 'select', '--exclude', '/a/../..')).exitCode).toBe(2);
  });
});

describe('the log of activities', () => {
  it('[S-76] is bounded, keeps the newest, and survives half a line', () => {
    const folder = mkdtempSync(join(tmpdir(), 'cairn-log-'));
    try {
      const path = join(folder, 'activity.log');
      for (let run = 0; run < 20; run++) {
        const log = openActivityLog(path, 4000);
        for (let index = 0; index < 20; index++)
          log.add({
            at: run * 100 + index,
            operation: 'download',
            path: `d${run}/f${index}`,
            result: 'done',
          });
        log.close();
      }
      expect(statSync(path).size + statSync(`${path}.1`).size).toBeLessThan(9000);
      const all = readActivities(path, '', 1000);
      expect(all.at(-1)?.at).toBe(1919);
      expect(all.length).toBeGreaterThan(40);
      expect(readActivities(path, 'd19', 1000)).toHaveLength(20);
      expect(readActivities(path, 'd19/f3', 1000)).toHaveLength(1);
      expect(readActivities(path, '', 3).map(({ at }) => at)).toEqual([1917, 1918, 1919]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
