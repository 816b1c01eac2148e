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

/** A cut finder on WebAssembly memory, or `null` where that cannot be had. */
export function createWasmCutFinder(windowBytes: number): CutFinder | null {
  const module = compile();
  if (module === null) return null;
  const pages = Math.ceil((windowBytes + 2 * MARGIN_BYTES) / PAGE_BYTES);
  // Fixed size: views of a memory that grows would come loose.
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
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
