import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createTestWorld, type TestDevice, type TestWorld } from './testing/world.ts';

let world: TestWorld;
let a: TestDevice;
let b: TestDevice;

beforeEach(async () => {
  world = await createTestWorld();
  a = await world.addDevice('Laptop');
  b = await world.addDevice('Desktop');
  a.disk.user.writeFile('plan', 'base');
  a.start();
  b.start();
  await world.settle([a, b]);
});
afterEach(() => world.close());

const contents = ({ disk }: TestDevice) =>
  disk.user.walk().map(({ path, bytes }) => [path, Buffer.from(bytes ?? '').toString()]);
const idOf = async (path: string) =>
  (await world.data.files.getByPath(world.principal, null, `/${path}`)).entry.entryId;

describe('a device that ends right after it has made way for the other edit', () => {
  const ends = { 'is killed': 'kill', 'loses its power': 'cutPower' } as const;

  test.each(Object.entries(ends))(
    '%s: the file keeps its name and its history, its own edit is one copy [S-10 S-21]',
    async (_, end) => {
      const id = await idOf('plan');
      await b.stop();
      a.disk.user.writeFile('plan', 'the edit of A');
      await world.until('it is committed', async () => (await world.sequence()) === 2);
      b.disk.user.writeFile('plan', 'the edit of B');
      let ended: Promise<void> | null = null;
      b.disk.onUse = () => {
        if (!contents(b).some(([path]) => path?.includes('Conflict Copy'))) return;
        b.disk.onUse = () => undefined;
        ended = b[end]();
      };
      b.start();
      await world.until('it has ended', () => ended !== null);
      await ended;
      b.start();
      await world.settle([a, b]);
      expect(await idOf('plan')).toBe(id);
      expect(new Map(contents(a) as [string, string][]).get('plan')).toBe('the edit of A');
      const copies = contents(a).filter(([path]) => path !== 'plan');
      expect(copies.map(([, content]) => content)).toEqual(['the edit of B']);
      expect(contents(b).sort()).toEqual(contents(a).sort());
    },
  );
});
