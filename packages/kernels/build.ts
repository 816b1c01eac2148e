/**
 * Compiles the kernels to WebAssembly and writes them, as text, into `src/generated`. The result is committed, so
 * that an installation needs no build; a test compiles again and compares.
 */
import { readFile, writeFile } from 'node:fs/promises';
import asc from 'assemblyscript/asc';

const SOURCE = 'cut-finder.ts';
const GENERATED = new URL('./src/generated/cut-finder-wasm.ts', import.meta.url);
// No runtime, no data, memory from outside, nothing but baseline SIMD: the module is a function and runs everywhere.
const OPTIONS = [
  ...['--runtime', 'stub', '--enable', 'simd', '--importMemory', '--noExportMemory'],
  ...['-O3', '--noAssert', '--outFile', 'out.wasm'],
];

/** The cut finder as WebAssembly. The same source gives the same bytes on every machine. */
export async function compileCutFinder(): Promise<Uint8Array> {
  const source = await readFile(new URL(`./assembly/${SOURCE}`, import.meta.url), 'utf8');
  let wasm: Uint8Array | null = null;
  const { error, stderr } = await asc.main([SOURCE, ...OPTIONS], {
    readFile: (name) => (name === SOURCE ? source : null),
    writeFile: (name, contents) => {
      if (name === 'out.wasm') wasm = contents as Uint8Array;
    },
    listFiles: () => [],
  });
  if (error !== null || wasm === null) {
    throw new Error(`${SOURCE} cannot be compiled:\n${stderr.toString()}`, { cause: error });
  }
  return wasm;
}

/** The generated module that holds `wasm`. */
export function formatGenerated(wasm: Uint8Array): string {
  const base64 = Buffer.from(wasm).toString('base64');
  return [
    `// Made from assembly/${SOURCE} by \`npm run build:kernels\`; do not edit.`,
    `export const CUT_FINDER_WASM_BASE64 =\n  '${base64}';`,
    '',
  ].join('\n');
}

if (import.meta.main) {
  const wasm = await compileCutFinder();
  await writeFile(GENERATED, formatGenerated(wasm));
  console.log(`${GENERATED.pathname}: ${wasm.length} bytes of WebAssembly`);
}
