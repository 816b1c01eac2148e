import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createTestWorld, type TestDevice, type TestWorld } from './testing/world.ts';

let world: TestWorld;
let a: TestDevice;

beforeEach(async () => {
  world = await createTestWorld();
  a = await world.addDevice('Laptop');
});
afterEach(() => world.close());

const state = () => a.engine.status().state;

describe('"in sync" is said only when it is so [S-74]', () => {
  test('not while the server cannot be asked, although nothing else is to be done', async () => {
    a.disk.user.writeFile('f', 'one');
    a.start();
    await world.settle([a]);
    a.network.offline = true;
    a.disk.user.writeFile('f', 'two');
    await world.until('it knows that it is behind', () => state() === 'offline');
    a.network.offline = false;
    a.engine.refresh();
    await world.settle([a]);
  });

  test('not while a file cannot be read', async () => {
    a.disk.user.writeFile('good', '1');
    a.disk.user.writeFile('bad', '2');
    a.disk.setFaults((operation, path) => (operation === 'openRead' && path === 'bad' ? 'EACCES' : null));
    a.start();
    await world.until('the rest is done', () => state() === 'waiting');
    expect(a.engine.explain('bad').verdict).not.toBe('in-sync');
    expect(a.engine.explain('good').verdict).toBe('in-sync');
  });

  test('not while the folder cannot be listed, although nothing is known of what is in it [S-45]', async () => {
    a.start();
    await world.settle([a]);
    a.disk.setFaults((operation) => (operation === 'list' ? 'EACCES' : null));
    a.disk.user.writeFile('f', 'one');
    await a.restart();
    await world.until('it has looked', () => ['waiting', 'in-sync'].includes(state()));
    expect(state()).toBe('waiting');
    expect(a.engine.status().unsynced).toContainEqual({ path: '/', reason: 'unreadable' });
    a.disk.setFaults(null);
    a.engine.refresh();
    await world.settle([a]);
    expect(await world.sequence()).toBe(1);
  });

  test('not while a folder below cannot be looked at [S-45]', async () => {
    a.disk.user.makeFolder('d');
    a.disk.user.writeFile('d/f', 'one');
    a.start();
    await world.settle([a]);
    a.disk.setFaults((operation, path) => (operation === 'status' && path === 'd' ? 'ESTALE' : null));
    a.disk.user.writeFile('d/f', 'two');
    await world.until('it has looked', () => a.engine.status().unsynced.length > 0);
    await world.until('it rests', () => ['waiting', 'in-sync'].includes(state()));
    expect(state()).toBe('waiting');
    a.disk.setFaults(null);
    a.engine.refresh();
    await world.settle([a]);
    expect(await world.sequence()).toBe(3);
  });

  test('not while deletes wait for the user', async () => {
    const careful = await world.addDevice('Careful', { brake: { count: 2, share: 0.1 } });
    for (let index = 0; index < 10; index++) a.disk.user.writeFile(`f${index}`, `${index}`);
    a.start();
    careful.start();
    await world.settle([a, careful]);
    for (let index = 0; index < 10; index++) a.disk.user.remove(`f${index}`);
    await world.until('it asks', () => careful.engine.status().state === 'held');
    expect(careful.engine.status().state).not.toBe('in-sync');
  });
});

test('a commit whose blocks the server lacks is made again with its blocks [S-58]', async () => {
  a.start();
  await world.settle([a]);
  a.network.missingBlocks = 1;
  const sent = a.network.sentBlocks;
  a.disk.user.writeFile('f', 'content');
  await world.until('it is committed', async () => (await world.sequence()) === 1);
  await world.settle([a]);
  expect(a.network.missingBlocks).toBe(0);
  expect(a.network.sentBlocks).toBeGreaterThan(sent);
});

test('a file that changes twice within one tick of its disk is not taken for unchanged [S-65]', async () => {
  const second = 1_000_000_000n;
  const coarse = await world.addDevice('Coarse', {
    disk: { timeGranularityNs: 2n * second, changeGranularityNs: 2n * second },
  });
  coarse.start();
  await world.settle([coarse]);
  // At the beginning of a tick, so that both saves are within it.
  await world.until('a tick begins', () => Date.now() % 2000 < 200);
  coarse.disk.user.writeFile('f', 'one');
  await world.until('it was seen', () => [...coarse.trees.local.values()].some(({ name }) => name === 'f'));
  coarse.disk.user.writeFile('f', 'two');
  await world.until('it is committed', async () => (await world.sequence()) > 0);
  await world.settle([coarse]);
  a.start();
  await world.settle([coarse, a]);
  expect(Buffer.from(a.disk.user.readFile('f')).toString()).toBe('two');
});
