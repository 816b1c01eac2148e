/**
 * Compiles the kernels to WebAssembly and writes them, as text, into `src/generated`. The result is committed, so
 * that an installation needs no build; a test compiles again and compares.
 */
import { readFile, writeFile } from 'node:fs/promises';
import asc from 'assemblyscript/asc';

/** Names of the sources in `assembly`, and of the generated modules. */
export const KERNELS = ['cut-finder', 'cut-finder-shared', 'shard-combiner'] as const;
export type KernelName = (typeof KERNELS)[number];

/** Those whose memory other threads see, too: the same source with other options. */
const SHARED: Partial<Record<KernelName, string>> = { 'cut-finder-shared': 'cut-finder' };

// No runtime, no data, memory from outside, nothing but baseline SIMD: the module is functions and runs everywhere.
const OPTIONS = [
  ...['--runtime', 'stub', '--enable', 'simd', '--importMemory', '--noExportMemory'],
  ...['-O3', '--noAssert', '--outFile', 'out.wasm'],
];

/** The largest memory, in pages of 64 KiB, that a module of shared memory takes: 16 MiB. */
const MAX_SHARED_PAGES = 256;
const SHARED_OPTIONS = [
  ...['--enable', 'threads', '--sharedMemory', '--initialMemory', '1'],
  ...['--maximumMemory', String(MAX_SHARED_PAGES)],
];

/** A kernel as WebAssembly. The same source gives the same bytes on every machine. */
export async function compileKernel(name: KernelName): Promise<Uint8Array> {
  const plain = SHARED[name];
  const file = `${plain ?? name}.ts`;
  const options = plain === undefined ? OPTIONS : [...OPTIONS, ...SHARED_OPTIONS];
  const source = await readFile(new URL(`./assembly/${file}`, import.meta.url), 'utf8');
  let wasm: Uint8Array | null = null;
  const { error, stderr } = await asc.main([file, ...options], {
    readFile: (asked) => (asked === file ? source : null),
    writeFile: (written, contents) => {
      if (written === 'out.wasm') wasm = contents as Uint8Array;
    },
    listFiles: () => [],
  });
  if (error !== null || wasm === null) {
    throw new Error(`${file} cannot be compiled:\n${stderr.toString()}`, { cause: error });
  }
  return wasm;
}

/** Where the generated module of a kernel lies. */
export function generatedFile(name: KernelName): URL {
  return new URL(`./src/generated/${name}-wasm.ts`, import.meta.url);
}

/** The generated module that holds `wasm`. */
export function formatGenerated(name: KernelName, wasm: Uint8Array): string {
  const base64 = Buffer.from(wasm).toString('base64');
  const constant = `${name.toUpperCase().replaceAll('-', '_')}_WASM_BASE64`;
  return [
    `// Made from assembly/${SHARED[name] ?? name}.ts by \`npm run build:kernels\`; do not edit.`,
    `export const ${constant} =\n  '${base64}';`,
    '',
  ].join('\n');
}

if (import.meta.main) {
  for (const name of KERNELS) {
    const wasm = await compileKernel(name);
    await writeFile(generatedFile(name), formatGenerated(name, wasm));
    console.log(`${generatedFile(name).pathname}: ${wasm.length} bytes of WebAssembly`);
  }
}
