import { afterEach, expect, it, vi } from 'vitest';

afterEach(() => {
  vi.unstubAllGlobals();
  vi.resetModules();
});

async function createChunkerAnew() {
  const { createChunker } = await import('./chunker.ts');
  return createChunker('t32-64k');
}

it('cuts in plain TypeScript where WebAssembly is forbidden', async () => {
  vi.stubGlobal('WebAssembly', undefined);
  expect((await createChunkerAnew()).implementation).toBe('typescript');
});

it('cuts in plain TypeScript when no more memory is granted', async () => {
  vi.stubGlobal('WebAssembly', {
    ...{ Module: WebAssembly.Module, Instance: WebAssembly.Instance },
    Memory: class {
      constructor() {
        throw new RangeError('WebAssembly.Memory(): could not allocate memory');
      }
    },
  });
  expect((await createChunkerAnew()).implementation).toBe('typescript');
});
