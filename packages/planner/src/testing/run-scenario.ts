import { expect } from 'vitest';
import { ModelWorld, type UserAction } from './model-world.ts';

/** A world where both devices have what the first one's user made. */
export function settled(actions: readonly UserAction[], folds: readonly boolean[]): ModelWorld {
  const world = new ModelWorld(folds);
  for (const each of actions) world.act({ ...each, device: 0 });
  expect(world.converge(60)).toBeNull();
  expect(world.problems()).toEqual([]);
  return world;
}

/** Random bits from a list of numbers, so that a failing run shrinks. */
export function chooser(choices: readonly number[]): (outOf: number) => number {
  let index = 0;
  return (outOf) => (choices.length === 0 ? 0 : (choices[index++ % choices.length] as number) % outOf);
}

/** Everything that decides a run: who does what, which operations are executed when, and how disks fold names. */
export interface ScenarioInput {
  readonly base: readonly UserAction[];
  readonly changes: readonly UserAction[];
  /** Done while plans are being executed. */
  readonly later: readonly UserAction[];
  readonly choices: readonly number[];
  readonly folds: readonly [boolean, boolean];
  /** 0: the first device loses its synced tree. */
  readonly lost: number;
  /** What folders say about conflicts, in the order of these. */
  /** Disks that refuse what Windows refuses; users then use such names. */
  readonly windows?: readonly [boolean, boolean];
  readonly policies?: readonly { readonly folder: number; readonly lastWriteWins: boolean }[];
}

/** Runs it and checks that everything ends equal, at rest and with nothing lost. */
export function runScenario(input: ScenarioInput): ModelWorld {
  const world = settled(input.base, input.folds);
  if (input.windows?.includes(true)) world.useReservedNames(input.windows);
  for (const { folder, lastWriteWins } of input.policies ?? []) {
    world.setPolicy(folder, lastWriteWins ? 'last-write-wins' : 'keep-both');
  }
  for (const each of input.changes) world.act(each);
  const first = world.devices[0];
  if (input.lost === 0 && first !== undefined) {
    for (const node of first.synced.values()) if (node.parentId !== null) first.synced.delete(node.entryId);
    first.read.clear();
  }
  const choose = chooser(input.choices);
  const later = [...input.later];
  for (let round = 0; round < 6; round++) {
    for (const device of world.devices) {
      if (choose(3) > 0) device.follow();
      const { trees, plan: made } = device.plan();
      const next = later.length > 0 && choose(2) === 0 ? later.pop() : undefined;
      if (next !== undefined) world.act(next);
      device.execute(trees, shuffleBatches(made.operations, choose), () => choose(3) > 0);
    }
  }
  for (const each of later) world.act(each);
  expect(world.converge(200)).toBeNull();
  expect(world.problems()).toEqual([]);
  return world;
}

/** Shuffles operations within their batches, but for pushes, whose order within a changeset is fixed. */
export function shuffleBatches<T extends { batch: number; operation: { kind: string } }>(
  operations: readonly T[],
  choose: (outOf: number) => number,
): T[] {
  const keyed = operations.map((each) => ({
    each,
    key: each.operation.kind.startsWith('push') ? 0 : choose(97),
  }));
  return keyed.sort((a, b) => a.each.batch - b.each.batch || a.key - b.key).map(({ each }) => each);
}
