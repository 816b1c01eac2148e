import {
  chmod,
  lutimes,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createChildProcesses, waitUntil } from './child-processes.ts';
import { compareFolders } from './compare-folders.ts';

describe('cairn demo', () => {
  const processes = createChildProcesses();
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'cairn-demo-test-'));
  });
  afterEach(async () => {
    await processes.killAll();
    await rm(folder, { recursive: true, force: true });
  });
  const start = () => processes.start(['demo', '--fast'], { variables: { TMPDIR: folder } });

  /** All but the runtime's cache of compiled code. */
  async function leftovers(): Promise<string[]> {
    return (await readdir(folder)).filter((name) => name !== 'node-compile-cache');
  }

  /** Processes that name the folder in their command line; empty where there is no /proc. */
  async function processesIn(path: string): Promise<string[]> {
    const found: string[] = [];
    for (const id of await readdir('/proc').catch(() => [])) {
      if (!/^\d+$/.test(id)) continue;
      const words = await readFile(join('/proc', id, 'cmdline'), 'utf8').catch(() => '');
      if (words.includes(path)) found.push(words.replaceAll('\0', ' '));
    }
    return found;
  }

  it('ends with two equal folders and leaves nothing behind', async () => {
    const demo = start();
    const exitCode = await demo.ended;
    expect(demo.output).toContain('✓ the two folders are equal, byte for byte');
    expect(demo.output).toContain("letter (Desktop's Conflict Copy");
    expect(exitCode).toBe(0);
    expect(await leftovers()).toEqual([]);
    expect(await processesIn(folder)).toEqual([]);
  });

  it('cleans up after Ctrl-C', async () => {
    const demo = start();
    await waitUntil(() => demo.output.includes('writes notes.md'), 'the daemons');
    demo.signal('SIGINT');
    expect(await demo.ended).toBe(130);
    expect(await leftovers()).toEqual([]);
    expect(await processesIn(folder)).toEqual([]);
  });

  it('the comparison sees every kind of difference', async () => {
    const [left, right] = [join(folder, 'left'), join(folder, 'right')];
    for (const side of [left, right]) {
      await mkdir(join(side, 'folder'), { recursive: true });
      await symlink(side === left ? 'a' : 'b', join(side, 'link'));
      await lutimes(join(side, 'link'), 1000, 1000);
      await symlink('a', join(side, 'link time'));
      await lutimes(join(side, 'link time'), 1000, side === left ? 1000 : 2000);
      for (const name of ['bytes', 'mode', 'time', 'same', 'kind']) {
        await writeFile(join(side, name), name === 'bytes' ? side.slice(-3) : name, { mode: 0o644 });
        await utimes(join(side, name), 1000, 1000);
      }
    }
    await chmod(join(left, 'mode'), 0o755);
    await utimes(join(left, 'time'), 1000, 2000);
    await rm(join(left, 'kind'));
    await mkdir(join(left, 'kind'));
    await writeFile(join(left, 'only left'), '');
    await writeFile(join(right, 'folder', 'only right'), '');
    const { differences, files } = await compareFolders(left, right);
    expect(files).toBe(4);
    expect(differences.map((text) => text.replace(/ (is|has|points) .*/, '')).sort()).toEqual(
      ['bytes', 'folder/only right', 'kind', 'link', 'link time', 'mode', 'only left', 'time'].sort(),
    );
    expect((await compareFolders(left, left)).differences).toEqual([]);
  });
});
