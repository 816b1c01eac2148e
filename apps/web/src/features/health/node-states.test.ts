import type { DrillReport } from '@cairn/protocol';
import { describe, expect, test } from 'vitest';
import { describeNode, type StorageNode, summariseClaims } from './node-states.ts';

function node(changes: Partial<StorageNode>): StorageNode {
  return { state: 'up', isFull: false, isDraining: false, ...changes } as StorageNode;
}

function drill(endedAt: number, results: Record<string, 'proven' | 'unproven'>): DrillReport {
  const claims = Object.entries(results).map(([id, result]) => ({
    id,
    claim: `${id} holds`,
    done: '',
    result,
    problem: result === 'proven' ? null : 'it did not',
    startedAt: endedAt - 1,
    endedAt,
    figures: {},
  }));
  return { kind: 'live', startedAt: endedAt - 1, endedAt, claims };
}

describe('storage nodes', () => {
  test('are green only when they are up and have nothing else', () => {
    expect(describeNode(node({}))).toEqual({ light: 'good', word: 'up' });
    expect(describeNode(node({ isFull: true }))).toEqual({ light: 'warn', word: 'full' });
    expect(describeNode(node({ isDraining: true }))).toEqual({ light: 'warn', word: 'draining' });
    expect(describeNode(node({ state: 'suspect' }))).toEqual({ light: 'warn', word: 'suspect' });
    expect(describeNode(node({ state: 'down', isDraining: true }))).toEqual({
      light: 'danger',
      word: 'down',
    });
  });
});

describe('claims of drills', () => {
  test('the last result counts, and when it last passed is kept', () => {
    const states = summariseClaims([
      drill(300, { kill: 'proven', rot: 'unproven' }),
      drill(200, { kill: 'unproven', rot: 'unproven' }),
      drill(100, { kill: 'proven', rot: 'proven', full: 'proven' }),
    ]);
    expect(states.map(({ id, result, lastProvenAt }) => [id, result, lastProvenAt])).toEqual([
      ['rot', 'unproven', 100],
      ['kill', 'proven', 300],
      ['full', 'proven', 100],
    ]);
  });

  test('a claim that never passed says so', () => {
    expect(summariseClaims([drill(1, { kill: 'unproven' })])[0]?.lastProvenAt).toBeNull();
    expect(summariseClaims([])).toEqual([]);
  });
});
