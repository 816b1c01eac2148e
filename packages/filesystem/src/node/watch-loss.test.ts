import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statSync, watch as systemWatch, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createSystemEnvironment, type Environment, silentLog } from '@cairn/environment';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Filesystem, FolderWatch, WatchHint } from '../filesystem.ts';
import { openDescriptorFolderAccess } from './descriptor-folder-access.ts';
import type { WatchCalls } from './folder-watch.ts';
import { findNetworkDisk } from './network-disk.ts';
import { openWithAccess } from './node-filesystem.ts';

const ON_LINUX = process.platform === 'linux';

describe.runIf(ON_LINUX)('events that get lost (Linux only) [S-63 S-64]', () => {
  let root: string;
  let filesystem: Filesystem;
  let watch: FolderWatch | null;
  let hints: WatchHint[];
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'cairn-loss-'));
    watch = null;
    hints = [];
  });
  afterEach(async () => {
    watch?.close();
    await filesystem?.close();
    rmSync(root, { recursive: true, force: true });
  });

  /** Timers of more than a second come at once. */
  function impatient(): Environment {
    const environment = createSystemEnvironment(silentLog);
    const { timers } = environment;
    return {
      ...environment,
      timers: { ...timers, schedule: (ms, run) => timers.schedule(ms > 1000 ? ms / 40 : ms, run) },
    };
  }
  async function start(calls: Partial<WatchCalls> = {}, environment = impatient()): Promise<void> {
    const watchCalls = { watch: systemWatch, findNetworkDisk, ...calls };
    filesystem = await openWithAccess({ root, environment }, openDescriptorFolderAccess, { watchCalls });
    watch = await filesystem.watch((hint) => hints.push(hint));
  }
  const seen = (kind: WatchHint['kind']) => hints.filter((hint) => hint.kind === kind);
  const until = (holds: () => boolean) => vi.waitUntil(holds, { timeout: 10_000, interval: 5 });
  const failing = (code: string): never => {
    throw Object.assign(new Error(code), { code });
  };

  it('T121 40,000 events, more than the queue of the kernel holds, are noticed, and their folders are hinted at', async () => {
    for (let index = 0; index < 40; index++) {
      mkdirSync(join(root, `d${index}`));
      writeFileSync(join(root, `d${index}`, 'f'), '');
    }
    await start();
    // This process does not get to read its events meanwhile.
    const program = `
      const fs = require('node:fs');
      const files = Array.from({ length: 40 }, (_, d) => fs.openSync('d' + d + '/f', 'w'));
      for (let round = 0; round < 1000; round++) for (const file of files) fs.writeSync(file, 'x');`;
    execFileSync(process.execPath, ['-e', program], { cwd: root });
    await until(() => seen('lost').length > 0);
    expect(seen('folder').length).toBeGreaterThan(0);
    expect(seen('everything')).toEqual([]);
  }, 20_000);

  it('a watcher that is silent is noticed by its sentinel: begun anew, then polled, until it reports again', async () => {
    let deaf = true;
    const silent = ((path: string, listener: (...words: never[]) => void) =>
      systemWatch(path, (...words) => {
        if (!deaf) (listener as (...all: unknown[]) => void)(...words);
      })) as unknown as typeof systemWatch;
    await start({ watch: silent });
    await until(() => seen('watching').length > 0);
    expect(seen('lost').length).toBeGreaterThan(0);
    expect(seen('watching')).toMatchObject([
      { works: false, reason: expect.stringContaining('does not report') },
    ]);
    deaf = false;
    watch?.probe?.();
    await until(() => seen('watching').length > 1);
    expect(seen('watching')[1]).toEqual({ kind: 'watching', works: true, reason: null });
  });

  it('a healthy watcher is asked at the start and then costs no write', async () => {
    writeFileSync(join(root, 'f'), '1');
    await start();
    await vi.waitUntil(() => statSync(join(root, '.cairn', 'sentinel')).mtimeMs > 0);
    await new Promise((resolve) => setTimeout(resolve, 400));
    const before = statSync(join(root, '.cairn', 'sentinel')).ctimeMs;
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(statSync(join(root, '.cairn', 'sentinel')).ctimeMs).toBe(before);
    expect(seen('watching')).toEqual([]);
    expect(seen('lost')).toEqual([]);
  });

  it('T122 too few watches: told with what to do, tried again, and told when there are enough', async () => {
    for (const folder of ['a', 'b', 'c']) mkdirSync(join(root, folder));
    let left = 2;
    const limited = ((...words: Parameters<typeof systemWatch>) =>
      --left < 0 ? failing('ENOSPC') : systemWatch(...words)) as typeof systemWatch;
    await start({ watch: limited });
    expect(seen('watching')).toMatchObject([
      { works: false, reason: expect.stringContaining('fs.inotify.max_user_watches') },
    ]);
    await until(() => seen('everything').length > 0);
    left = 1000;
    await until(() => seen('watching').length > 1);
    expect(seen('watching')[1]).toMatchObject({ works: true });
    await until(() => hints.some((hint) => hint.kind === 'everything' && hint.reason.includes('again')));
    hints.length = 0;
    writeFileSync(join(root, 'c', 'new'), '');
    await until(() => hints.some((hint) => hint.kind === 'folder' && hint.path === 'c'));
  });

  it('T122 with a limit of the system itself', () => {
    for (let index = 0; index < 20; index++) mkdirSync(join(root, `d${index}`));
    const main = fileURLToPath(new URL('../index.ts', import.meta.url));
    const environment = fileURLToPath(new URL('../../../environment/src/index.ts', import.meta.url));
    const program = `
      import { openNodeFilesystem } from ${JSON.stringify(main)};
      import { createSystemEnvironment, silentLog } from ${JSON.stringify(environment)};
      const filesystem = await openNodeFilesystem({ root: ${JSON.stringify(root)}, environment: createSystemEnvironment(silentLog) });
      await filesystem.watch((hint) => { if (hint.kind === 'watching') { console.log(hint.reason); process.exit(); } });`;
    let output: string;
    try {
      // The limit of a user namespace of its own: nobody else notices.
      output = execFileSync(
        'unshare',
        [
          '--user',
          '--map-root-user',
          'sh',
          '-c',
          'echo 5 > /proc/sys/user/max_inotify_watches && exec "$0" --input-type=module -e "$1"',
          process.execPath,
          program,
        ],
        { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], timeout: 15_000 },
      );
    } catch (error) {
      if (/unshare|Operation not permitted|Permission denied/.test(String((error as Error).message))) return;
      throw error;
    }
    expect(output).toContain('fs.inotify.max_user_watches');
  });

  it('T134 a folder on a network disk is polled, and the status says why', async () => {
    await start({ findNetworkDisk: () => 'NFS' });
    await until(() => seen('watching').length > 0);
    expect(seen('watching')).toMatchObject([{ works: false, reason: expect.stringContaining('NFS') }]);
    expect(findNetworkDisk(root)).toBeNull();
    expect(findNetworkDisk('/', () => -11317950)).toBe('CIFS');
    expect(findNetworkDisk('/', () => failing('ESTALE'))).toBeNull();
  });
});
