import { test } from 'vitest';
import { runScenario, type ScenarioInput } from './testing/run-scenario.ts';

/** Runs that once failed, shrunk, and what they found. */
type Short = readonly (readonly [
  device: number,
  kind: number,
  first: number,
  second: number,
  name: number,
])[];

interface Kept {
  readonly found: string;
  readonly base: Short;
  readonly changes: Short;
  readonly later?: Short;
  readonly choices: readonly number[];
}

const kept: readonly Kept[] = [
  {
    found: 'a folder moved there and removed here waited for ever for a child that had changed too',
    base: [
      [0, 0, 0, 0, 0],
      [0, 0, 0, 0, 0],
      [0, 13, 0, 0, 0],
      [0, 0, 0, 3, 0],
    ],
    changes: [
      [1, 4, 0, 0, 9],
      [1, 15, 0, 0, 0],
      [0, 8, 0, 0, 0],
      [1, 0, 0, 4, 1],
      [0, 0, 0, 0, 0],
    ],
    later: [[1, 11, 11, 22, 5]],
    choices: [0, 0, 0, 0, 0, 0, 0, 0, 28],
  },
  {
    found: 'a remove was pushed although a push that moves something out of the folder had been left out',
    base: [
      [0, 0, 0, 0, 0],
      [0, 13, 0, 0, 0],
      [0, 0, 0, 0, 1],
      [0, 0, 0, 0, 0],
      [0, 0, 0, 0, 2],
      [0, 0, 0, 0, 0],
      [0, 4, 4, 9, 0],
    ],
    changes: [
      [0, 10, 8, 22, 0],
      [0, 8, 0, 0, 0],
      [0, 0, 0, 0, 0],
    ],
    choices: [0, 0, 0, 0, 0, 22, 0, 0],
  },
  {
    found: 'a remove was pushed on a later base than its plan, and took what had come in between',
    base: [
      [0, 15, 0, 0, 0],
      [0, 0, 0, 0, 0],
      [0, 0, 0, 15, 0],
      [0, 4, 0, 0, 3],
    ],
    changes: [
      [0, 15, 0, 1, 1],
      [1, 4, 9, 0, 0],
      [1, 8, 0, 0, 0],
      [0, 4, 0, 0, 17],
    ],
    choices: [0, 1, 43, 0, 0, 0, 0, 0, 0],
  },
  {
    found: 'a folder removed there and renamed here waited for a child that wanted its name',
    base: [
      [0, 15, 0, 0, 0],
      [0, 0, 0, 0, 0],
      [0, 0, 0, 3, 0],
      [0, 0, 0, 0, 0],
      [0, 4, 0, 0, 3],
    ],
    changes: [
      [0, 4, 21, 0, 0],
      [0, 8, 0, 0, 0],
      [0, 6, 0, 0, 8],
      [1, 6, 0, 0, 8],
    ],
    choices: [0, 0, 0, 0, 0, 0, 0, 0],
  },
  {
    found: 'a folder moved below one that had not yet left it, when only part of a plan was executed',
    base: [
      [0, 0, 0, 0, 0],
      [0, 15, 0, 0, 1],
      [0, 13, 0, 0, 0],
      [0, 0, 0, 0, 0],
      [0, 0, 0, 0, 0],
      [0, 0, 0, 10, 0],
      [0, 0, 0, 0, 0],
    ],
    changes: [[1, 4, 4, 10, 3]],
    later: [[0, 4, 0, 29, 0]],
    choices: [0, 0, 0, 4, 4, 0, 16, 0],
  },
];

const expand = (list: Short) =>
  list.map(([device, kind, first, second, name]) => ({ device, kind, first, second, name }));

test.each(kept)('$found', ({ base, changes, later = [], choices }) => {
  const input: ScenarioInput = {
    base: expand(base),
    changes: expand(changes),
    later: expand(later),
    choices: [...choices],
    folds: [false, false],
    lost: 1,
  };
  runScenario(input);
});
