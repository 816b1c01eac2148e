import type { Filesystem } from '@cairn/filesystem';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createTestWorld, type TestDevice, type TestWorld } from './testing/world.ts';

let world: TestWorld;

beforeEach(async () => {
  world = await createTestWorld();
});
afterEach(() => world.close());

async function readVersions(path: string): Promise<string[]> {
  const { data, principal } = world;
  const { entry } = await data.files.getByPath(principal, null, `/${path}`);
  const contents: string[] = [];
  for (const { versionId } of await data.files.listVersions(principal, entry.entryId)) {
    const file = await data.files.openFile(principal, entry.entryId, { versionId });
    const pieces: Uint8Array[] = [];
    for await (const piece of file.read({ start: 0, end: file.sizeBytes })) pieces.push(piece);
    contents.push(Buffer.concat(pieces).toString());
  }
  return contents;
}

describe('a file that is written while it is read', () => {
  /** Small enough to be read in one go, though not by a disk that gives little at a time. */
  const OLD = 'old '.repeat(10_000);
  const NEW = 'NEW '.repeat(10_000);

  test.each([1, 2, 7])('at read %i is never kept as a mixture [S-6]', async (moment) => {
    const a = await world.addDevice('Laptop', { disk: { longestReadBytes: 4096 } });
    const b = await world.addDevice('Desktop');
    a.start();
    b.start();
    await world.settle([a, b]);
    let reads = 0;
    a.disk.setFaults((operation, path) => {
      if (operation === 'read' && path === 'doc' && ++reads === moment) a.disk.user.writeFile('doc', NEW);
      return null;
    });
    a.disk.user.writeFile('doc', OLD);
    const shows = () => Buffer.from(b.disk.user.find('doc')?.bytes ?? '').toString();
    await world.until('the new content is on the other device', () => shows() === NEW);
    await world.settle([a, b]);
    for (const content of await readVersions('doc')) expect([OLD, NEW]).toContain(content);
  });
});

test('an edit that is seen while the file before it is still being read is not taken for what was read [S-6 S-65]', async () => {
  const a: TestDevice = await world.addDevice('Laptop', {
    // Files of this size are read beside the engine's loop: it sees the edit before the reading has ended.
    filesystem: openedSlowly(
      () => a.disk.filesystem,
      async () => {
        a.disk.user.writeFile('film', 'the edit');
        const seen = () =>
          [...a.trees.local.values()].some(({ name, sizeBytes }) => name === 'film' && sizeBytes === 8);
        await world.until('the edit is seen', seen);
      },
    ),
  });
  a.disk.user.writeFile('film', new Uint8Array(33 * 1024 * 1024));
  a.start();
  await world.until('something is committed', async () => (await world.sequence()) > 0);
  await world.settle([a]);
  expect((await readVersions('film'))[0]?.slice(0, 20)).toBe('the edit');
});

test('a file that becomes a link before it is sent holds up nothing else [S-6]', async () => {
  const a = await world.addDevice('Laptop');
  // The server lacks what was sent with the first reading, so that the commit reads the files once more.
  a.network.missingBlocks = 1;
  let opened = 0;
  let isReplaced = false;
  const trouble: string[] = [];
  a.disk.setFaults((operation, path) => {
    if (operation === 'openRead' && path === 'doc' && ++opened === 2) {
      isReplaced = true;
      a.disk.user.remove('doc');
      a.disk.user.makeLink('doc', 'other');
    }
    return null;
  });
  a.disk.user.writeFile('doc', 'first');
  a.disk.user.writeFile('other', 'beside it');
  a.start();
  const stop = a.engine.onChange(() => {
    const { trouble: now } = a.engine.status();
    if (now !== null) trouble.push(now.code);
  });
  await world.settle([a]);
  stop();
  expect(isReplaced).toBe(true);
  expect(trouble).toEqual([]);
  expect(a.disk.user.describe().join('\n')).toContain('doc');
  const { data, principal } = world;
  expect((await data.files.getByPath(principal, null, '/doc')).entry.kind).toBe('link');
  expect(await readVersions('other')).toEqual(['beside it']);
});

/** A disk as it is, on which something happens before the first file that was opened for reading is closed. */
function openedSlowly(disk: () => Filesystem, beforeFirstClose: () => Promise<void>): Filesystem {
  let isFirst = true;
  const openRead: Filesystem['openRead'] = async (path) => {
    const handle = await disk().openRead(path);
    return {
      ...handle,
      async close() {
        const act = isFirst;
        isFirst = false;
        if (act) await beforeFirstClose();
        await handle.close();
      },
    };
  };
  const handler = {
    get: (_: object, key: string) => (key === 'openRead' ? openRead : Reflect.get(disk(), key)),
  };
  return new Proxy({}, handler) as Filesystem;
}
