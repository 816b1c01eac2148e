import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import {
  ALL_SHARDS,
  createErasureCoder,
  createErasureCoderOn,
  DATA_SHARDS,
  type ErasureCoder,
  SHARD_ROWS,
} from './erasure-coder.ts';
import { invert, invertMatrix, multiply } from './galois-field.ts';
import { createTypeScriptShardCombiner } from './typescript-shard-combiner.ts';
import { createWasmShardCombiner } from './wasm-shard-combiner.ts';

const combiner = createWasmShardCombiner();
if (combiner === null) throw new Error('no WebAssembly with SIMD here');
const wasm = createErasureCoderOn(combiner);
const twin = createErasureCoderOn(createTypeScriptShardCombiner());

/** All sets of `size` of the six shards. */
function choose(size: number, from = 0): number[][] {
  if (size === 0) return [[]];
  return Array.from({ length: ALL_SHARDS - from }, (_, at) => from + at).flatMap((first) =>
    choose(size - 1, first + 1).map((rest) => [first, ...rest]),
  );
}

function makeData(sizeBytes: number, seed: number): Uint8Array[] {
  let state = seed | 1;
  return Array.from({ length: DATA_SHARDS }, () =>
    Uint8Array.from({ length: sizeBytes }, () => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) | 0;
      return state >>> 16;
    }),
  );
}

function encode(coder: ErasureCoder, data: readonly Uint8Array[]): Uint8Array[] {
  const parity = [0, 1].map(() => new Uint8Array(data[0]?.length ?? 0).fill(0xa5));
  coder.encode(data, parity);
  return parity;
}

function rebuild(
  coder: ErasureCoder,
  known: ReadonlyMap<number, Uint8Array>,
  wanted: readonly number[],
): Uint8Array[] {
  const sizeBytes = [...known.values()][0]?.length ?? 0;
  const outputs = new Map(wanted.map((index) => [index, new Uint8Array(sizeBytes).fill(0xa5)]));
  coder.rebuild(known, outputs);
  return [...outputs.values()];
}

/** Around the ends of vectors and slices, where the loops could go wrong. */
const sizes = fc.oneof(fc.integer({ min: 0, max: 200 }), fc.constantFrom(32 * 1024 - 1, 32 * 1024 + 1));

describe('the field', () => {
  it('is one: products agree with long multiplication, and each value but 0 has an inverse', () => {
    for (let a = 0; a < 256; a++) {
      for (let b = 0; b < 256; b++) {
        let product = 0;
        for (let bit = 0; bit < 8; bit++) if ((b >> bit) & 1) product ^= a << bit;
        for (let bit = 14; bit >= 8; bit--) if ((product >> bit) & 1) product ^= 0x11d << (bit - 8);
        expect(multiply(a, b)).toBe(product);
      }
      if (a > 0) expect(multiply(a, invert(a))).toBe(1);
    }
    expect(() => invert(0)).toThrow(RangeError);
    expect(() =>
      invertMatrix([
        [1, 2],
        [1, 2],
      ]),
    ).toThrow(RangeError);
  });
});

describe('the erasure code', () => {
  it('can be solved from any four of the six shards', () => {
    const some = choose(DATA_SHARDS);
    expect(some).toHaveLength(15);
    for (const indexes of some) {
      const rows = indexes.map((index) => SHARD_ROWS[index] as readonly number[]);
      const inverse = invertMatrix(rows);
      const product = rows.map((row) =>
        row.map((_, column) =>
          row.reduce((sum, value, at) => sum ^ multiply(value, inverse[at]?.[column] as number), 0),
        ),
      );
      expect(product).toEqual(SHARD_ROWS.slice(0, DATA_SHARDS));
    }
  });

  it('is the one that stored shards were made with', () => {
    const data = [
      [1, 2, 3, 255],
      [0, 128, 64, 254],
      [7, 7, 0, 253],
      [9, 0, 1, 252],
    ].map((bytes) => Uint8Array.from(bytes));
    expect(encode(wasm, data).map((shard) => [...shard])).toEqual([
      [15, 133, 66, 0],
      [85, 3, 139, 126],
    ]);
  });

  it.each([
    ['wasm', wasm],
    ['typescript', twin],
  ] as const)(
    'in %s brings back every shard after every loss of at most two, and fails at three',
    (_, coder) => {
      fc.assert(
        fc.property(sizes, fc.integer(), (sizeBytes, seed) => {
          const data = makeData(sizeBytes, seed);
          const before = data.map((shard) => shard.slice());
          const shards = [...data, ...encode(coder, data)];
          expect(data).toEqual(before);
          for (const lost of [...choose(1), ...choose(2)]) {
            const known = new Map([...shards.entries()].filter(([index]) => !lost.includes(index)));
            const found = rebuild(coder, known, lost);
            for (const [at, index] of lost.entries()) {
              expect(Buffer.compare(found[at] as Uint8Array, shards[index] as Uint8Array)).toBe(0);
            }
          }
          for (const lost of choose(3)) {
            const known = new Map([...shards.entries()].filter(([index]) => !lost.includes(index)));
            expect(() => rebuild(coder, known, lost)).toThrow(RangeError);
          }
        }),
        { numRuns: 20 },
      );
    },
  );

  it('gives the same bytes in both implementations', () => {
    fc.assert(
      fc.property(sizes, fc.integer(), fc.shuffledSubarray([0, 1, 2, 3, 4, 5]), (sizeBytes, seed, order) => {
        const data = makeData(sizeBytes, seed);
        const shards = [...data, ...encode(twin, data)];
        expect(
          encode(wasm, data).every((shard, at) => Buffer.compare(shard, shards[4 + at] as Uint8Array) === 0),
        ).toBe(true);
        const known = new Map(order.slice(0, 4).map((index) => [index, shards[index] as Uint8Array]));
        if (known.size < 4) return;
        const all = [0, 1, 2, 3, 4, 5];
        const [found, expected] = [rebuild(wasm, known, all), rebuild(twin, known, all)];
        expect(Buffer.compare(Buffer.concat(found), Buffer.concat(expected))).toBe(0);
      }),
      { numRuns: 40 },
    );
  });

  it('refuses shards that differ in length or are too few', () => {
    const data = makeData(10, 1);
    expect(() => encode(wasm, data.slice(1))).toThrow(RangeError);
    expect(() => encode(wasm, [...data.slice(1), new Uint8Array(9)])).toThrow(RangeError);
    const known = new Map([...data.entries()]);
    expect(() => rebuild(wasm, known.set(3, new Uint8Array(9)), [5])).toThrow(RangeError);
  });

  it('runs in plain TypeScript where WebAssembly is forbidden', async () => {
    expect(createErasureCoder().implementation).toBe('wasm');
    vi.resetModules();
    vi.stubGlobal('WebAssembly', undefined);
    const anew = await import('./erasure-coder.ts');
    expect(anew.createErasureCoder().implementation).toBe('typescript');
    vi.unstubAllGlobals();
    vi.resetModules();
  });
});
