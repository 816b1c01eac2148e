import type { VersionId } from '@cairn/model';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createTestWorld, type TestDevice, type TestWorld } from './testing/world.ts';

/** Files that become others: their inode goes to a new file, or a new file takes their name while they are read. */

let world: TestWorld;
beforeEach(async () => {
  world = await createTestWorld();
});
afterEach(() => world.close());

const text = (device: TestDevice, path: string) => new TextDecoder().decode(device.disk.user.readFile(path));
const idOf = async (path: string) =>
  (await world.data.files.getByPath(world.principal, null, `/${path}`)).entry.entryId;
const versionsOf = async (path: string) =>
  await world.data.files.listVersions(world.principal, await idOf(path));

async function readVersion(path: string, versionId: VersionId): Promise<string> {
  const file = await world.data.files.openFile(world.principal, await idOf(path), { versionId });
  let whole = '';
  for await (const bytes of file.read({ start: 0, end: file.sizeBytes }))
    whole += new TextDecoder().decode(bytes);
  return whole;
}

describe('T096 an inode that is given to a new file', () => {
  let a: TestDevice;
  let b: TestDevice;
  const kinds = { 'with birth times': true, 'without birth times': false };

  async function begin(birthTimes: boolean): Promise<void> {
    a = await world.addDevice('Laptop', { disk: { capabilities: { birthTimes } } });
    b = await world.addDevice('Desktop');
    a.disk.user.makeFolder('d');
    a.disk.user.writeFile('d/f', 'one');
    a.disk.user.writeFile('keep', 'kept');
    a.start();
    b.start();
    await world.settle([a, b]);
  }

  /** Removes a file; the next thing that is made gets its inode. */
  function removeAndReuse(path: string): number {
    const { disk } = a;
    const inode = disk.user.find(path)?.inode as number;
    disk.user.remove(path);
    disk.disk.reuseInode(inode);
    return inode;
  }

  describe.each(Object.entries(kinds))('on a disk %s', (_, birthTimes) => {
    test.each([true, false])('is no move, stopped meanwhile: %s [S-19]', async (stopped) => {
      await begin(birthTimes);
      const id = await idOf('d/f');
      if (stopped) await a.stop();
      const inode = removeAndReuse('d/f');
      a.disk.user.writeFile('g', 'another one');
      expect(a.disk.user.find('g')?.inode).toBe(inode);
      if (stopped) a.start();
      await world.settle([a, b]);
      expect(text(b, 'g')).toBe('another one');
      expect(await idOf('g')).not.toBe(id);
      expect(await versionsOf('g')).toHaveLength(1);
      const { items } = await world.data.trash.list(world.principal, null, { offset: 0, limit: 100 });
      expect(items.map(({ entryId }) => entryId)).toContain(id);
    });

    test('keeps an edit that another device made of the deleted file under its own name [S-23]', async () => {
      await begin(birthTimes);
      b.network.offline = true;
      await a.stop();
      removeAndReuse('d/f');
      a.disk.user.writeFile('d/g', 'another one');
      a.start();
      await world.settle([a]);
      b.disk.user.writeFile('d/f', 'edited');
      b.network.offline = false;
      b.engine.refresh();
      await world.settle([a, b]);
      expect(a.disk.user.describe()).toEqual(b.disk.user.describe());
      expect([text(a, 'd/f'), text(a, 'd/g')]).toEqual(['edited', 'another one']);
    });

    test('a file that really moved keeps its history, also with its attributes [S-19]', async () => {
      await begin(birthTimes);
      const id = await idOf('d/f');
      await a.stop();
      a.disk.user.rename('d/f', 'moved');
      a.start();
      await world.settle([a, b]);
      expect(await idOf('moved')).toBe(id);
      expect(await versionsOf('moved')).toHaveLength(1);
    });
  });
});

describe('T104 a file that is replaced by a rename while it is read [S-6]', () => {
  const OLD = 'old '.repeat(50_000);
  const NEW = 'NEW '.repeat(50_000);
  /** In which of the calls that a reading makes the other file comes. */
  const moments = [1, 2, 3, 4];

  test.each(moments)('at call %i: what is sent is whole, and the new content comes after', async (moment) => {
    const a = await world.addDevice('Laptop');
    const b = await world.addDevice('Desktop');
    const { user } = a.disk;
    user.writeFile('doc', 'base');
    a.start();
    b.start();
    await world.settle([a, b]);
    let calls = 0;
    a.disk.setFaults((operation, path) => {
      if (path !== 'doc' || !['openRead', 'read', 'status'].includes(operation)) return null;
      calls++;
      if (calls === moment) {
        user.writeFile('saving', NEW);
        user.setModifiedAt('saving', 1_500_000_000_000_000);
        user.rename('saving', 'doc');
      }
      return null;
    });
    user.writeFile('doc', OLD);
    user.setModifiedAt('doc', 1_500_000_000_000_000);
    await world.until('it was replaced', () => calls >= moment);
    await world.settle([a, b]);
    a.disk.setFaults(null);
    expect(text(b, 'doc')).toBe(NEW);
    for (const { versionId } of await versionsOf('doc'))
      expect(['base', OLD, NEW]).toContain(await readVersion('doc', versionId));
    expect(a.disk.user.describe().map((line) => line.split(' ')[0])).toEqual(['doc']);
  });
});

test('attributes that a user sets right before a file is moved are sent [S-24]', async () => {
  const [a, b] = [await world.addDevice('Laptop'), await world.addDevice('Desktop')];
  a.disk.user.makeFolder('d');
  a.disk.user.writeFile('d/f', 'one');
  a.start();
  b.start();
  await world.settle([a, b]);
  b.disk.setFaults((operation, path) => {
    if (operation !== 'move' || path !== 'd/f') return null;
    b.disk.setFaults(null);
    b.disk.setHintsDropped(true);
    b.disk.user.setExecutable(path, true);
    b.disk.setHintsDropped(false);
    return null;
  });
  a.disk.user.rename('d/f', 'f');
  await world.until('B has moved it', () => b.disk.user.describe().some((line) => line.startsWith('f ')));
  await world.settle([a, b]);
  const isExecutable = ({ disk }: TestDevice) =>
    disk.user.walk().find(({ path }) => path === 'f')?.executable;
  expect([isExecutable(a), isExecutable(b)]).toEqual([true, true]);
});
