import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createTestWorld, type TestDevice, type TestWorld } from './testing/world.ts';

let world: TestWorld;
let a: TestDevice;
let b: TestDevice;

beforeEach(async () => {
  world = await createTestWorld({ backUps: true });
  a = await world.addDevice('Laptop');
  b = await world.addDevice('Desktop');
  a.disk.user.writeFile('old', 'one');
  a.start();
  b.start();
  await world.settle([a, b]);
});
afterEach(() => world.close());

const files = (device: TestDevice) =>
  Object.fromEntries(
    device.disk.user
      .walk()
      .flatMap(({ path, bytes }) => (bytes === null ? [] : [[path, new TextDecoder().decode(bytes)]])),
  );

/** A saves files, and the server has them. */
async function saveOnA(contents: Readonly<Record<string, string>>): Promise<void> {
  const before = await world.sequence();
  for (const [path, text] of Object.entries(contents)) a.disk.user.writeFile(path, text);
  const count = Object.keys(contents).length;
  await world.until('the server has what A saved', async () => (await world.sequence()) >= before + count);
}

/** B ends after files have got their names and before what it knows of them is durable. */
async function killAfterPlacing(contents: Readonly<Record<string, string>>): Promise<void> {
  let killed: Promise<void> | null = null;
  b.disk.setFaults((operation) => {
    const there = files(b);
    const isPlaced = Object.entries(contents).every(([path, text]) => there[path] === text);
    if (operation === 'syncFolders' && isPlaced) killed ??= b.kill();
    return null;
  });
  await saveOnA(contents);
  await world.until('B is killed', () => killed !== null);
  await killed;
  b.disk.setFaults(null);
}

describe('a device that ends between placing files and noting them', () => {
  test('takes nothing of it for its user’s when it changes on the server meanwhile [S-30 S-61]', async () => {
    await killAfterPlacing({ new: 'first', old: 'two, longer' });
    expect(files(b)).toEqual({ new: 'first', old: 'two, longer' });
    await saveOnA({ new: 'second one', old: 'three, longer still' });
    b.start();
    await world.settle([a, b]);
    expect(files(b)).toEqual({ new: 'second one', old: 'three, longer still' });
  });

  test('keeps what its user wrote over it before the next start [S-18]', async () => {
    await killAfterPlacing({ new: 'first' });
    b.disk.user.writeFile('new', 'by the user of B');
    await saveOnA({ new: 'second one' });
    b.start();
    await world.settle([a, b]);
    expect(Object.values(files(b)).sort()).toEqual(['by the user of B', 'one', 'second one']);
  });

  test('sends what its user did with it before the next start [S-61]', async () => {
    await killAfterPlacing({ new: 'first' });
    b.disk.user.rename('new', 'renamed');
    b.start();
    await world.settle([a, b]);
    expect(files(a)).toMatchObject({ renamed: 'first' });
  });

  test('lets nothing older of a restored server take its place [S-53]', async () => {
    await world.backUp();
    await killAfterPlacing({ old: 'two, longer' });
    a.network.offline = true;
    await world.restoreBackup();
    b.start();
    await world.until('B has compared everything', () => {
      const { state, notices } = b.engine.status();
      return state === 'in-sync' && notices.some(({ kind }) => kind === 'history-changed');
    });
    expect(Object.values(files(b))).toContain('two, longer');
  });

  test('keeps it when the server has removed it meanwhile', async () => {
    await killAfterPlacing({ new: 'first' });
    const before = await world.sequence();
    a.disk.user.remove('new');
    await world.until('it is removed', async () => (await world.sequence()) > before);
    b.start();
    await world.settle([a, b]);
    expect(files(a)['new']).toBe('first');
  });
});
