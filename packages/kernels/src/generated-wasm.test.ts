import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { compileKernel, formatGenerated, generatedFile, KERNELS } from '../build.ts';

describe('the committed WebAssembly', () => {
  it.each(KERNELS)(
    'of %s is what its source compiles to, and small enough to load at once on a browser main thread',
    async (name) => {
      const wasm = await compileKernel(name);
      expect(wasm.length).toBeLessThan(4096);
      expect(await readFile(generatedFile(name), 'utf8')).toBe(formatGenerated(name, wasm));
    },
  );
});
