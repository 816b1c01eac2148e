import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { compileCutFinder, formatGenerated } from '../build.ts';

describe('the committed WebAssembly', () => {
  it('is what its source compiles to, and small enough to load at once on a browser main thread', async () => {
    const wasm = await compileCutFinder();
    expect(wasm.length).toBeLessThan(4096);
    const committed = await readFile(new URL('./generated/cut-finder-wasm.ts', import.meta.url), 'utf8');
    expect(committed).toBe(formatGenerated(wasm));
  });
});
