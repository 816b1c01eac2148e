import type { Reporter } from 'vitest/node';

/** How a run of the tests ended, in numbers. */
export interface TestCounts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/**
 * The one line that scripts read, such as `812 passed, 0 failed, 3 skipped`; skipped tests are named only where
 * there are some.
 */
export function formatTestCounts({ passed, failed, skipped }: TestCounts): string {
  const line = `${passed} passed, ${failed} failed`;
  return skipped === 0 ? line : `${line}, ${skipped} skipped`;
}

/** The parts of a test module that are counted; Vitest's `TestModule` fits. */
interface CountedModule {
  errors(): readonly unknown[];
  readonly children: {
    allTests(): Iterable<{
      readonly fullName: string;
      result(): { readonly state: string; readonly note?: string | undefined };
    }>;
    allSuites(): Iterable<{ errors(): readonly unknown[] }>;
  };
}

/**
 * Counts tests. A file or a group that broke outside of its tests (at import, in a hook) counts as one failure,
 * and so does an error that no test caught: a run with any of them is never "0 failed".
 */
export function countTests(
  testModules: readonly CountedModule[],
  unhandledErrors: readonly unknown[],
): TestCounts {
  let passed = 0;
  let failed = unhandledErrors.length;
  let skipped = 0;
  for (const testModule of testModules) {
    if (testModule.errors().length > 0) failed++;
    for (const suite of testModule.children.allSuites()) {
      if (suite.errors().length > 0) failed++;
    }
    for (const testCase of testModule.children.allTests()) {
      const { state } = testCase.result();
      if (state === 'passed') passed++;
      else if (state === 'skipped') skipped++;
      else failed++;
    }
  }
  return { passed, failed, skipped };
}

/** One line for each test that was skipped, with its reason: what was not tested must not go unnoticed. */
export function listSkipped(testModules: readonly CountedModule[]): string[] {
  const tests = testModules.flatMap(({ children }) => [...children.allTests()]);
  return tests.flatMap((test) => {
    const { state, note } = test.result();
    return state === 'skipped' ? [`skipped: ${test.fullName}: ${note ?? 'it does not say why'}`] : [];
  });
}

/**
 * Vitest reporter that ends the output with the skipped tests and {@link formatTestCounts}, which is alone on its
 * line.
 */
export function createTestSummary(): Reporter {
  return {
    onTestRunEnd(testModules, unhandledErrors) {
      for (const line of listSkipped(testModules)) process.stdout.write(`${line}\n`);
      process.stdout.write(`${formatTestCounts(countTests(testModules, unhandledErrors))}\n`);
    },
  };
}
