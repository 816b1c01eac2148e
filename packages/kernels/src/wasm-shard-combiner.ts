import { multiply } from './galois-field.ts';
import { SHARD_COMBINER_WASM_BASE64 } from './generated/shard-combiner-wasm.ts';
import type { ShardCombiner } from './shard-combiner.ts';
import { compileModule, createMemory } from './wasm-module.ts';

/** Of each shard at a time: six of them stay in the second-level cache. */
const SLICE_BYTES = 32 * 1024;
/** The slices of different shards must not fall onto the same lines of the first-level cache. */
const STRIDE_BYTES = SLICE_BYTES + 5 * 64;
const SLICES = 6;
const TABLES_AT = SLICES * STRIDE_BYTES;
/** For four factors. */
const TABLE_BYTES = 4 * 32;
const VECTOR_BYTES = 32;

interface Kernel {
  encode(start: number, stride: number, length: number): void;
  combine(start: number, stride: number, length: number, tables: number, output: number): void;
}

let compiled: WebAssembly.Module | null | undefined;

/** The kernel on memory of its own (200 KiB), or `null` where that cannot be had. */
export function createWasmShardCombiner(): ShardCombiner | null {
  if (compiled === undefined) compiled = compileModule(SHARD_COMBINER_WASM_BASE64);
  const memory = compiled === null ? null : createMemory(TABLES_AT + 2 * TABLE_BYTES);
  if (compiled === null || memory === null) return null;
  const instance = new WebAssembly.Instance(compiled, { env: { memory } });
  const kernel = instance.exports as unknown as Kernel;
  const bytes = new Uint8Array(memory.buffer);

  /** Takes the sources through the kernel slice by slice; what is behind the end of a source never reaches an output. */
  function run(
    sources: readonly Uint8Array[],
    outputs: readonly Uint8Array[],
    work: (length: number) => void,
  ): void {
    const total = outputs[0]?.length ?? 0;
    for (let start = 0; start < total; start += SLICE_BYTES) {
      const end = Math.min(total, start + SLICE_BYTES);
      for (const [index, source] of sources.entries()) {
        bytes.set(source.subarray(start, end), index * STRIDE_BYTES);
      }
      work(Math.ceil((end - start) / VECTOR_BYTES) * VECTOR_BYTES);
      for (const [index, output] of outputs.entries()) {
        const at = (sources.length + index) * STRIDE_BYTES;
        output.set(bytes.subarray(at, at + end - start), start);
      }
    }
  }

  return {
    implementation: 'wasm',
    encode(data, parity) {
      run(data, parity, (length) => kernel.encode(0, STRIDE_BYTES, length));
    },
    combine(sources, factors, outputs) {
      for (const [which, row] of factors.entries()) {
        for (const [index, factor] of row.entries()) {
          const at = TABLES_AT + which * TABLE_BYTES + index * 32;
          for (let half = 0; half < 16; half++) {
            bytes[at + half] = multiply(factor, half);
            bytes[at + 16 + half] = multiply(factor, half << 4);
          }
        }
      }
      run(sources, outputs, (length) => {
        for (let which = 0; which < outputs.length; which++) {
          const tables = TABLES_AT + which * TABLE_BYTES;
          kernel.combine(0, STRIDE_BYTES, length, tables, (sources.length + which) * STRIDE_BYTES);
        }
      });
    },
  };
}
