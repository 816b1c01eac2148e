import { describe, expect, test } from 'vitest';
import { countTests, formatTestCounts, listSkipped } from './test-summary.ts';

const notes: Readonly<Record<string, string>> = { skipped: 'only root may' };
const testModule = (states: string[], errors: unknown[] = [], suiteErrors: unknown[][] = []) => ({
  errors: () => errors,
  children: {
    allTests: () =>
      states.map((state) => ({ fullName: `a ${state} test`, result: () => ({ state, note: notes[state] }) })),
    allSuites: () => suiteErrors.map((each) => ({ errors: () => each })),
  },
});

describe('the summary of a test run', () => {
  test('counts tests by what became of them', () => {
    const counts = countTests([testModule(['passed', 'failed', 'skipped']), testModule(['passed'])], []);
    expect(counts).toEqual({ passed: 2, failed: 1, skipped: 1 });
  });
  test('a test that never ended is a failure', () => {
    expect(countTests([testModule(['pending'])], []).failed).toBe(1);
  });
  test('what breaks outside of a test is a failure', () => {
    expect(countTests([testModule([], ['cannot be imported'])], []).failed).toBe(1);
    expect(countTests([testModule(['skipped'], [], [['a hook failed'], []])], []).failed).toBe(1);
    expect(countTests([testModule(['passed'])], ['nobody caught it'])).toEqual({
      passed: 1,
      failed: 1,
      skipped: 0,
    });
  });
  test('says why each skipped test was', () => {
    expect(listSkipped([testModule(['passed', 'skipped']), testModule(['failed'])])).toEqual([
      'skipped: a skipped test: only root may',
    ]);
  });
  test('names skipped tests only where there are some', () => {
    expect(formatTestCounts({ passed: 3, failed: 0, skipped: 0 })).toBe('3 passed, 0 failed');
    expect(formatTestCounts({ passed: 3, failed: 1, skipped: 2 })).toBe('3 passed, 1 failed, 2 skipped');
  });
});
