import { expect, test } from 'vitest';
import { Attention } from './attention.ts';

function takePaths(attention: Attention): string[] {
  return [...attention.takeDisk().paths].sort();
}

function createAttention(): Attention {
  const attention = new Attention();
  attention.takeDisk();
  attention.doneWithDisk();
  return attention;
}

test('hints from before and after a move by the engine count for the new place, through any number of moves [S-60]', () => {
  const attention = createAttention();
  attention.folder('a/inner');
  attention.folder('ab');
  attention.moved('a', 'b');
  attention.moved('b/inner', 'c');
  expect(takePaths(attention)).toEqual(['a/inner', 'ab', 'b/inner', 'c']);
  attention.folder('a/inner/deep');
  expect(takePaths(attention)).toEqual(['a/inner/deep', 'b/inner/deep', 'c/deep']);
});

test('a name that was moved away from twice may mean either folder [S-60]', () => {
  const attention = createAttention();
  attention.moved('a', 'first');
  attention.moved('a', 'second');
  attention.folder('a/inner');
  expect(takePaths(attention)).toEqual(['a/inner', 'first/inner', 'second/inner']);
});

test('what two folders that change places hint at ends', () => {
  const attention = createAttention();
  for (let round = 0; round < 20; round++) {
    attention.moved('a', 'parked');
    attention.moved('b', 'a');
    attention.moved('parked', 'b');
  }
  attention.folder('a/inner');
  expect(takePaths(attention)).toEqual(['a/inner', 'b/inner', 'parked/inner']);
});

test('with too many moves everything is looked at, and then none is remembered [S-60]', () => {
  const attention = createAttention();
  for (let index = 0; index < 300; index++) attention.moved(`from-${index}`, `to-${index}`);
  expect(attention.takeDisk()).toMatchObject({ recursive: true });
  attention.doneWithDisk();
  attention.folder('from-299/inner');
  expect(takePaths(attention)).toEqual(['from-299/inner']);
});

test('folders that are moved into one another again and again end in one look at everything, not in all the places that may be [S-60]', () => {
  const attention = createAttention();
  attention.folder('a/inner');
  for (let round = 0; round < 40; round++) {
    attention.moved('a', 'b/a');
    attention.moved('b/a', 'c/b');
    attention.moved('b', 'a/c');
    attention.moved('c', 'a');
    for (const name of ['a', 'b', 'c']) attention.folder(`${name}/inner`);
    expect(attention.folders.size).toBeLessThan(1000);
  }
  expect(attention.takeDisk()).toEqual({ recursive: true, paths: new Set(['']) });
});
