import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createTestWorld, type TestWorld } from './testing/world.ts';

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
