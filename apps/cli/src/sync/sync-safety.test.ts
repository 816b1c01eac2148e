import { chmod, chown, mkdir, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { waitUntil } from '../demo/child-processes.ts';
import { startMeteredProxy } from '../demo/metered-proxy.ts';
import { startPortal, startRewritingProxy } from '../testing/rewriting-proxy.ts';
import { createSyncWorld, type SyncDevice, type SyncWorld, untilEqual } from '../testing/sync-world.ts';
import { readLinks, stateFolder } from './links.ts';

const NOBODY = 65534;
const IS_ROOT = process.getuid?.() === 0;

describe('what must never end in loss', () => {
  let world: SyncWorld;
  beforeAll(async () => {
    world = await createSyncWorld();
  });
  afterAll(() => world?.close());

  async function putFiles(device: SyncDevice, count = 5): Promise<void> {
    for (let index = 0; index < count; index++)
      await writeFile(join(device.folder, `${index}.txt`), `${index}`);
    await device.until(({ state, files }) => state === 'in-sync' && files === count, 'the files');
  }
  const serverNames = async (device: SyncDevice): Promise<string[]> =>
    JSON.parse((await device.run('list', '/', '--json')).output).entries.map(
      ({ name }: { name: string }) => name,
    );

  it('two daemons on one folder are refused, from the same device and from another one [S-54]', async () => {
    const [laptop] = await world.pair('one-folder');
    const again = await laptop.startInVain();
    expect(again).toMatchObject({ exitCode: 1 });
    expect(again.output).toContain('is being synced by another process already');
    const other = await world.device('Other', { username: 'one-folder', folder: laptop.folder });
    const second = await other.startInVain();
    expect(second.exitCode).toBe(1);
    expect(second.output).toContain('is being synced by another process already');
    expect((await laptop.status()).state).toBe('in-sync');
  });

  it('folders inside one another are refused, in either order and around the own state [S-54]', async () => {
    const laptop = await world.device('Laptop', { username: 'nested' });
    expect((await laptop.run('sync', 'add', laptop.folder)).exitCode).toBe(0);
    for (const folder of [
      join(laptop.folder, 'inside'),
      world.folder,
      laptop.home,
      join(laptop.home, 'in'),
    ]) {
      const refused = await laptop.run('sync', 'add', folder);
      expect(refused.exitCode).toBe(2);
      expect(refused.errors).toContain('must not contain each other');
    }
    await laptop.start();
    await laptop.until(({ state }) => state === 'in-sync', 'the start');
    const other = await world.device('Other', { username: 'nested' });
    const refused = await other.run('sync', 'add', join(laptop.folder, 'inside'));
    expect(refused.errors).toContain('must not contain each other');
  });

  it('the whole disk is refused [S-54]', async () => {
    const laptop = await world.device('Laptop', { username: 'disk' });
    const refused = await laptop.run('sync', 'add', '/');
    expect(refused.exitCode).toBe(2);
    expect(refused.errors).toMatch(/whole disk|must not contain/);
  });

  it.each([
    ['damaged', async (path: string) => writeFile(path, Buffer.alloc(20_000, 'x'))],
    ['lost', async (path: string) => rm(path)],
  ])(
    'T149 a device database that is %s costs a comparison, nothing else; the damaged one is kept [S-51 S-52]',
    async (how, harm) => {
      const [laptop, desktop] = await world.pair(`database-${how}`);
      await putFiles(laptop);
      await untilEqual(laptop, desktop);
      await laptop.daemon?.stop();
      const link = readLinks(laptop.home)[0];
      if (link === undefined) throw new Error('no link');
      const state = stateFolder(laptop.home, link);
      for (const suffix of ['-wal', '-shm']) await rm(join(state, `trees.sqlite${suffix}`), { force: true });
      await harm(join(state, 'trees.sqlite'));
      const asked = await laptop.run('sync', 'status');
      expect(asked.output).toContain('not running');
      await rm(join(desktop.folder, '4.txt'));
      await writeFile(join(laptop.folder, '0.txt'), 'edited meanwhile');
      await desktop.until(({ state: now, files }) => now === 'in-sync' && files === 4, 'the delete');
      await laptop.start();
      await untilEqual(laptop, desktop);
      const names = (await readdir(desktop.folder)).filter((name) => name !== '.cairn');
      expect(names.length).toBeGreaterThanOrEqual(5);
      const contents = await Promise.all(names.map((name) => readFile(join(desktop.folder, name), 'utf8')));
      expect(contents).toContain('edited meanwhile');
      for (const content of ['1', '2', '3']) expect(contents).toContain(content);
      const kept = (await readdir(state)).filter((name) => name.includes('damaged'));
      expect(kept.length > 0).toBe(how === 'damaged');
    },
  );

  it.each([
    ['its marker is lost', async (folder: string) => rm(join(folder, '.cairn', 'marker'))],
    ['it was moved away', async (folder: string) => rename(folder, `${folder}-away`)],
    [
      'an empty folder is in its place',
      async (folder: string) => {
        await rename(folder, `${folder}-away`);
        await mkdir(folder);
      },
    ],
  ])('a folder: %s; the daemon ends and nothing is deleted', async (what, harm) => {
    const username = `root-${what.length}`;
    const [laptop, desktop] = await world.pair(username);
    await putFiles(laptop);
    await untilEqual(laptop, desktop);
    await harm(laptop.folder);
    // Whatever it notices first: the next change or the next look at everything.
    await laptop.run('sync', 'resume', laptop.folder).catch(() => undefined);
    const exitCode = await laptop.daemon?.ended;
    expect(laptop.daemon?.output).toMatch(/Nothing was deleted|missing or has been replaced/);
    expect(exitCode).toBe(1);
    const again = await laptop.startInVain();
    expect(again.exitCode).not.toBe(0);
    expect((await desktop.status()).files).toBe(5);
    expect(await serverNames(desktop)).toHaveLength(5);
    expect((await readdir(desktop.folder)).filter((name) => name !== '.cairn')).toHaveLength(5);
  });

  it('a revoked device ends with a message and status 3; its files stay [S-73]', async () => {
    const [laptop, desktop] = await world.pair('revoked');
    await putFiles(laptop, 2);
    await untilEqual(laptop, desktop);
    expect((await laptop.run('devices', 'revoke', 'Desktop')).exitCode).toBe(0);
    expect(await desktop.daemon?.ended).toBe(3);
    expect(desktop.daemon?.output).toContain('cairn login');
    expect((await readdir(desktop.folder)).filter((name) => name !== '.cairn')).toHaveLength(2);
    expect((await laptop.status()).files).toBe(2);
  });

  it('an expired token is renewed without a word; a sign-in that has ended ends the daemon with status 3', async () => {
    const laptop = await world.device('Laptop', { username: 'expired' });
    const path = join(laptop.home, 'session.json');
    const session = JSON.parse(await readFile(path, 'utf8'));
    await writeFile(path, JSON.stringify({ ...session, accessTokenExpiresAt: 1, receivedAt: 1 }));
    await laptop.start();
    await laptop.until(({ state, connection }) => state === 'in-sync' && connection === 'live', 'renewal');
    await laptop.daemon?.stop();
    const renewed = JSON.parse(await readFile(path, 'utf8'));
    expect(renewed.refreshToken).not.toBe(session.refreshToken);
    const old = { accessTokenExpiresAt: 1, receivedAt: 1 };
    await writeFile(path, JSON.stringify({ ...renewed, ...old, refreshToken: 'nonsense' }));
    const refused = await laptop.startInVain();
    expect(refused.exitCode).toBe(3);
    expect(refused.output).toContain('cairn login');
  });

  it('a server that is none: a clear message, and nothing is deleted [S-72]', async () => {
    const network = await startMeteredProxy(world.server.port);
    const portal = await startPortal();
    try {
      const laptop = await world.device('Laptop', { username: 'portal', server: network.url });
      await laptop.start();
      await putFiles(laptop, 3);
      network.targetPort = Number(new URL(portal.url).port);
      network.cut();
      network.mend();
      await writeFile(join(laptop.folder, '0.txt'), 'edited in the hotel');
      const status = await laptop.until(({ trouble }) => trouble !== null, 'trouble');
      expect(status.trouble).toMatchObject({ code: 'not-a-cairn-server' });
      expect((await laptop.run('sync', 'status')).output).toContain('not a Cairn server');
      expect((await readdir(laptop.folder)).filter((name) => name !== '.cairn')).toHaveLength(3);
      network.targetPort = world.server.port;
      await laptop.run('sync', 'resume');
      await laptop.until(({ state, files }) => state === 'in-sync' && files === 3, 'the way home');
    } finally {
      await portal.close();
      await network.close();
    }
  });

  it('names and parents that climb out are refused, and nothing is written outside [S-9]', async () => {
    const laptop = await world.device('Laptop', { username: 'climb' });
    await mkdir(join(laptop.folder, 'below'));
    for (const name of ['climb-1', 'climb-2', 'climb-3', 'climb-4', 'below/through', 'honest'])
      await writeFile(join(laptop.folder, name), name);
    const outside = join(world.folder, 'climb-outside');
    await mkdir(outside);
    await symlink(outside, join(laptop.folder, 'link'));
    await laptop.start();
    await laptop.until(({ state, files }) => state === 'in-sync' && files === 7, 'the honest upload');
    const names: Record<string, string> = {
      'climb-1': '../climbed',
      'climb-2': join(outside, 'climbed'),
      'climb-3': '..',
      'climb-4': '.cairn/marker',
    };
    const proxy = await startRewritingProxy(world.server.url, (path, answer) => {
      if (!/\/snapshot|\/sync\/changes/.test(path)) return answer;
      const entries = (answer.entries ?? answer.changes.map(({ entry }: { entry: unknown }) => entry)).filter(
        (entry: unknown) => entry !== null,
      );
      const link = entries.find(({ name }: { name: string }) => name === 'link');
      for (const entry of entries) {
        entry.name = names[entry.name] ?? entry.name;
        if (entry.name === 'through' && link !== undefined) entry.parentId = link.entryId;
      }
      return answer;
    });
    try {
      const victim = await world.device('Victim', { username: 'climb', server: proxy.url });
      await writeFile(join(victim.folder, 'own.txt'), 'mine');
      await victim.start();
      const before = (await readdir(world.folder)).sort();
      await waitUntil(async () => {
        const status = await victim.status();
        return status.state !== 'starting' && status.state !== 'syncing';
      }, 'an end of the attempt');
      expect((await readdir(world.folder)).sort()).toEqual(before);
      expect(await readdir(outside)).toEqual([]);
      expect(JSON.parse(await readFile(join(victim.folder, '.cairn', 'marker'), 'utf8')).product).toBe(
        'cairn',
      );
      expect(await readFile(join(victim.folder, 'own.txt'), 'utf8')).toBe('mine');
      const { state, trouble, problems, issues, unsynced } = await victim.status();
      expect([state, trouble, problems, issues, unsynced]).not.toEqual(['in-sync', null, [], [], []]);
    } finally {
      await proxy.close();
    }
  });

  it('what cannot be read is listed, syncs nowhere, and is deleted nowhere', async ({ skip }) => {
    skip(!IS_ROOT, 'only root may run a daemon as another user');
    const laptop = await world.device('Laptop', { username: 'unreadable', uid: NOBODY });
    const desktop = await world.device('Desktop', { username: 'unreadable' });
    await mkdir(join(laptop.folder, 'folder'));
    for (const path of ['folder/kept', 'file', 'other'])
      await writeFile(join(laptop.folder, path), path, { mode: 0o644 });
    for (const path of ['folder', 'folder/kept', 'file', 'other'])
      await chown(join(laptop.folder, path), NOBODY, NOBODY);
    await Promise.all([laptop.start(), desktop.start()]);
    await untilEqual(laptop, desktop);
    await chmod(join(laptop.folder, 'folder'), 0o000);
    await writeFile(join(laptop.folder, 'new'), 'nobody may read this', { mode: 0o000 });
    await chown(join(laptop.folder, 'new'), NOBODY, NOBODY);
    await chmod(join(laptop.folder, 'file'), 0o000);
    await writeFile(join(laptop.folder, 'other'), 'edited');
    await waitUntil(
      async () => (await readFile(join(desktop.folder, 'other'), 'utf8')) === 'edited',
      'the other file',
    );
    const status = await laptop.until(({ unsynced, problems }) => {
      const listed = [...unsynced.map(({ path }) => path), ...problems.map(({ path }) => path)];
      return listed.includes('folder') && listed.includes('new');
    }, 'the list');
    expect(status.state).toBe('waiting');
    expect(await readFile(join(desktop.folder, 'folder', 'kept'), 'utf8')).toBe('folder/kept');
    expect(await readFile(join(desktop.folder, 'file'), 'utf8')).toBe('file');
    expect(await readdir(desktop.folder)).not.toContain('new');
    expect(await laptop.why('folder')).toMatchObject({ verdict: 'unsyncable' });
    await writeFile(join(desktop.folder, 'folder', 'kept'), 'edited there');
    await chmod(join(laptop.folder, 'folder'), 0o755);
    await chmod(join(laptop.folder, 'file'), 0o644);
    await chmod(join(laptop.folder, 'new'), 0o644);
    await untilEqual(laptop, desktop);
    expect(await readFile(join(laptop.folder, 'folder', 'kept'), 'utf8')).toBe('edited there');
  });
});
