import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createTestWorld, type TestDevice, type TestWorld } from './testing/world.ts';

/** T151: a device's database is restored from a copy, the folder is not. */
describe('an older copy of the database put back', () => {
  let world: TestWorld;
  let a: TestDevice;
  let b: TestDevice;

  beforeEach(async () => {
    world = await createTestWorld();
    a = await world.addDevice('Laptop');
    b = await world.addDevice('Desktop');
    a.disk.user.makeFolder('films');
    a.disk.user.writeFile('films/one', 'a film');
    a.disk.user.writeFile('text', 'a text');
    a.start();
    b.start();
    await world.settle([a, b]);
  });
  afterEach(() => world.close());

  const names = (device: TestDevice) => device.disk.user.walk().map(({ path }) => path);

  test('what was deselected since is not taken for deleted, even after a kill [S-51]', async () => {
    b.keepTrees();
    await b.engine.select({ exclude: ['films'] });
    await world.until('the films are gone from B', () => !names(b).includes('films'));
    await b.kill();
    b.restoreTrees();
    b.start();
    await world.settle([a, b]);
    expect(names(a)).toEqual(['films', 'films/one', 'text']);
    expect(b.engine.status().notices[0]?.kind).toBe('known-anew');
  });

  test('what came back on the server while the device was off is not deleted again [S-51]', async () => {
    b.keepTrees();
    b.disk.user.remove('text');
    await world.until('the text is gone from A', () => !names(a).includes('text'));
    await world.settle([a, b]);
    await b.stop();
    const { items } = await world.data.trash.list(world.principal, world.spaceId, { offset: 0, limit: 9 });
    const [removed] = items;
    if (removed === undefined) throw new Error('the trash is empty');
    await world.data.trash.restore(world.principal, removed.entryId);
    await world.until('the text is back on A', () => names(a).includes('text'));
    b.restoreTrees();
    b.start();
    await world.settle([a, b]);
    expect(names(b)).toContain('text');
  });

  test('the database that belongs to the folder costs no comparison, however it ended [S-51]', async () => {
    await b.stop();
    b.start();
    await world.settle([a, b]);
    await b.restart();
    await world.settle([a, b]);
    expect(b.engine.status().notices).toEqual([]);
  });

  test('a marker that cannot be written stops nothing, and is written later', async () => {
    b.keepTrees();
    b.disk.setFaults((operation) => (operation === 'writeMarker' ? 'ENOSPC' : null));
    await b.engine.select({ exclude: ['films'] });
    await world.until('the films are gone from B', () => !names(b).includes('films'));
    const marker = () => Buffer.from(b.disk.user.readFile('.cairn/marker')).toString();
    const before = marker();
    b.disk.setFaults(null);
    b.engine.refresh();
    await world.until('the marker is written', () => marker() !== before);
    await b.kill();
    b.restoreTrees();
    b.start();
    await world.settle([a, b]);
    expect(names(a)).toEqual(['films', 'films/one', 'text']);
  });

  test('an empty folder that takes the place of the disk gets no marker', async () => {
    b.disk.setRootPresent(false);
    await b.stop();
    b.disk.setRootPresent(true);
    b.start();
    await world.settle([a, b]);
    expect(names(a)).toEqual(['films', 'films/one', 'text']);
  });
});
