import { type FSWatcher, mkdirSync, mkdtempSync, renameSync, rmSync, watch, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSystemEnvironment } from '@cairn/environment';
import { expect, it } from 'vitest';
import { watchFolderTree } from './folder-tree-watch.ts';
import { countsSubfolders } from './subfolder-count.ts';

it('leaves no watch open when folders were replaced under their names while it compared them', async () => {
  const root = mkdtempSync(join(tmpdir(), 'cairn-tree-watch-'));
  const open = new Map<FSWatcher, string>();
  try {
    mkdirSync(join(root, 'a/b'), { recursive: true });
    const tree = watchFolderTree({
      root,
      timers: createSystemEnvironment().timers,
      isLeft: () => false,
      onChange: () => undefined,
      onFailure: (error) => {
        throw error;
      },
      watch: ((path: string, listener: (event: string) => void) => {
        const watcher = watch(path, listener);
        open.set(watcher, path);
        watcher.on('close', () => open.delete(watcher));
        return watcher;
      }) as typeof watch,
    });
    for (let round = 0; round < 5; round++) {
      // Events of the root first, then of the folder that is then replaced: both wait for the same comparison.
      mkdirSync(join(root, `new-${round}`));
      mkdirSync(join(root, `a/x-${round}`));
      renameSync(join(root, 'a'), join(root, `old-${round}`));
      mkdirSync(join(root, 'a/b'), { recursive: true });
      await expect.poll(() => [...open.values()].some((path) => path.endsWith(`old-${round}/b`))).toBe(true);
      await expect.poll(() => [...open.values()].some((path) => path.endsWith('/a/b'))).toBe(true);
    }
    const paths = [...open.values()];
    expect(paths.length).toBe(new Set(paths).size);
    tree.close();
    await expect.poll(() => [...open.values()]).toEqual([]);
  } finally {
    for (const watcher of open.keys()) watcher.close();
    rmSync(root, { recursive: true, force: true });
  }
});

it.each([true, false])(
  'watches folders at any depth, those that come later, too (links count: %s)',
  async (linksCount) => {
    const root = mkdtempSync(join(tmpdir(), 'cairn-tree-watch-'));
    const watched = new Set<string>();
    try {
      // Where this disk's links count nothing, both look the same way.
      const counts = linksCount && countsSubfolders(root);
      mkdirSync(join(root, 'a/b/c'), { recursive: true });
      mkdirSync(join(root, 'd'));
      writeFileSync(join(root, 'a/b/file'), '');
      const tree = watchFolderTree({
        root,
        timers: createSystemEnvironment().timers,
        isLeft: () => false,
        onChange: () => undefined,
        onFailure: (error) => {
          throw error;
        },
        watch: ((path: string, listener: (event: string) => void) => {
          watched.add(path.slice(root.length));
          return watch(path, listener);
        }) as typeof watch,
        linksCount: counts,
      });
      expect([...watched].sort()).toEqual(['', '/a', '/a/b', '/a/b/c', '/d']);
      mkdirSync(join(root, 'd/e/f'), { recursive: true });
      await expect.poll(() => watched.has('/d/e/f')).toBe(true);
      tree.close();
    } finally {
      rmSync(root, { recursive: true, force: true });
    }
  },
);
