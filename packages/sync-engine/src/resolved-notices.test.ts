import { afterEach, beforeEach, expect, test } from 'vitest';
import { createTestWorld, type TestWorld } from './testing/world.ts';

let world: TestWorld;
beforeEach(async () => {
  world = await createTestWorld();
});
afterEach(() => world.close());

test.each(['removed', 'kept with the other'])(
  'a conflict copy is told of until it is %s [S-32]',
  async (end) => {
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
    if (end === 'removed') a.disk.user.remove(told()[0]?.path ?? '');
    else {
      const { data, principal, spaceId } = world;
      const { conflicts } = await data.conflicts.list(principal, spaceId, { after: null, limit: 1 });
      const [conflict] = conflicts;
      if (conflict === undefined) throw new Error('there is no conflict');
      await data.conflicts.resolve(principal, spaceId, conflict.copy.entry.entryId, {
        keep: 'both',
        copySequence: conflict.copy.entry.sequence,
        originalSequence: conflict.original?.entry.sequence ?? null,
      });
    }
    await world.until('it is no longer told', () => told().length === 0);
    await world.settle([a, b]);
  },
);
