import { type CutFinder, PREDICATE_BYTES } from './cut-finder.ts';
import { CUT_FINDER_WASM_BASE64 } from './generated/cut-finder-wasm.ts';

const PAGE_BYTES = 65_536;
/** The kernel reads up to this far in front of and behind the window. */
const MARGIN_BYTES = 64;

type Find = (from: number, to: number, threshold: number) => number;

let compiled: WebAssembly.Module | null | undefined;

/** `null` where WebAssembly with SIMD is missing or forbidden (by a content security policy, say). */
function compile(): WebAssembly.Module | null {
  if (compiled !== undefined) return compiled;
  try {
    // Below 4 KiB, so that browsers allow it on the main thread without waiting.
    const bytes = Uint8Array.from(atob(CUT_FINDER_WASM_BASE64), (character) => character.charCodeAt(0));
    compiled = new WebAssembly.Module(bytes);
  } catch {
    // Not an error: the TypeScript twin takes over, and `Chunker.implementation` says so.
    compiled = null;
  }
  return compiled;
}

/** Memory of fixed size (views of one that grows would come loose), or `null` when the engine grants no more. */
function createMemory(sizeBytes: number): WebAssembly.Memory | null {
  const pages = Math.ceil(sizeBytes / PAGE_BYTES);
  try {
    return new WebAssembly.Memory({ initial: pages, maximum: pages });
  } catch (error) {
    // Engines reserve gigabytes of address space for each memory and refuse when that runs out.
    if (error instanceof RangeError) return null;
    throw error;
  }
}

/** A cut finder on WebAssembly memory, or `null` where that cannot be had. */
export function createWasmCutFinder(windowBytes: number): CutFinder | null {
  const module = compile();
  const memory = module === null ? null : createMemory(windowBytes + 2 * MARGIN_BYTES);
  if (module === null || memory === null) return null;
  const instance = new WebAssembly.Instance(module, { env: { memory } });
  const findAddress = instance.exports['find'] as Find;
  return {
    implementation: 'wasm',
    window: new Uint8Array(memory.buffer, MARGIN_BYTES, windowBytes),
    find(from, to, threshold) {
      if (from < PREDICATE_BYTES - 1 || to > windowBytes) throw new RangeError('outside of the window');
      const found = findAddress(from + MARGIN_BYTES, to + MARGIN_BYTES, threshold);
      return found === 0 ? -1 : found - MARGIN_BYTES;
    },
  };
}
