import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createTestWorld, type TestDevice, type TestWorld } from './testing/world.ts';

let world: TestWorld;
let a: TestDevice;

beforeEach(async () => {
  world = await createTestWorld();
  a = await world.addDevice('Laptop');
});
afterEach(() => world.close());

/** What a device holds of the server, as text; a device that took a snapshot holds exactly what is there. */
function remoteOf(device: TestDevice): string[] {
  return [...device.trees.remote.values()].map((entry) => JSON.stringify(sortKeys(entry))).sort();
}

function sortKeys(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const pairs = Object.entries(value).sort(([x], [y]) => (x < y ? -1 : 1));
  return Object.fromEntries(pairs.map(([key, inner]) => [key, sortKeys(inner)]));
}

/** A new device's snapshot says the same as what `device` made of its own commits; ends with the same cursor. */
async function expectSameAsSnapshot(device: TestDevice): Promise<void> {
  await world.settle([device]);
  const fresh = await world.addDevice(`Fresh ${Math.random()}`);
  fresh.start();
  await world.settle([device, fresh]);
  expect(remoteOf(device)).toEqual(remoteOf(fresh));
  expect(device.trees.cursor).toEqual(fresh.trees.cursor);
  await fresh.stop();
}

function copies(device: TestDevice): string[] {
  return device.disk.user.describe().filter((line) => line.includes('Conflict'));
}

async function uploadTree(): Promise<void> {
  a.disk.user.makeFolder('docs');
  a.disk.user.makeFolder('docs/inner');
  for (let index = 0; index < 30; index++) a.disk.user.writeFile(`docs/inner/${index}`, `content ${index}`);
  a.disk.user.writeFile('docs/tool', '#!/bin/sh');
  a.disk.user.makeLink('docs/link', 'tool');
  a.start();
  await world.settle([a]);
}

describe('a device knows the journal rows of its own commits', () => {
  test('one that only uploads reads none of them back', async () => {
    await uploadTree();
    a.disk.user.writeFile('docs/inner/3', 'edited');
    a.disk.user.setExecutable('docs/tool', true);
    await world.settle([a]);
    a.disk.user.rename('docs/inner', 'moved');
    a.disk.user.makeFolder('new');
    await world.until('the move is committed', async () => (await world.sequence()) >= 37);
    await world.settle([a]);
    a.disk.user.rename('moved/5', 'new/5');
    a.disk.user.remove('moved');
    await world.until('the removal is committed', () => a.engine.status().counters.commits >= 4);
    await world.settle([a]);
    expect(a.network.readRows).toBe(0);
    await expectSameAsSnapshot(a);
    expect(a.network.readRows).toBe(0);
  });

  test('what others committed in between is read, and nothing of it is lost [I1]', async () => {
    await uploadTree();
    const b = await world.addDevice('Desktop');
    b.start();
    await world.settle([a, b]);
    a.network.hintsDropped = true;
    b.disk.user.writeFile('from-b', 'b');
    b.disk.user.remove('docs/inner/1');
    b.disk.user.rename('docs/inner/2', 'two');
    const base = await world.sequence();
    await world.until('B has committed', async () => (await world.sequence()) >= base + 3);
    await world.settle([b]);
    a.disk.user.writeFile('from-a', 'a');
    a.disk.user.writeFile('docs/inner/1', 'edited, while B removes it');
    await world.settle([a, b]);
    expect(a.network.readRows).toBeGreaterThan(0);
    const paths = a.disk.user.describe().join('\n');
    for (const name of ['from-a', 'from-b', 'two', 'docs/inner/1']) expect(paths).toContain(name);
    await expectSameAsSnapshot(a);
  });

  test('both devices committing all the time end with the same journal', async () => {
    const b = await world.addDevice('Desktop');
    await uploadTree();
    b.start();
    for (let round = 0; round < 12; round++) {
      a.disk.user.writeFile(`a-${round}`, `${round}`);
      b.disk.user.writeFile(`b-${round}`, `${round}`);
      if (round % 4 === 3) await world.until('some moved on', () => a.network.commits > round / 4);
    }
    await world.settle([a, b]);
    expect(a.disk.user.describe().filter((line) => /\b[ab]-\d/.test(line)).length).toBe(24);
    await expectSameAsSnapshot(a);
    await expectSameAsSnapshot(b);
  });

  test('a lost answer and a kill right after the commit are found in the journal', async () => {
    await uploadTree();
    a.network.lostAnswers = 1;
    a.disk.user.writeFile('lost', '1');
    await world.until('the answer is lost', () => a.network.lostAnswers === 0);
    a.engine.refresh();
    await world.settle([a]);
    expect(a.network.readRows).toBeGreaterThan(0);
    const commits = a.network.commits;
    a.disk.user.writeFile('killed', '1');
    await world.until('the commit is on its way', () => a.network.commits > commits);
    await a.restart();
    await world.settle([a]);
    expect(copies(a)).toEqual([]);
    await expectSameAsSnapshot(a);
  });

  test('another history is never continued with an own commit', async () => {
    await uploadTree();
    a.network.hintsDropped = true;
    await world.renewEpoch();
    a.disk.user.writeFile('after', '1');
    await world.until('A has noticed', () =>
      a.engine.status().notices.some(({ kind }) => kind === 'history-changed'),
    );
    await world.settle([a]);
    expect(copies(a)).toEqual([]);
    await expectSameAsSnapshot(a);
  });
});
