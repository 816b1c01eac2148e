import { afterEach, beforeEach, expect, test } from 'vitest';
import { createTestWorld, type TestDevice, type TestWorld } from './testing/world.ts';

/** What the watcher does not tell of, and how soon it is found all the same. */

let world: TestWorld;
let a: TestDevice;
let b: TestDevice;

beforeEach(async () => {
  world = await createTestWorld();
});
afterEach(() => world.close());

/** From then on nothing that happens on A's disk is told. */
async function start(options: { readonly fullScanMs?: number }): Promise<void> {
  a = await world.addDevice('Laptop', options);
  b = await world.addDevice('Desktop');
  a.disk.user.makeFolder('folder');
  a.disk.user.writeFile('folder/edited', 'base');
  a.disk.user.writeFile('folder/removed', 'base');
  a.start();
  b.start();
  await world.settle([a, b]);
  a.disk.setHintsDropped(true);
}

const contents = ({ disk }: TestDevice) =>
  disk.user
    .walk()
    .filter(({ kind }) => kind === 'file')
    .map(({ path, bytes }) => `${path} = ${Buffer.from(bytes ?? '')}`)
    .sort();

test('a watcher that says nothing costs time only: scans find what was made, rewritten and removed [S-62]', async () => {
  await start({ fullScanMs: 200 });
  a.disk.user.writeFile('folder/made', 'new');
  a.disk.user.writeFile('folder/edited', 'edit');
  a.disk.user.remove('folder/removed');
  const wanted = ['folder/edited = edit', 'folder/made = new'];
  await world.until('all of it is on the other device', () => `${contents(b)}` === `${wanted}`);
});

test('when events were lost, what came and went is found at once, long before the next scan [S-63]', async () => {
  await start({});
  expect(a.engine.status().watch.fullScanMs).toBeGreaterThan(60_000);
  a.disk.user.writeFile('folder/made', 'new');
  a.disk.user.remove('folder/removed');
  a.disk.loseEvents('the queue was full');
  const wanted = ['folder/edited = base', 'folder/made = new'];
  await world.until('all of it is on the other device', () => `${contents(b)}` === `${wanted}`);
});

test('what was changed in a folder right before its move from elsewhere is found by hints of its old path [S-60, S-74]', async () => {
  a = await world.addDevice('Laptop');
  b = await world.addDevice('Desktop');
  for (const path of ['folder', 'folder/inner', 'folder/inner/deep']) a.disk.user.makeFolder(path);
  a.disk.user.writeFile('folder/inner/edited', 'base');
  a.disk.user.writeFile('folder/inner/deep/edited', 'base');
  a.start();
  b.start();
  await world.settle([a, b]);
  let changed = 0;
  b.disk.setFaults((operation, path) => {
    if (operation !== 'move' || changed > 0) return null;
    changed++;
    b.disk.user.writeFile(`${path}/inner/edited`, 'longer');
    b.disk.user.writeFile(`${path}/inner/deep/new`, 'new');
    return null;
  });
  a.disk.user.rename('folder', 'moved');
  const wanted = [
    'moved/inner/deep/edited = base',
    'moved/inner/deep/new = new',
    'moved/inner/edited = longer',
  ];
  await world.until('all of it is on both devices', () => `${contents(a)}` === `${wanted}`);
  expect(changed).toBe(1);
  expect(contents(b)).toEqual(wanted);
});

test('"in sync" is not said over a folder that another one has taken the place of [S-47, S-74]', async () => {
  await start({});
  b.disk.setHintsDropped(true);
  b.disk.user.writeFile('.cairn/marker', '{"product":"cairn","spaceId":"other","linkId":"other"}');
  const states = new Set<string>();
  a.disk.setHintsDropped(false);
  a.disk.user.writeFile('folder/new', 'from A');
  await world.until('B has ended', () => {
    if (contents(b).includes('folder/new = from A')) states.add(b.engine.status().state);
    return !b.running;
  });
  expect(b.failure).toMatchObject({ code: 'root-missing' });
  expect([...states]).not.toContain('in-sync');
  expect(contents(b)).toContain('folder/edited = base');
});
