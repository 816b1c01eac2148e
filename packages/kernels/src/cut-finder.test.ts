import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CutFinder } from './cut-finder.ts';
import { createTypeScriptCutFinder } from './typescript-cut-finder.ts';
import { createWasmCutFinder } from './wasm-cut-finder.ts';

const WINDOW_BYTES = 24 * 1024;

function createBoth(): readonly [CutFinder, CutFinder] {
  const wasm = createWasmCutFinder(WINDOW_BYTES);
  if (wasm === null) throw new Error('no WebAssembly with SIMD here');
  return [wasm, createTypeScriptCutFinder(WINDOW_BYTES)];
}

const [wasm, twin] = createBoth();

function fill(bytes: Uint8Array): void {
  for (const finder of [wasm, twin]) {
    finder.window.fill(0xa5);
    finder.window.set(bytes);
  }
}

function findAll(finder: CutFinder, from: number, to: number, threshold: number): number[] {
  const found: number[] = [];
  for (let at = finder.find(from, to, threshold); at !== -1; at = finder.find(at + 1, to, threshold))
    found.push(at);
  return found;
}

/** Bytes of few or many different values, with repeats: the shapes in which the lanes could go wrong. */
const bytesOfAllKinds = fc
  .record({
    seed: fc.integer({ min: 1, max: 0x7fff_ffff }),
    alphabet: fc.integer({ min: 1, max: 256 }),
    offset: fc.integer({ min: 0, max: 255 }),
    period: fc.integer({ min: 17, max: WINDOW_BYTES }),
  })
  .map(({ seed, alphabet, offset, period }) => {
    let state = seed;
    const bytes = new Uint8Array(WINDOW_BYTES);
    for (let index = 0; index < bytes.length; index++) {
      state = (Math.imul(state, 1_103_515_245) + 12_345) | 0;
      bytes[index] =
        index >= period ? (bytes[index - period] as number) : offset + ((state >>> 16) % alphabet);
    }
    return bytes;
  });

const range = fc
  .tuple(fc.integer({ min: 31, max: WINDOW_BYTES }), fc.integer({ min: 31, max: WINDOW_BYTES }))
  .map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const);

describe('the first byte that is not zero', () => {
  it('is found by both implementations, wherever it is', () => {
    const offset = fc.integer({ min: 0, max: WINDOW_BYTES });
    fc.assert(
      fc.property(
        offset,
        offset,
        fc.array(fc.integer({ min: 0, max: WINDOW_BYTES - 1 }), { maxLength: 3 }),
        fc.integer({ min: 1, max: 255 }),
        (a, b, others, byte) => {
          const [from, to] = [Math.min(a, b), Math.max(a, b)];
          const bytes = new Uint8Array(WINDOW_BYTES);
          for (const other of others) bytes[other] = byte;
          fill(bytes);
          const expected = bytes.subarray(from, to).findIndex((value) => value !== 0);
          for (const finder of [wasm, twin]) {
            expect(finder.firstNonZero(from, to)).toBe(expected === -1 ? to : from + expected);
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('the two implementations of the cut predicate', () => {
  it('agree on every position of every kind of bytes', () => {
    let cuts = 0;
    fc.assert(
      fc.property(
        bytesOfAllKinds,
        range,
        fc.integer({ min: 0, max: 0xffff_ffff }),
        (bytes, [from, to], threshold) => {
          fill(bytes);
          const found = findAll(wasm, from, to, threshold);
          expect(found).toEqual(findAll(twin, from, to, threshold));
          cuts += found.length;
        },
      ),
      { numRuns: 400 },
    );
    expect(cuts).toBeGreaterThan(100);
  });

  it('look at the last 32 bytes and at nothing else', () => {
    fc.assert(
      fc.property(bytesOfAllKinds, fc.integer({ min: 0, max: 255 }), (bytes, noise) => {
        fill(bytes);
        for (const at of findAll(twin, 31, WINDOW_BYTES, 0xffff_ffff).slice(0, 5)) {
          for (const finder of [wasm, twin]) {
            finder.window.fill(noise);
            finder.window.set(bytes.subarray(at - 31, at + 1), at - 31);
            expect(finder.find(at, at + 1, 0xffff_ffff)).toBe(at);
          }
        }
      }),
      { numRuns: 100 },
    );
  });

  it('pick about one position in 4096 of random bytes, and all of those under the highest threshold', () => {
    let total = 0;
    for (let round = 0; round < 16; round++) {
      fill(crypto.getRandomValues(new Uint8Array(WINDOW_BYTES)));
      total += findAll(wasm, 31, WINDOW_BYTES, 0xffff_ffff).length;
    }
    // 96 on average, standard deviation 10
    expect(total).toBeGreaterThan(40);
    expect(total).toBeLessThan(160);
  });

  it('never pick a position in data with a period of 1, 2, 4, 8 or 16 bytes', () => {
    for (let byte = 0; byte < 256; byte++) {
      for (const finder of [wasm, twin]) {
        finder.window.fill(byte);
        expect(finder.find(31, 512, 0xffff_ffff)).toBe(-1);
      }
    }
    fc.assert(
      fc.property(
        fc.constantFrom(2, 4, 8, 16),
        fc.uint8Array({ minLength: 16, maxLength: 16 }),
        (period, pattern) => {
          fill(Uint8Array.from({ length: 2048 }, (_, index) => pattern[index % period] as number));
          expect(wasm.find(31, 2048, 0xffff_ffff)).toBe(-1);
          expect(twin.find(31, 2048, 0xffff_ffff)).toBe(-1);
        },
      ),
      { numRuns: 50 },
    );
  });

  it('refuse to look in front of the window', () => {
    for (const finder of [wasm, twin]) expect(() => finder.find(30, 64, 1)).toThrow(RangeError);
  });
});
