import { createMemoryEventBus } from '@cairn/event-bus';
import type { SpaceId } from '@cairn/model';
import { expect, it } from 'vitest';
import { createHintBoard } from './hint-board.ts';

const [ours, other] = ['ours', 'other'] as [SpaceId, SpaceId];

it('tells of a space once a turn, however many commits shared a flush, and what it reached', async () => {
  const bus = createMemoryEventBus();
  const board = createHintBoard(bus);
  const told: string[] = [];
  board.onSpaceAdvanced(ours, (sequence) => told.push(`first ${sequence}`));
  const leave = board.onSpaceAdvanced(ours, (sequence) => told.push(`second ${sequence}`));
  board.onSpaceAdvanced(other, (sequence) => told.push(`other ${sequence}`));
  const turn = () => new Promise((resolve) => setImmediate(resolve));

  for (const sequence of [3, 5, 4]) bus.publish({ kind: 'space-advanced', spaceId: ours, sequence });
  bus.publish({ kind: 'space-advanced', spaceId: other, sequence: 9 });
  await turn();
  expect(told.splice(0)).toEqual(['first 5', 'second 5', 'other 9']);

  leave();
  bus.publish({ kind: 'space-advanced', spaceId: ours, sequence: 6 });
  await turn();
  expect(told.splice(0)).toEqual(['first 6']);
  board.close();
  await bus.close();
});
