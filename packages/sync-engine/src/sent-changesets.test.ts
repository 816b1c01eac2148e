import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createTestWorld, type TestDevice, type TestWorld } from './testing/world.ts';

let world: TestWorld;
let a: TestDevice;
let b: TestDevice;

beforeEach(async () => {
  world = await createTestWorld();
  a = await world.addDevice('Laptop');
  b = await world.addDevice('Desktop');
  a.start();
  b.start();
  a.disk.user.makeFolder('docs');
  a.disk.user.writeFile('docs/plan.txt', 'base');
  await world.settle([a, b]);
});
afterEach(() => world.close());

/** The device makes a commit, and ends as kill -9 does before it knows of the answer. */
async function commitAndDie(act: () => void): Promise<void> {
  const before = await world.sequence();
  // Unreachable for the engine's next attempt too, so that it cannot read its row before it dies.
  a.network.lostAnswers = 1;
  a.network.offlineAfterLostAnswer = true;
  act();
  await world.until('the server has it', async () => (await world.sequence()) > before);
  await a.kill();
  a.network.offline = false;
}

const copies = () => [a, b].flatMap(({ disk }) => disk.user.describe().filter((line) => /Copy/.test(line)));
const contents = (device: TestDevice) =>
  device.disk.user
    .describe()
    .filter((line) => line.includes(' file '))
    .map((line) => Buffer.from(/ file ([0-9a-f]*)/.exec(line)?.[1] ?? '', 'hex').toString());

describe('a commit whose answer was lost, by a device that was killed meanwhile [S-61]', () => {
  test('an edit that follows is no conflict with oneself', async () => {
    await commitAndDie(() => a.disk.user.writeFile('docs/plan.txt', 'first'));
    a.disk.user.writeFile('docs/plan.txt', 'second');
    a.start();
    await world.settle([a, b]);
    expect(contents(b)).toEqual(['second']);
    expect(copies()).toEqual([]);
  });

  test('a new file that is edited at once stays one file', async () => {
    await commitAndDie(() => a.disk.user.writeFile('new.txt', 'first'));
    a.disk.user.writeFile('new.txt', 'second');
    a.start();
    await world.settle([a, b]);
    expect(contents(b).sort()).toEqual(['base', 'second']);
    expect(copies()).toEqual([]);
  });

  test('a rename that is undone stays undone', async () => {
    await commitAndDie(() => a.disk.user.rename('docs/plan.txt', 'docs/other.txt'));
    a.disk.user.rename('docs/other.txt', 'docs/third.txt');
    a.start();
    await world.settle([a, b]);
    expect(b.disk.user.describe().map((line) => line.split(' ')[0])).toEqual(['docs', 'docs/third.txt']);
  });

  test('a delete stays a delete, and what comes in its place is new', async () => {
    await commitAndDie(() => a.disk.user.remove('docs/plan.txt'));
    a.disk.user.writeFile('docs/plan.txt', 'again');
    a.start();
    await world.settle([a, b]);
    expect(contents(b)).toEqual(['again']);
    expect(copies()).toEqual([]);
  });

  test('what a commit just before it brought is known, too, although it was not durable yet', async () => {
    const before = await world.sequence();
    // The move is committed first, the removal of the emptied folder in a changeset of its own.
    a.network.answersBeforeLost = 1;
    a.network.lostAnswers = 1;
    a.network.offlineAfterLostAnswer = true;
    a.disk.user.rename('docs/plan.txt', 'moved.txt');
    a.disk.user.remove('docs');
    await world.until('both are committed', async () => (await world.sequence()) === before + 2);
    await a.kill();
    a.network.offline = false;
    a.disk.user.rename('moved.txt', 'third.txt');
    a.start();
    await world.settle([a, b]);
    expect(b.disk.user.describe().map((line) => line.split(' ')[0])).toEqual(['third.txt']);
  });

  test('what the user deletes after it stays deleted, whether it was new or edited', async () => {
    await commitAndDie(() => a.disk.user.writeFile('docs/plan.txt', 'first'));
    a.disk.user.remove('docs/plan.txt');
    a.start();
    await world.settle([a, b]);
    await commitAndDie(() => a.disk.user.writeFile('new.txt', 'first'));
    a.disk.user.remove('new.txt');
    a.start();
    await world.settle([a, b]);
    expect(contents(b)).toEqual([]);
  });

  test('what another device did on top of it is merged as ever', async () => {
    await commitAndDie(() => a.disk.user.writeFile('docs/plan.txt', 'first'));
    await world.until('the other has it', () => contents(b).includes('first'));
    b.disk.user.rename('docs/plan.txt', 'docs/moved.txt');
    await world.settle([b]);
    a.disk.user.writeFile('docs/plan.txt', 'second');
    a.start();
    await world.settle([a, b]);
    expect(b.disk.user.describe().map((line) => line.split(' ')[0])).toEqual(['docs', 'docs/moved.txt']);
    expect(contents(b)).toEqual(['second']);
    expect(copies()).toEqual([]);
  });
});
