import { describe, expect, test } from 'vitest';
import { deviceWorlds } from './device-worlds.ts';
import { KEPT_SEEDS } from './kept-seeds.ts';
import { runTwice } from './run-twice.ts';

describe('histories that once found something', () => {
  test.each(KEPT_SEEDS)('seed %i: %s', async (seed) => {
    const { failure } = await runTwice(deviceWorlds, seed);
    expect(failure?.message ?? null).toBeNull();
  });
});
