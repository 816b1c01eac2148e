import { expect, test } from 'vitest';
import type { WireReading } from '../../world/network.ts';
import { makeResult } from '../fixtures.ts';
import { FULL } from '../options.ts';
import { summarise } from './summary.ts';
import { areSizesFull, judgeTargets } from './targets.ts';

const judge = (...results: ReturnType<typeof makeResult>[]) => judgeTargets(summarise(results));
const find = (targets: ReturnType<typeof judgeTargets>, demand: string) =>
  targets.find((target) => target.demand === demand);

test('a peer that is missing leaves its target open', () => {
  const targets = judge(makeResult({ timeMs: 3000 }), makeResult({ timeMs: 10_000, peer: 'syncthing' }));
  expect(find(targets, '≤ 0.6 × Syncthing')?.share).toBeCloseTo(0.5);
  expect(find(targets, '≤ 1 × rclone')).toMatchObject({ share: null, reached: null });
});

test('bytes on the wire are judged for one hop: the larger one, or half of both', () => {
  const judgeHop = (wire: WireReading) =>
    find(judge(makeResult({ step: 'insert', wire })), '≤ 64 KiB on the wire per hop');
  const half = judgeHop({ bothHopsBytes: 2 * 65 * 1024, hops: null });
  expect(half?.reached).toBe('65.0 KiB');
  expect(half?.share).toBeGreaterThan(1);
  const hops = { a: { up: 15 * 1024, down: 1024 }, b: { up: 1024, down: 7 * 1024 } };
  expect(judgeHop({ bothHopsBytes: 24 * 1024, hops })?.share).toBeCloseTo(0.25);
});

test('compressed text must take less wire than the best peer', () => {
  const wire = (bothHopsBytes: number) => ({ wire: { bothHopsBytes, hops: null } });
  const targets = judge(
    makeResult({ step: 'text', ...wire(4e8) }),
    makeResult({ step: 'text', peer: 'rsync', ...wire(1e9) }),
    makeResult({ step: 'text', peer: 'unison', ...wire(8e8) }),
  );
  expect(find(targets, 'less wire than every peer')?.share).toBeCloseTo(0.5);
});

test('latency is judged by its median and its 95th percentile', () => {
  const samplesMs = Array.from({ length: 30 }, (_value, index) => 10 + index);
  const targets = judge(
    makeResult({ step: 'latency', timeMs: 24.5, samplesMs }),
    makeResult({ step: 'latency', timeMs: 1080, peer: 'syncthing', samplesMs: [1080] }),
  );
  expect(find(targets, 'median ≤ 40 ms')?.reached).toBe('24.5 ms');
  expect(find(targets, 'p95 ≤ 100 ms')?.share).toBeCloseTo(0.38);
  expect(find(targets, '20 × sooner than Syncthing')?.share).toBeCloseTo(24.5 / 1080 / 0.05);
});

test('rest is judged by memory and CPU', () => {
  const rest = { step: 'rest', timeMs: null } as const;
  const targets = judge(
    makeResult({ ...rest, residentBytes: 100e6, cpuShare: 0.0005 }),
    makeResult({ ...rest, peer: 'syncthing', residentBytes: 90e6, cpuShare: 0.002 }),
  );
  expect(find(targets, '≤ 120 MB resident')?.share).toBeCloseTo(100 / 120);
  expect(find(targets, 'under 0.1 % of a CPU')?.share).toBeCloseTo(0.5);
  expect(find(targets, 'CPU ≤ Syncthing’s')?.share).toBeCloseTo(0.25);
});

test('a step that was not taken has no targets', () => {
  expect(judge(makeResult({ step: 'delete' }))).toEqual([]);
});

test('smaller sizes are noticed', () => {
  expect(areSizesFull({ ...FULL, runs: 3 })).toBe(true);
  expect(areSizesFull({ ...FULL, largeBytes: 1 })).toBe(false);
});
