import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createTestWorld, type TestDevice, type TestWorld } from './testing/world.ts';

const MIB = 1024 * 1024;

describe('copies of files', () => {
  let world: TestWorld;
  let a: TestDevice;
  let b: TestDevice;

  beforeEach(async () => {
    world = await createTestWorld();
    a = await world.addDevice('Laptop');
    b = await world.addDevice('Desktop');
    a.start();
    b.start();
    await world.settle([a, b]);
  });
  afterEach(() => world.close());

  const equal = (device: TestDevice, path: string, bytes: Uint8Array) =>
    Buffer.compare(device.disk.user.readFile(path), bytes) === 0;

  /** Not by comparing whole disks all the time, which takes long for large files. */
  const isThere = (path: string) =>
    world.until(`${path} is on both`, () =>
      [a, b].every(({ disk, engine }) => disk.user.find(path) && engine.status().state === 'in-sync'),
    );

  test.each([MIB, 3 * MIB, 24 * MIB])('bring no bytes (%i bytes)', async (sizeBytes) => {
    const bytes = randomBytes(sizeBytes);
    a.disk.user.writeFile('original.bin', bytes);
    await isThere('original.bin');
    const [sent, received] = [a.network.sentBlocks, b.network.readBlocks];
    const reused = b.engine.status().counters.reusedBytes;
    a.disk.user.writeFile('copy.bin', bytes);
    await isThere('copy.bin');
    expect(equal(b, 'copy.bin', bytes)).toBe(true);
    expect(a.network.sentBlocks).toBe(sent);
    // At most the blocks of its list, of some dozens of chunks each.
    expect(b.network.readBlocks - received).toBeLessThanOrEqual(sizeBytes / (4 * MIB));
    expect(b.engine.status().counters.reusedBytes - reused).toBe(sizeBytes);
  });

  test('small ones of many bring none either', async () => {
    const files = Array.from({ length: 60 }, () => randomBytes(40_000));
    for (const [index, bytes] of files.entries()) a.disk.user.writeFile(`original-${index}`, bytes);
    await world.settle([a, b]);
    const reused = b.engine.status().counters.reusedBytes;
    for (const [index, bytes] of files.entries()) a.disk.user.writeFile(`copy-${index}`, bytes);
    await world.settle([a, b]);
    for (const [index, bytes] of files.entries()) expect(equal(b, `copy-${index}`, bytes)).toBe(true);
    expect(b.engine.status().counters.reusedBytes).toBeGreaterThan(reused);
  });

  test('are fetched where the original is not any more what it was seen to be', async () => {
    const bytes = randomBytes(2 * MIB);
    a.disk.user.writeFile('original.bin', bytes);
    await world.settle([a, b]);
    await b.stop();
    a.disk.user.writeFile('copy.bin', bytes);
    await world.settle([a]);
    const edited = Buffer.from(bytes);
    edited.fill(7, 0, MIB);
    b.disk.user.writeFile('original.bin', edited);
    b.start();
    await world.settle([a, b]);
    for (const device of [a, b]) {
      expect(equal(device, 'copy.bin', bytes)).toBe(true);
      expect(equal(device, 'original.bin', edited)).toBe(true);
    }
  });
});
