import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createChildProcesses, startServerProcess, waitUntil } from '../demo/child-processes.ts';
import { type MeteredProxy, startMeteredProxy } from '../demo/metered-proxy.ts';
import { createSyncWorld, type SyncDevice, type SyncWorld, untilEqual } from '../testing/sync-world.ts';
import { logPath, readLinks } from './links.ts';

describe('daemons and servers that stop at any moment', () => {
  let world: SyncWorld;
  let proxy: MeteredProxy;
  beforeEach(async () => {
    world = await createSyncWorld();
    proxy = await startMeteredProxy(world.server.port);
  });
  afterEach(async () => {
    await proxy.close();
    await world.close();
  });

  async function edit(device: SyncDevice, round: number): Promise<void> {
    const at = (...names: string[]) => join(device.folder, ...names);
    await mkdir(at(`round ${round}`), { recursive: true });
    for (let index = 0; index < 20; index++)
      await writeFile(at(`round ${round}`, `${device.name} ${index}`), randomBytes(500 + index * 4000));
    await writeFile(at(`${device.name}.txt`), `round ${round}`);
    if (round > 0) {
      await rename(at(`round ${round - 1}`, `${device.name} 1`), at(`${device.name} kept ${round}`)).catch(
        () => {},
      );
      await rm(at(`round ${round - 1}`, `${device.name} 2`), { force: true });
    }
  }

  it('changes made while a daemon is stopped or killed are found at the next start [S-62]', async () => {
    const [laptop, desktop] = await world.pair('ann');
    for (let round = 0; round < 3; round++) {
      const ended = edit(laptop, round);
      // The kill meets the daemon in whatever it happens to do after so many bytes.
      await new Promise((resolve) => setTimeout(resolve, 40 * round));
      if (round === 1) expect(await desktop.daemon?.stop()).toBe(0);
      else await desktop.daemon?.kill();
      await laptop.daemon?.kill();
      await ended;
      await edit(desktop, round);
      await Promise.all([laptop.start(), desktop.start()]);
      await untilEqual(laptop, desktop);
    }
    const names = (await readdir(laptop.folder, { recursive: true })).filter(
      (name) => !name.startsWith('.cairn'),
    );
    expect(names.filter((name) => name.includes('Conflict'))).toEqual([]);
    for (const { name, folder } of [laptop, desktop])
      expect(await readFile(join(folder, `${name}.txt`), 'utf8')).toBe('round 2');
    expect(names.filter((name) => /round 2\//.test(name))).toHaveLength(40);
  });

  it('a download that is killed shows no half file and is whole after the restart [S-4 S-7]', async () => {
    const laptop = await world.device('Laptop', { username: 'ann' });
    const desktop = await world.device('Desktop', { username: 'ann', server: proxy.url });
    await laptop.start();
    const bytes = randomBytes(8 * 1024 * 1024);
    await writeFile(join(laptop.folder, 'large.bin'), bytes);
    await laptop.until(({ state, files }) => state === 'in-sync' && files === 1, 'the upload');
    proxy.bytesPerSecond = 6 * 1024 * 1024;
    proxy.resetMeter();
    await desktop.start();
    await waitUntil(() => proxy.receivedBytes > 3 * 1024 * 1024, 'half the download');
    await desktop.daemon?.kill();
    expect(await readdir(desktop.folder)).toEqual(['.cairn']);
    proxy.bytesPerSecond = null;
    await desktop.start();
    await untilEqual(laptop, desktop);
    expect(bytes.equals(await readFile(join(desktop.folder, 'large.bin')))).toBe(true);
  });

  it('a server that is down at the start: offline, and synced when it comes', async () => {
    const laptop = await world.device('Laptop', { username: 'ann', server: proxy.url });
    await laptop.start();
    await laptop.until(({ state }) => state === 'in-sync', 'the first sync');
    await laptop.daemon?.stop();
    proxy.cut();
    await laptop.start();
    const offline = await laptop.until(({ state }) => state === 'offline', 'offline');
    expect(offline.trouble?.code).toBe('server-unreachable');
    await writeFile(join(laptop.folder, 'offline.txt'), 'written offline');
    const shown = await laptop.run('sync', 'status');
    expect(shown.output).toMatch(/offline · .*connection/);
    proxy.mend();
    const desktop = await world.device('Desktop', { username: 'ann' });
    await desktop.start();
    await laptop.run('sync', 'resume');
    await untilEqual(laptop, desktop);
    expect(await readFile(join(desktop.folder, 'offline.txt'), 'utf8')).toBe('written offline');
  });

  it('kill -9 of the server in the middle of an upload loses nothing [S-10]', async () => {
    const processes = createChildProcesses();
    try {
      const data = join(world.folder, 'other data');
      const first = await startServerProcess(processes, data);
      proxy.targetPort = first.port;
      const laptop = await world.device('Laptop', { username: 'ann', server: proxy.url });
      const desktop = await world.device('Desktop', { username: 'ann', server: proxy.url });
      await Promise.all([laptop.start(), desktop.start()]);
      const bytes = randomBytes(6 * 1024 * 1024);
      proxy.resetMeter();
      for (let index = 0; index < 6; index++)
        await writeFile(
          join(laptop.folder, `${index}.bin`),
          bytes.subarray(index * 1024 * 1024, (index + 1) * 1024 * 1024),
        );
      await waitUntil(() => proxy.sentBytes > 2 * 1024 * 1024, 'part of the upload', { everyMs: 1 });
      await first.process.kill();
      const second = await startServerProcess(processes, data);
      proxy.targetPort = second.port;
      await waitUntil(
        async () => (await stat(join(desktop.folder, '5.bin')).catch(() => null)) !== null,
        'the last file',
        { timeoutMs: 40_000 },
      );
      await untilEqual(laptop, desktop);
      for (let index = 0; index < 6; index++) {
        const there = await readFile(join(desktop.folder, `${index}.bin`));
        expect(there.equals(bytes.subarray(index * 1024 * 1024, (index + 1) * 1024 * 1024))).toBe(true);
      }
    } finally {
      await processes.killAll();
    }
  });

  it('daemons that gave their memory back at rest answer, and sync as before', async () => {
    const [laptop, desktop] = await world.pair('ann');
    const given = (device: SyncDevice): number => {
      const [link] = readLinks(device.home);
      const said = link === undefined ? '' : readFileSync(logPath(device.home, link), 'utf8');
      // Warnings of the runtime go to where the daemon's words go.
      expect(said + device.daemon?.output).not.toContain('ExperimentalWarning');
      return said.split('daemon.memory-given-back').length - 1;
    };
    await writeFile(join(laptop.folder, 'large.bin'), randomBytes(40 * 1024 * 1024));
    await untilEqual(laptop, desktop);
    await waitUntil(() => given(laptop) > 0 && given(desktop) > 0, 'memory is given back');
    expect((await laptop.status()).state).toBe('in-sync');
    expect((await laptop.why('large.bin')).verdict).toBe('in-sync');
    await edit(laptop, 0);
    await untilEqual(laptop, desktop);
    await edit(desktop, 1);
    await writeFile(join(laptop.folder, 'large.bin'), randomBytes(20 * 1024 * 1024));
    await untilEqual(laptop, desktop);
    expect((await stat(join(desktop.folder, 'large.bin'))).size).toBe(20 * 1024 * 1024);
  });

  it('without WebSockets it asks now and then [S-60]', async () => {
    proxy.refusesWebSockets = true;
    const laptop = await world.device('Laptop', { username: 'ann' });
    const desktop = await world.device('Desktop', { username: 'ann', server: proxy.url });
    await Promise.all([laptop.start(), desktop.start()]);
    await desktop.until(
      ({ state, connection }) => state === 'in-sync' && connection === 'polling',
      'the start without a socket',
    );
    await writeFile(join(laptop.folder, 'polled.txt'), 'polled');
    await waitUntil(
      async () => (await readFile(join(desktop.folder, 'polled.txt'), 'utf8').catch(() => '')) === 'polled',
      'a poll',
    );
    // The file is there before the device has noted that it is.
    await desktop.until(({ state }) => state === 'in-sync', 'rest');
    expect((await desktop.run('sync', 'status')).output).toContain('asking the server now and then');
  });
});
