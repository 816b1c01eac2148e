import { type CutFinder, PREDICATE_BYTES } from './cut-finder.ts';
import { CUT_FINDER_SHARED_WASM_BASE64 } from './generated/cut-finder-shared-wasm.ts';
import { CUT_FINDER_WASM_BASE64 } from './generated/cut-finder-wasm.ts';
import { compileModule, createMemory } from './wasm-module.ts';

/** The kernel reads up to this far in front of and behind the window. */
const MARGIN_BYTES = 64;

type Find = (from: number, to: number, threshold: number) => number;

type FirstNonZero = (from: number, to: number) => number;

/** By whether its memory is shared; `null` where it cannot be had. */
const compiled = new Map<boolean, WebAssembly.Module | null>();

function loadModule(shared: boolean): WebAssembly.Module | null {
  const known = compiled.get(shared);
  if (known !== undefined) return known;
  const module = compileModule(shared ? CUT_FINDER_SHARED_WASM_BASE64 : CUT_FINDER_WASM_BASE64);
  compiled.set(shared, module);
  return module;
}

/**
 * A cut finder on WebAssembly memory, or `null` where that cannot be had.
 * @param shared the window is memory that other threads can see; its `buffer` is a SharedArrayBuffer
 */
export function createWasmCutFinder(windowBytes: number, shared = false): CutFinder | null {
  const module = loadModule(shared);
  const memory = module === null ? null : createMemory(windowBytes + 2 * MARGIN_BYTES, shared);
  if (module === null || memory === null) return null;
  const instance = new WebAssembly.Instance(module, { env: { memory } });
  const findAddress = instance.exports['find'] as Find;
  const firstNonZeroAddress = instance.exports['firstNonZero'] as FirstNonZero;
  return {
    implementation: 'wasm',
    window: new Uint8Array(memory.buffer, MARGIN_BYTES, windowBytes),
    find(from, to, threshold) {
      if (from < PREDICATE_BYTES - 1 || to > windowBytes) throw new RangeError('outside of the window');
      const found = findAddress(from + MARGIN_BYTES, to + MARGIN_BYTES, threshold);
      return found === 0 ? -1 : found - MARGIN_BYTES;
    },
    firstNonZero(from, to) {
      if (from < 0 || from > to || to > windowBytes) throw new RangeError('outside of the window');
      return firstNonZeroAddress(from + MARGIN_BYTES, to + MARGIN_BYTES) - MARGIN_BYTES;
    },
  };
}
