import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { makeBytes } from '../testing/byte-source.ts';
import { createHashAside } from './hash-aside.ts';
import { createWasmSha256 } from './wasm-sha256.ts';

const MIB = 1024 * 1024;
const right = (bytes: Uint8Array) => new Uint8Array(createHash('sha256').update(bytes).digest());

/** Both ways take what the test says; the clock stands still otherwise. */
function createTimed(nativeMs: number, wasmMs: number) {
  let nowMs = 0;
  const calls: string[] = [];
  const hash = createHashAside({
    native: async (bytes) => {
      nowMs += nativeMs;
      calls.push('native');
      return right(bytes);
    },
    loadWasm: async () => (bytes) => {
      nowMs += wasmMs;
      calls.push('wasm');
      return right(bytes);
    },
    now: () => nowMs,
  });
  return { hash, calls };
}

test('WebAssembly names what every SHA-256 names, also when it is used by turns', async () => {
  const hash = await createWasmSha256();
  for (const size of [0, 1, 55, 56, 63, 64, 65, 4096, 335_881, 3 * MIB]) {
    const bytes = makeBytes(size + 1, size);
    expect(hash(bytes), `${size} bytes`).toEqual(right(bytes));
    expect(hash(bytes.subarray(size >> 1))).toEqual(right(bytes.subarray(size >> 1)));
  }
});

describe('the way that large blocks are hashed', () => {
  const large = makeBytes(1, 2 * MIB);
  const small = makeBytes(2, 100_000);

  test.each([
    [10, 3, 'wasm'],
    [3, 10, 'native'],
  ] as const)(
    'is the faster one (%i ms and %i ms: %s); small ones go to the browser',
    async (native, wasm, wanted) => {
      const { hash, calls } = createTimed(native, wasm);
      // All at once, as the chunks of a window are.
      const blocks = Array.from({ length: 6 }, (_, index) => large.subarray(index));
      const digests = await Promise.all(blocks.map(hash));
      expect(digests).toEqual(blocks.map(right));
      calls.length = 0;
      expect(await hash(large)).toEqual(right(large));
      expect(await hash(small)).toEqual(right(small));
      expect(calls).toEqual([wanted, 'native']);
    },
  );

  test('is the browser’s own where WebAssembly cannot be loaded', async () => {
    const hash = createHashAside({
      native: async (bytes) => right(bytes),
      loadWasm: () => Promise.reject(new Error('forbidden')),
      now: () => 0,
    });
    for (let times = 0; times < 8; times++) expect(await hash(large)).toEqual(right(large));
  });

  test('is WebAssembly for all sizes where the browser has none', async () => {
    const hash = createHashAside({ native: null, loadWasm: createWasmSha256, now: () => 0 });
    for (const bytes of [large, small]) expect(await hash(bytes)).toEqual(right(bytes));
  });
});
