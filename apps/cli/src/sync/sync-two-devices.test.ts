import {
  appendFile,
  chmod,
  lstat,
  mkdir,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  stat,
  symlink,
  unlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { waitUntil } from '../demo/child-processes.ts';
import { createSyncWorld, type SyncDevice, type SyncWorld, untilEqual } from '../testing/sync-world.ts';

describe('two daemons keep two folders equal', () => {
  let world: SyncWorld;
  let laptop: SyncDevice;
  let desktop: SyncDevice;
  beforeAll(async () => {
    world = await createSyncWorld();
    [laptop, desktop] = await world.pair('ann');
  });
  afterAll(() => world.close());
  const here = (...names: string[]) => join(laptop.folder, ...names);
  const there = (...names: string[]) => join(desktop.folder, ...names);

  it('a new file, an edit and a delete arrive within seconds, both ways', async () => {
    const latencies: number[] = [];
    async function expectSoon(path: string, text: string | null): Promise<void> {
      const startedAt = performance.now();
      await waitUntil(async () => (await readFile(path, 'utf8').catch(() => null)) === text, path, {
        everyMs: 4,
      });
      latencies.push(Math.round(performance.now() - startedAt));
    }
    for (const [from, to] of [
      [here, there],
      [there, here],
    ] as const) {
      await writeFile(from('live.txt'), 'one');
      await expectSoon(to('live.txt'), 'one');
      await appendFile(from('live.txt'), ' two');
      await expectSoon(to('live.txt'), 'one two');
      await unlink(from('live.txt'));
      await expectSoon(to('live.txt'), null);
      await untilEqual(laptop, desktop);
    }
    console.info(`live latencies in ms: ${latencies.join(', ')}`);
    expect(Math.max(...latencies)).toBeLessThan(5000);
  });

  it('folders: create, empty, rename, move, delete', async () => {
    await mkdir(here('a', 'b', 'empty'), { recursive: true });
    await writeFile(here('a', 'b', 'file'), 'content');
    await untilEqual(laptop, desktop);
    const { ino } = await stat(there('a', 'b', 'file'));
    await rename(here('a', 'b'), here('renamed'));
    await rename(here('renamed', 'file'), here('a', 'moved'));
    await untilEqual(laptop, desktop);
    expect((await stat(there('a', 'moved'))).ino).toBe(ino);
    await rm(there('renamed'), { recursive: true });
    await mkdir(there('a', 'renamed'));
    await untilEqual(laptop, desktop);
    expect(await readdir(here('a'))).toEqual(['moved', 'renamed']);
  });

  it('a file is replaced by a folder and the other way round', async () => {
    await writeFile(here('kind 1'), 'a file');
    await mkdir(here('kind 2'));
    await untilEqual(laptop, desktop);
    await rm(here('kind 1'));
    await mkdir(here('kind 1'));
    await writeFile(here('kind 1', 'inside'), '');
    await rm(here('kind 2'), { recursive: true });
    await writeFile(here('kind 2'), 'a file');
    await untilEqual(laptop, desktop);
    expect((await stat(there('kind 1'))).isDirectory()).toBe(true);
  });

  it('the executable bit and microseconds', async () => {
    await writeFile(here('tool'), '#!/bin/sh\n', { mode: 0o644 });
    await untilEqual(laptop, desktop);
    const before = await stat(there('tool'));
    await chmod(here('tool'), 0o755);
    await untilEqual(laptop, desktop);
    await utimes(here('tool'), 1_000_000_000, 1_234_567_890.654321);
    await untilEqual(laptop, desktop);
    const wanted = await lstat(here('tool'), { bigint: true });
    const after = await lstat(there('tool'), { bigint: true });
    expect(after.mtimeNs / 1000n).toBe(wanted.mtimeNs / 1000n);
    expect(after.mtimeNs % 1_000_000n).not.toBe(0n);
    expect(Number(after.mode & 0o111n)).not.toBe(0);
    expect(Number(after.ino)).toBe(before.ino);
  });

  it('links are carried as they are and never followed [S-8]', async () => {
    const outside = join(world.folder, 'outside');
    await mkdir(outside);
    await writeFile(join(outside, 'secret'), 'not for the server');
    await mkdir(here('links'));
    const links = {
      dangling: 'nowhere/at all',
      absolute: '/etc/hostname',
      out: '../../outside',
      self: 'self',
      inside: '../tool',
    };
    for (const [name, target] of Object.entries(links)) await symlink(target, here('links', name));
    await symlink(outside, here('links', 'folder'));
    await untilEqual(laptop, desktop);
    for (const [name, target] of Object.entries(links))
      expect(await readlink(there('links', name))).toBe(target);
    const listed = await laptop.run('list', '/links', '--json');
    expect(listed.output).not.toContain('secret');
    await unlink(here('links', 'out'));
    await symlink('elsewhere', here('links', 'out'));
    await unlink(there('links', 'folder'));
    await untilEqual(laptop, desktop);
    expect(await readlink(there('links', 'out'))).toBe('elsewhere');
    expect(await readdir(outside)).toEqual(['secret']);
  });

  it('names of every kind [S-39 S-43]', async () => {
    const names = [
      'line\nbreak',
      '"quoted" \'twice\' `and` $more',
      ' space before and after ',
      '-rf',
      '~',
      'back\\slash',
      'emoji 👩‍👩‍👧‍👦🏳️‍🌈',
      'e\u0301 in two code points',
      'ﬁ ligature, ß, İ',
      '\u0001\u001b[31mred',
      'x'.repeat(255),
      'ü'.repeat(127),
      '.hidden',
      '...',
      'CON',
      'a:b|c?d*',
    ];
    await mkdir(here('names'));
    for (const name of names) {
      await writeFile(here('names', name), name);
      await mkdir(here(`folder ${name}`.slice(0, 100)), { recursive: true });
    }
    await untilEqual(laptop, desktop);
    expect((await readdir(there('names'))).sort()).toEqual([...names].sort());
    for (const name of names) await rename(there('names', name), there('names', `${name.slice(0, 50)}.new`));
    await untilEqual(laptop, desktop);
    const problems = (await laptop.status()).problems;
    expect(problems).toEqual([]);
  });

  it('both edit at once: both contents stay, on both sides [S-21]', async () => {
    await writeFile(here('doc.txt'), 'base');
    await untilEqual(laptop, desktop);
    await laptop.run('sync', 'pause');
    await desktop.run('sync', 'pause');
    await writeFile(here('doc.txt'), 'from the laptop');
    await writeFile(there('doc.txt'), 'from the desktop');
    expect((await laptop.run('sync', 'resume')).exitCode).toBe(0);
    await laptop.until(({ state, pending }) => state === 'in-sync' && pending.up === 0, 'the laptop');
    await desktop.run('sync', 'resume');
    await untilEqual(laptop, desktop);
    await waitUntil(
      async () => (await readdir(laptop.folder)).some((name) => name.includes('Conflict Copy')),
      'the copy',
    );
    await untilEqual(laptop, desktop);
    const names = (await readdir(laptop.folder)).filter((name) => name.startsWith('doc'));
    const texts = await Promise.all(names.map((name) => readFile(here(name), 'utf8')));
    expect(texts.sort()).toEqual(['from the desktop', 'from the laptop']);
    const notices = [...(await laptop.status()).notices, ...(await desktop.status()).notices];
    expect(notices.some(({ text }) => text.includes('doc'))).toBe(true);
    expect((await desktop.run('sync', 'status')).output).toContain('"cairn conflicts"');

    const { conflicts } = JSON.parse((await laptop.run('conflicts', '--json')).output);
    expect(conflicts).toMatchObject([{ original: { entry: { path: '/doc.txt' } }, base: { sizeBytes: 4 } }]);
    const kept = await laptop.run('conflicts', 'keep', 'mine', '/doc.txt');
    expect([kept.exitCode, kept.errors]).toEqual([0, '']);
    await waitUntil(
      async () => (await readFile(here('doc.txt'), 'utf8')) === 'from the desktop',
      'the decision',
    );
    await untilEqual(laptop, desktop);
    expect((await readdir(laptop.folder)).filter((name) => name.startsWith('doc'))).toEqual(['doc.txt']);
  });

  // The daemon that gets the emptied rules plans downloads that its old rules forbid, over and over.
  it('.cairnignore takes effect while running, and so does its end', async () => {
    await mkdir(here('build'));
    await writeFile(here('build', 'out.o'), 'object');
    await untilEqual(laptop, desktop);
    await writeFile(here('.cairnignore'), '*.tmp\nbuild/\n');
    await waitUntil(
      async () => (await readFile(there('.cairnignore'), 'utf8').catch(() => '')) !== '',
      'rules',
    );
    await writeFile(here('scratch.tmp'), 'mine');
    await writeFile(here('build', 'local.o'), 'mine');
    await writeFile(here('after.txt'), 'synced after them');
    await waitUntil(
      async () => (await readFile(there('after.txt'), 'utf8').catch(() => '')) !== '',
      'after.txt',
    );
    expect(await readdir(desktop.folder)).not.toContain('scratch.tmp');
    // What was synced before it was ignored is not deleted on anybody's disk.
    expect(await readFile(there('build', 'out.o'), 'utf8')).toBe('object');
    expect(await readFile(here('build', 'out.o'), 'utf8')).toBe('object');
    expect(await laptop.why('scratch.tmp')).toMatchObject({ verdict: 'ignored' });
    await writeFile(here('.cairnignore'), '');
    await untilEqual(laptop, desktop);
    expect(await readFile(there('scratch.tmp'), 'utf8')).toBe('mine');
    expect(await readFile(there('build', 'local.o'), 'utf8')).toBe('mine');
  });
});
