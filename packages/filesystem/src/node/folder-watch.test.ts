import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSystemEnvironment } from '@cairn/environment';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Filesystem, FolderWatch, WatchHint } from '../filesystem.ts';
import { openNodeFilesystem } from './node-filesystem.ts';

describe('watching a real folder', () => {
  let base: string;
  let root: string;
  let filesystem: Filesystem;
  let watch: FolderWatch;
  let hints: WatchHint[];
  beforeEach(async () => {
    base = mkdtempSync(join(tmpdir(), 'cairn-watch-'));
    root = join(base, 'root');
    mkdirSync(join(root, 'a', 'b'), { recursive: true });
    writeFileSync(join(root, 'a', 'b', 'f'), '1');
    filesystem = await openNodeFilesystem({ root, environment: createSystemEnvironment() });
    hints = [];
    watch = await filesystem.watch((hint) => hints.push(hint));
  });
  afterEach(async () => {
    watch.close();
    await filesystem.close();
    rmSync(base, { recursive: true, force: true });
  });

  const hinted = (path: string) =>
    hints.some((hint) => hint.kind === 'everything' || (hint.kind === 'folder' && hint.path === path));
  const waitFor = (path: string) => vi.waitUntil(() => hinted(path), { timeout: 10_000, interval: 5 });

  it('hints at the folder of whatever is created, modified, renamed or deleted', async () => {
    const steps: [string, () => void][] = [
      ['a', () => writeFileSync(join(root, 'a', 'new'), '')],
      ['a/b', () => writeFileSync(join(root, 'a', 'b', 'f'), '22')],
      ['a/b', () => renameSync(join(root, 'a', 'b', 'f'), join(root, 'a', 'b', 'g'))],
      ['a', () => rmSync(join(root, 'a', 'new'))],
      ['', () => writeFileSync(join(root, 'top'), '')],
    ];
    for (const [folder, act] of steps) {
      hints.length = 0;
      act();
      await waitFor(folder);
    }
  });

  it('hints at new folders, and at what comes into them later', async () => {
    mkdirSync(join(root, 'n', 'm'), { recursive: true });
    writeFileSync(join(root, 'n', 'm', 'f'), '');
    await waitFor('n');
    await waitFor('n/m');
    hints.length = 0;
    writeFileSync(join(root, 'n', 'm', 'g'), '');
    await waitFor('n/m');
  });

  it('lives on with links that lead nowhere, round in circles or out, and hints at them', async () => {
    mkdirSync(join(root, 'links'));
    await waitFor('links');
    for (const [name, target] of [
      ['self', 'self'],
      ['dangling', 'nowhere'],
      ['out', base],
    ] as const) {
      await vi.waitUntil(() => !hints.some((hint) => hint.kind === 'everything'));
      hints.length = 0;
      symlinkSync(target, join(root, 'links', name));
      await waitFor('links');
      hints.length = 0;
      rmSync(join(root, 'links', name));
      await waitFor('links');
      symlinkSync(target, join(root, 'links', name));
    }
    watch.close();
    hints = [];
    watch = await filesystem.watch((hint) => hints.push(hint));
    writeFileSync(join(root, 'links', 'new'), '');
    await waitFor('links');
    expect(hints.every((hint) => hint.kind === 'folder')).toBe(true);
  });

  it('says nothing about its own files', async () => {
    const temporary = await filesystem.openTemporary('t');
    await temporary.write(Buffer.from('x'), 0);
    await temporary.discard();
    await filesystem.writeMarker('m');
    writeFileSync(join(root, 'a', 'later'), '');
    await waitFor('a');
    expect(hints).toEqual([{ kind: 'folder', path: 'a' }]);
  });

  it('survives the removal of the root', async () => {
    rmSync(root, { recursive: true });
    await vi.waitUntil(() => hints.some((hint) => hint.kind === 'everything'), { timeout: 10_000 });
    await expect(filesystem.list('')).rejects.toMatchObject({ code: 'root-missing' });
  });

  it('releases everything when closed', async () => {
    if (process.platform !== 'linux') return;
    const watches = () =>
      readdirSync('/proc/self/fdinfo').flatMap((name) => {
        try {
          return execFileSync('grep', ['-c', 'inotify wd', `/proc/${process.pid}/fdinfo/${name}`]);
        } catch {
          return [];
        }
      });
    expect(watches().length).toBeGreaterThan(0);
    const before = Number(String(watches()[0]));
    watch.close();
    const left = watches();
    expect(left.length === 0 ? 0 : Number(String(left[0]))).toBeLessThan(before);
    writeFileSync(join(root, 'a', 'after'), '');
    expect(hints.filter((hint) => hint.kind === 'folder' && hint.path === 'a')).toEqual([]);
  });

  it('finds a burst of 5,000 files in 100 new folders by scanning what is hinted [S-62]', async () => {
    const program = `
      const fs = require('node:fs');
      for (let d = 0; d < 100; d++) {
        fs.mkdirSync('burst/' + d, { recursive: true });
        for (let f = 0; f < 50; f++) fs.writeFileSync('burst/' + d + '/' + f, '');
      }`;
    const writer = spawn(process.execPath, ['-e', program], { cwd: root, stdio: 'ignore' });
    const found = new Set<string>();
    const scan = async (path: string): Promise<void> => {
      for (const item of await filesystem.list(path)) {
        const below = path === '' ? item.name : `${path}/${item.name}`;
        if (item.status?.kind === 'file') found.add(below);
        else if (path === '' && item.name === 'burst') await scan(below);
      }
    };
    const scanAll = async (): Promise<void> => {
      for (const folder of ['burst', ...readdirSync(join(root, 'burst')).map((name) => `burst/${name}`)]) {
        await scan(folder);
      }
    };
    const deadline = performance.now() + 45_000;
    const exited = once(writer, 'exit');
    const burst = () => [...found].filter((path) => path.startsWith('burst/')).length;
    while (burst() < 5000 && performance.now() < deadline) {
      await vi.waitUntil(() => hints.length > 0, { timeout: 15_000, interval: 5 });
      for (const hint of hints.splice(0)) {
        if (hint.kind === 'folder') await scan(hint.path);
        else await scanAll();
      }
    }
    await exited;
    expect(burst()).toBe(5000);
  });
});
