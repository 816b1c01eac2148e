import { expect, it } from 'vitest';
import { createGate } from './gate.ts';

it('lets nobody take all places or the whole queue', async () => {
  const gate = createGate(4, 4);
  const entered: string[] = [];
  const leaves = new Map<string, () => void>();
  const enter = (key: string, name: string) =>
    gate.enter(key).then((leave) => {
      entered.push(name);
      leaves.set(name, leave);
    });
  const greedy = [1, 2, 3, 4].map((number) => enter('greedy', `greedy ${number}`));
  await Promise.all(greedy.slice(0, 2));
  await expect(gate.enter('greedy')).rejects.toMatchObject({ code: 'unavailable' });
  // Others go past those who wait for a place of their own share.
  await enter('ann', 'ann 1');
  await enter('bob', 'bob 1');
  const third = enter('ann', 'ann 2');
  expect(entered).toEqual(['greedy 1', 'greedy 2', 'ann 1', 'bob 1']);
  leaves.get('bob 1')?.();
  leaves.get('bob 1')?.();
  await third;
  expect(entered.at(-1)).toBe('ann 2');
  leaves.get('greedy 1')?.();
  await greedy[2];
  leaves.get('greedy 2')?.();
  await greedy[3];
  for (const leave of leaves.values()) leave();
  const again = await Promise.all([gate.enter('x'), gate.enter('x'), gate.enter('y'), gate.enter('y')]);
  expect(again).toHaveLength(4);
});
