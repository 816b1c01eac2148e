import { defineConfig } from 'vitest/config';
import { createTestSummary } from './tools/test-summary.ts';

export default defineConfig({
  test: {
    include: [
      'packages/*/src/**/*.test.ts',
      'apps/*/{src,build}/**/*.test.ts',
      'apps/web/e2e/**/*.test.ts',
      'tools/**/*.test.ts',
      'bench/**/*.test.ts',
      'sim/**/*.test.ts',
    ],
    environment: 'node',
    reporters: ['default', createTestSummary()],
    testTimeout: 180_000,
    hookTimeout: 180_000,
    pool: 'forks',
    maxWorkers: 2,
  },
});
