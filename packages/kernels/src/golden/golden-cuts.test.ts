import { describe, expect, it } from 'vitest';
import { CHUNK_RULES, type ChunkProfileName } from '../chunk-rules.ts';
import { createChunkerOn } from '../chunker.ts';
import { createTypeScriptCutFinder } from '../typescript-cut-finder.ts';
import { createWasmCutFinder } from '../wasm-cut-finder.ts';
import { cutBytes } from './cut-bytes.ts';
import golden from './golden-cuts.json' with { type: 'json' };
import { listGoldenInputs, makeGoldenInput } from './golden-inputs.ts';

// Frozen. A failure here means that devices would no longer cut alike and that every stored file would be sent
// again: give the new rule a new profile name instead of touching the fixture.

const profiles = Object.keys(CHUNK_RULES) as ChunkProfileName[];

describe.each(profiles)('golden cuts of %s', (profile) => {
  const { windowBytes, minBytes, maxBytes } = CHUNK_RULES[profile];
  const expected = golden[profile];
  const inputs = listGoldenInputs(profile);

  it('has a golden case for every input', () => {
    expect(expected.map(({ make, sizeBytes }) => ({ make, sizeBytes }))).toEqual(inputs);
  });

  it.each([
    ['wasm', 'in memory of its own', createWasmCutFinder],
    ['wasm', 'in shared memory', (bytes: number) => createWasmCutFinder(bytes, true)],
    ['typescript', 'in memory of its own', createTypeScriptCutFinder],
  ] as const)('is what the %s implementation makes %s', (implementation, _where, createFinder) => {
    const finder = createFinder(windowBytes);
    expect(finder?.implementation).toBe(implementation);
    if (finder === null) return;
    const chunker = createChunkerOn(finder, profile);
    for (const { make, sizeBytes, cuts } of expected) {
      const bytes = makeGoldenInput({ make: make as (typeof inputs)[number]['make'], sizeBytes });
      expect(cutBytes(chunker, bytes), `${make} of ${sizeBytes} bytes`).toEqual(cuts);
    }
  });

  it('keeps the rules', () => {
    for (const { make, sizeBytes, cuts } of expected) {
      expect(cuts.reduce((sum, length) => sum + length, 0)).toBe(sizeBytes);
      for (const length of cuts.slice(0, -1)) {
        expect(length).toBeGreaterThanOrEqual(minBytes);
        if (make === 'zeros') expect(length).toBe(maxBytes);
      }
      for (const length of cuts) expect(length).toBeLessThanOrEqual(maxBytes);
    }
  });

  it('finds back to the same cuts after a byte inserted in front', () => {
    const find = (make: string) => expected.find((each) => each.make === make)?.cuts ?? [];
    const plain = find('text');
    const shifted = find('text-after-one-byte');
    expect(shifted.slice(-5)).toEqual(plain.slice(-5));
    expect(plain.length).toBeGreaterThan(5);
  });
});
