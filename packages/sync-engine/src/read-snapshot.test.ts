import { createNodePlatform } from '@cairn/content';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readSnapshot } from './execute/read-snapshot.ts';
import { LocalTree } from './local-tree.ts';
import { createTestWorld, type TestDevice, type TestWorld } from './testing/world.ts';

let world: TestWorld;
let a: TestDevice;

beforeEach(async () => {
  world = await createTestWorld();
  a = await world.addDevice('Laptop');
  a.disk.user.writeFile('log', 'first '.repeat(1000));
  a.start();
  await world.settle([a]);
});
afterEach(() => world.close());

async function readLog() {
  const { trees } = a;
  const root = [...trees.local.values()].find(({ parentId }) => parentId === null);
  if (root === undefined) throw new Error('the root is not known');
  const local = new LocalTree(trees.local, root.entryId);
  const node = local.findByPath('log');
  if (node === undefined) throw new Error('the file is not known');
  const deps = { filesystem: a.disk.filesystem, trees, local, platform: createNodePlatform() };
  return readSnapshot(deps, node, null, null, new AbortController().signal);
}

/** Does something right before the file is read for the `count`-th time. */
function atRead(count: number, act: () => void): void {
  let reads = 0;
  a.disk.setFaults((operation, path) => {
    if (operation === 'read' && path === 'log' && ++reads === count) act();
    return null;
  });
}

test('a file that only grows is what it was at the beginning [S-66]', async () => {
  atRead(1, () => a.disk.user.writeFile('log', `${'first '.repeat(1000)}and more`));
  expect((await readLog())?.content.sizeBytes).toBe(6000);
});

test('bytes that were replaced between two looks are at no moment the file, although its size is the same [S-6]', async () => {
  let reads = 0;
  a.disk.setFaults((operation) => {
    if (operation === 'read') reads++;
    return null;
  });
  expect(await readLog()).not.toBeNull();
  // Whichever read it happens at after the first: what was read before it is not what was read after it.
  for (let count = 2; count <= reads; count++) {
    const letter = String.fromCharCode(96 + count);
    a.disk.setFaults(null);
    a.disk.user.writeFile('log', 'first '.repeat(1000));
    atRead(count, () => a.disk.user.writeFile('log', `${letter}irst `.repeat(1000)));
    const snapshot = await readLog();
    if (snapshot !== null) expect(snapshot.content.contentId).toBe((await readLog())?.content.contentId);
  }
});
