import { afterEach, beforeEach, expect, test } from 'vitest';
import { createTestWorld, type TestWorld } from './testing/world.ts';

let world: TestWorld;
beforeEach(async () => {
  world = await createTestWorld();
});
afterEach(() => world.close());

test('a conflict copy is told of for as long as it is there [S-32]', async () => {
  const a = await world.addDevice('Laptop');
  const b = await world.addDevice('Desktop');
  a.disk.user.writeFile('f', 'base');
  a.start();
  b.start();
  await world.settle([a, b]);
  b.network.offline = true;
  b.disk.user.writeFile('f', 'of B');
  await world.until('B has noticed', () => b.engine.status().state === 'offline');
  a.disk.user.writeFile('f', 'of A, longer');
  await world.until('A has sent it', () => a.engine.status().sequence === 2);
  b.network.offline = false;
  b.engine.refresh();
  await world.settle([a, b]);
  const told = () => b.engine.status().notices.filter(({ kind }) => kind === 'conflict-copy');
  expect(told()).toHaveLength(1);
  a.disk.user.remove(told()[0]?.path ?? '');
  await world.until('it is no longer told', () => told().length === 0);
  await world.settle([a, b]);
});
