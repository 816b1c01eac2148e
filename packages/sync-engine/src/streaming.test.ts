import { afterEach, beforeEach, expect, test } from 'vitest';
import { createTestWorld, type TestDevice, type TestWorld } from './testing/world.ts';

/** Every file travels beside the loop, and is announced. */
const OPTIONS = { largeBytes: 1, ahead: { keepFreeBytes: 0 } };
/** Some thirty chunks. */
const SIZE_BYTES = 2 * 1024 * 1024;

let world: TestWorld;
let a: TestDevice;
let b: TestDevice;
/** Opens the way for commits of the first device. */
let letCommit: () => void;

beforeEach(async () => {
  world = await createTestWorld();
  a = await world.addDevice('Laptop', OPTIONS);
  b = await world.addDevice('Desktop', OPTIONS);
});
afterEach(() => world.close());

function fill(seed: number): Uint8Array {
  const bytes = new Uint8Array(SIZE_BYTES);
  let state = seed;
  for (let index = 0; index < bytes.length; index++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    bytes[index] = state >>> 24;
  }
  return bytes;
}

async function begin(): Promise<void> {
  a.start();
  b.start();
  await world.settle([a, b]);
  const open = new Promise<void>((resolve) => {
    letCommit = resolve;
  });
  a.network.gate = async (request) => {
    if (request === 'commit') await open;
  };
}

const receivedBytes = (device: TestDevice) =>
  device.engine.status().receivingAhead.reduce((sum, file) => sum + file.receivedBytes, 0);
const ofAhead = (device: TestDevice) =>
  device.disk.user.temporaries().filter((name) => name.startsWith('ahead-'));

test('a large file is on the other device when it is committed, and is seen there no sooner', async () => {
  await begin();
  a.disk.user.writeFile('film', fill(1));
  await world.until('all of it is there', () => receivedBytes(b) === SIZE_BYTES);
  expect(b.disk.user.walk()).toEqual([]);
  expect(b.engine.status().receivingAhead[0]?.path).toBe('film');
  expect(b.engine.explain('film')).toMatchObject({
    verdict: 'pending',
    lines: [expect.stringContaining('2.0 of 2.0 MiB have been received ahead')],
  });
  expect(b.engine.explain('other').verdict).toBe('unknown-path');
  const readBefore = b.network.readBlocks;
  letCommit();
  await world.settle([a, b]);
  expect(b.disk.user.find('film')?.bytes).toEqual(a.disk.user.find('film')?.bytes);
  expect(b.network.readBlocks).toBe(readBefore);
  expect(b.engine.status().counters).toMatchObject({ aheadBytes: SIZE_BYTES, downloadedFiles: 1 });
  expect(b.disk.user.temporaries()).toEqual([]);
  expect(b.engine.status().receivingAhead).toEqual([]);
});

test('an edit is put together from what came ahead and from the version before', async () => {
  a.disk.user.writeFile('film', fill(1));
  await begin();
  const edited = fill(1);
  edited.set(new TextEncoder().encode('another scene'), SIZE_BYTES / 2);
  a.disk.user.writeFile('film', edited);
  await world.until('something came ahead', () => receivedBytes(b) > 0);
  expect(b.engine.explain('film').lines.at(-1)).toContain('Another device is sending it now');
  letCommit();
  await world.settle([a, b]);
  expect(b.disk.user.find('film')?.bytes).toEqual(edited);
  expect(b.disk.user.temporaries()).toEqual([]);
});

test('another content than was announced is committed: only what is the same counts', async () => {
  await begin();
  a.disk.user.writeFile('film', fill(1));
  await world.until('all of it is there', () => receivedBytes(b) === SIZE_BYTES);
  const edited = new Uint8Array(SIZE_BYTES - 100_000);
  edited.set(fill(1).subarray(0, 700_000));
  edited.set(fill(2).subarray(0, edited.length - 700_000), 700_000);
  b.network.hintsDropped = true;
  a.disk.user.writeFile('film', edited);
  letCommit();
  await world.until('the last content is committed', async () => {
    const film = await world.data.files.getByPath(world.principal, null, '/film').catch(() => null);
    return film?.entry.kind === 'file' && film.entry.content.sizeBytes === edited.length;
  });
  b.network.hintsDropped = false;
  b.engine.refresh();
  await world.settle([a, b]);
  expect(b.disk.user.find('film')?.bytes).toEqual(edited);
  expect(b.disk.user.temporaries()).toEqual([]);
});

test('a sender that is killed leaves nothing to see, and what came of it is used when it begins anew', async () => {
  await begin();
  a.disk.user.writeFile('film', fill(1));
  await world.until('all of it is there', () => receivedBytes(b) === SIZE_BYTES);
  a.network.offline = true;
  letCommit();
  await a.kill();
  expect(b.disk.user.walk()).toEqual([]);
  a.network.offline = false;
  a.start();
  await world.settle([a, b]);
  expect(b.disk.user.find('film')?.bytes).toEqual(fill(1));
});

test.each([
  ['killed', () => b.kill()],
  ['cut off from its power', () => b.cutPower()],
])('a receiver that is %s begins with an empty area', async (_how, end) => {
  await begin();
  a.disk.user.writeFile('film', fill(1));
  await world.until('all of it is there', () => receivedBytes(b) === SIZE_BYTES);
  await end();
  b.start();
  await world.until('it runs', () => b.engine.status().state === 'in-sync');
  expect(ofAhead(b)).toEqual([]);
  expect(b.disk.user.walk()).toEqual([]);
  letCommit();
  await world.until('it is here', () => b.disk.user.find('film') !== null);
  expect(b.disk.user.find('film')?.bytes).toEqual(fill(1));
  expect(b.disk.user.temporaries()).toEqual([]);
});

test('without any announcement nothing is received ahead, and all comes as ever', async () => {
  await begin();
  b.network.hintsDropped = true;
  letCommit();
  const before = await world.sequence();
  a.disk.user.writeFile('film', fill(1));
  await world.until('it is committed', async () => (await world.sequence()) > before);
  b.network.hintsDropped = false;
  b.engine.refresh();
  await world.settle([a, b]);
  expect(b.engine.status().counters).toMatchObject({ aheadBytes: 0, downloadedFiles: 1 });
});

test('what this device leaves out is not received', async () => {
  await begin();
  await b.engine.select({ exclude: ['film'] });
  a.disk.user.writeFile('film', fill(1));
  a.disk.user.writeFile('song', fill(2));
  await world.until('the other one is there', () => receivedBytes(b) === SIZE_BYTES);
  expect(b.engine.status().receivingAhead.map(({ path }) => path)).toEqual(['song']);
  letCommit();
  await world.until('the song came', () => b.disk.user.find('song') !== null);
  expect(b.disk.user.find('film')).toBeNull();
});
