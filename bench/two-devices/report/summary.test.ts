import { expect, test } from 'vitest';
import { makeResult } from '../fixtures.ts';
import { percentile, spreadOf, summarise } from './summary.ts';

test('a median lies between the two in the middle', () => {
  expect(spreadOf([4, 1, 3, 2])).toEqual({ median: 2.5, min: 1, max: 4 });
  expect(spreadOf([3000, 1000, 2000], 1000)).toEqual({ median: 2, min: 1, max: 3 });
  expect(spreadOf([])).toBeNull();
});

test('95 of 100 samples do not exceed the 95th percentile', () => {
  const samples = Array.from({ length: 100 }, (_value, index) => 100 - index);
  expect(percentile(samples, 0.95)).toBe(95);
  expect(percentile([7], 0.95)).toBe(7);
  expect(percentile([], 0.95)).toBeNull();
});

test('ratios are those of the same run, not of medians', () => {
  const results = [
    makeResult({ run: 1, timeMs: 1000 }),
    makeResult({ run: 2, timeMs: 4000 }),
    makeResult({ run: 1, timeMs: 2000, peer: 'rsync' }),
    makeResult({ run: 2, timeMs: 4000, peer: 'rsync' }),
  ];
  const [cairn, rsync] = summarise(results);
  expect(cairn?.ratio).toBeNull();
  expect(rsync?.ratio).toEqual({ median: 0.75, min: 0.5, max: 1 });
});

test('what did not bring the right bytes counts in no figure, and is said', () => {
  const results = [
    makeResult({ run: 1, timeMs: 3000 }),
    makeResult({ run: 2, timeMs: 5, differences: ['large.bin: hash is a on the first, b on the second'] }),
  ];
  const [summary] = summarise(results);
  expect(summary?.seconds).toEqual({ median: 3, min: 3, max: 3 });
  expect(summary?.notes).toEqual([
    'run 2: B differs from A: large.bin: hash is a on the first, b on the second',
  ]);
});

test('a step that was left out has a note and no figures', () => {
  const nothing = { timeMs: null, wire: null, cpuSeconds: null, peakRssBytes: null };
  const [summary] = summarise([makeResult({ ...nothing, note: 'left out: too slow' })]);
  expect(summary).toMatchObject({ seconds: null, wireMegabytes: null, notes: ['left out: too slow'] });
});

test('steps come in their order, Cairn before peers, and floors last', () => {
  const results = [
    makeResult({ step: 'small', peer: 'rsync' }),
    makeResult({ step: 'large', peer: 'cp' }),
    makeResult({ step: 'large', peer: 'unison' }),
    makeResult({ step: 'large' }),
  ];
  expect(summarise(results).map(({ step, peer }) => `${step} ${peer}`)).toEqual([
    'large cairn',
    'large unison',
    'large cp',
    'small rsync',
  ]);
});
