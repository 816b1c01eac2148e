import { afterEach, beforeEach, expect, test } from 'vitest';
import { createTestWorld, type TestDevice, type TestWorld } from './testing/world.ts';

/** A folder that moves is sent before anybody has looked into it; what changed in it meanwhile must not be missed. */

let world: TestWorld;
let a: TestDevice;
let b: TestDevice;

beforeEach(async () => {
  world = await createTestWorld();
  a = await world.addDevice('Laptop');
  b = await world.addDevice('Desktop');
  for (const path of ['folder', 'folder/inner', 'folder/inner/deep']) a.disk.user.makeFolder(path);
  for (const name of ['edited', 'removed', 'renamed'])
    a.disk.user.writeFile(`folder/inner/deep/${name}`, name);
  a.start();
  b.start();
  await world.settle([a, b]);
});
afterEach(() => world.close());

const contents = ({ disk }: TestDevice) =>
  disk.user
    .walk()
    .filter(({ kind }) => kind === 'file')
    .map(({ path, bytes }) => `${path} = ${Buffer.from(bytes ?? '')}`)
    .sort();

const entryIdOf = (device: TestDevice, path: string) =>
  [...device.trees.local.values()].find(({ name }) => path.endsWith(name))?.entryId;

test('what was changed in it right before and right after is found without a look at everything [S-60 S-74]', async () => {
  expect(a.engine.status().watch.fullScanMs).toBeGreaterThan(60_000);
  const renamed = entryIdOf(a, 'renamed');
  a.disk.user.writeFile('folder/inner/deep/edited', 'edit');
  a.disk.user.remove('folder/inner/deep/removed');
  a.disk.user.rename('folder', 'moved');
  a.disk.user.rename('moved/inner/deep/renamed', 'moved/inner/other');
  a.disk.user.writeFile('moved/inner/deep/new', 'new');
  const wanted = [
    'moved/inner/deep/edited = edit',
    'moved/inner/deep/new = new',
    'moved/inner/other = renamed',
  ];
  await world.until('all of it is on the other device', () => `${contents(b)}` === `${wanted}`);
  await world.settle([a, b]);
  expect(entryIdOf(b, 'other')).toBe(renamed);
  expect(contents(a)).toEqual(wanted);
});

test('where the other device changes something in it meanwhile, both come together in its new place [S-19]', async () => {
  b.disk.user.writeFile('folder/inner/deep/edited', 'by the other');
  a.disk.user.writeFile('folder/inner/deep/renamed', 'by this one');
  a.disk.user.rename('folder', 'moved');
  await world.settle([a, b]);
  const wanted = ['edited = by the other', 'removed = removed', 'renamed = by this one'];
  expect(contents(a)).toEqual(wanted.map((each) => `moved/inner/deep/${each}`));
  expect(contents(b)).toEqual(contents(a));
});
