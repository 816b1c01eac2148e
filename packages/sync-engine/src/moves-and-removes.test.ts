import { describe, expect, test } from 'vitest';
import { type Deeds, type Interleaving, playInterleaving } from './testing/interleavings.ts';
import { createTestWorld } from './testing/world.ts';

/**
 * One device moves a folder out of another and puts a new one in its place, while the other device removes that other
 * one. Whoever reaches the server first, and wherever one is interrupted: what was moved is where it was moved to.
 */

interface Story extends Deeds {
  readonly name: string;
  readonly end: readonly string[];
}

const STORIES: readonly Story[] = [
  {
    name: 'one of its files goes into the new folder',
    base: ['d/', 'd/g/', 'd/g/x', 'd/g/y', 'd/rest', 'e/'],
    first(user) {
      user.rename('d/g', 'e/g');
      user.makeFolder('d/g');
      user.rename('e/g/x', 'd/g/x');
    },
    second: (user) => user.remove('d'),
    end: ['d/', 'd/g/', 'd/g/x = d/g/x', 'e/', 'e/g/', 'e/g/y = d/g/y'],
  },
  {
    name: 'a file from elsewhere goes into the new folder, and the moved one has folders in it',
    base: ['d/', 'd/g/', 'd/g/h/', 'd/g/h/z', 'd/g/y', 'd/rest', 'e/', 'o'],
    first(user) {
      user.rename('d/g', 'e/g');
      user.makeFolder('d/g');
      user.rename('o', 'd/g/o');
    },
    second: (user) => user.remove('d'),
    end: ['d/', 'd/g/', 'd/g/o = o', 'e/', 'e/g/', 'e/g/h/', 'e/g/h/z = d/g/h/z', 'e/g/y = d/g/y'],
  },
  {
    name: 'a file of the removed folder goes into the new one, the moved one into a new folder',
    base: ['d/', 'd/g/', 'd/g/h/', 'd/g/h/z', 'd/o', 'd/rest'],
    first(user) {
      user.makeFolder('e');
      user.rename('d/g', 'e/g');
      user.makeFolder('d/g');
      user.rename('d/o', 'd/g/o');
    },
    second: (user) => user.remove('d'),
    end: ['d/', 'd/g/', 'd/g/o = d/o', 'e/', 'e/g/', 'e/g/h/', 'e/g/h/z = d/g/h/z'],
  },
  {
    name: 'a folder of the moved one goes into the new one',
    base: ['d/', 'd/g/', 'd/g/h/', 'd/g/h/z', 'd/g/y', 'd/rest', 'e/'],
    first(user) {
      user.rename('d/g', 'e/g');
      user.makeFolder('d/g');
      user.rename('e/g/h', 'd/g/h');
    },
    second: (user) => user.remove('d'),
    end: ['d/', 'd/g/', 'd/g/h/', 'd/g/h/z = d/g/h/z', 'e/', 'e/g/', 'e/g/y = d/g/y'],
  },
  {
    name: 'only the folder itself is removed, and moved within its own',
    base: ['d/', 'd/g/', 'd/g/x', 'd/g/y', 'd/rest'],
    first: (user) => user.rename('d/g', 'd/k'),
    second: (user) => user.remove('d/g'),
    end: ['d/', 'd/k/', 'd/k/x = d/g/x', 'd/k/y = d/g/y', 'd/rest = d/rest'],
  },
];

/** Requests whose order is searched. Each order is a whole world: `0` plays only those that once lost something. */
const SEARCHED_TURNS = Number(process.env['ENGINE_TURNS'] ?? 0);
const TURNS = SEARCHED_TURNS || 6;
/** Bits say who goes next; besides the two that lost something, each device well before the other. */
const ORDERS = SEARCHED_TURNS > 0 ? [...Array(2 ** SEARCHED_TURNS).keys()] : [0b0011, 0b0110, 0b1111, 0];
const TIMEOUT_MS = SEARCHED_TURNS > 0 ? 3_600_000 : 60_000;

async function check(story: Story, interleaving: Interleaving): Promise<number> {
  const { tree, calls } = await playInterleaving(story, interleaving);
  expect(tree, `${story.name} ${JSON.stringify(interleaving)}`).toEqual(story.end);
  return calls;
}

describe('a folder that is moved here and removed there', () => {
  test.each(STORIES)(
    'stays whole, whoever commits first: $name [S-23 S-29]',
    async (story) => {
      for (const order of ORDERS) await check(story, { order, turns: TURNS });
    },
    TIMEOUT_MS,
  );

  test(
    'stays whole, also when an answer is lost or a process ends on the way [S-14 S-23 S-61]',
    async () => {
      for (const story of SEARCHED_TURNS > 0 ? STORIES : STORIES.slice(0, 1)) {
        for (const order of SEARCHED_TURNS > 0 ? ORDERS : [0b0011]) {
          const calls = await check(story, { order, turns: TURNS, lostAnswer: 0 });
          const step = SEARCHED_TURNS > 0 ? 3 : 20;
          for (let killedAt = step; killedAt <= calls; killedAt += step)
            await check(story, { order, turns: TURNS, killedAt });
        }
      }
    },
    TIMEOUT_MS,
  );
});

test('a file that is removed there is not brought back for giving its name to a folder from here [S-50]', async () => {
  const world = await createTestWorld();
  try {
    const [a, b] = [await world.addDevice('A'), await world.addDevice('B')];
    for (const device of [a, b]) device.start();
    await world.settle([a, b]);
    a.network.offline = true;
    const before = await world.sequence();
    b.disk.user.writeFile('n', 'a file');
    await world.until('the file is committed', async () => (await world.sequence()) > before);
    a.disk.user.makeFolder('n');
    a.disk.user.writeFile('n/inside', 'in a folder');
    let isMet = false;
    a.network.gate = async (request) => {
      if (isMet || request !== 'commit') return;
      isMet = true;
      b.disk.user.remove('n');
      await world.until('the removal is committed', () => b.trees.remote.size === 1);
    };
    a.network.offline = false;
    a.engine.refresh();
    await world.until('both have met', () => isMet && a.network.commits > 1);
    await world.settle([a, b]);
    expect(a.disk.user.describe().map((line) => line.split(' ')[0])).toEqual(['n', 'n/inside']);
  } finally {
    await world.close();
  }
});
