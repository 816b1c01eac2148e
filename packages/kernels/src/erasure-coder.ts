import { invertMatrix, type Matrix, multiply } from './galois-field.ts';
import type { ShardCombiner } from './shard-combiner.ts';
import { createTypeScriptShardCombiner } from './typescript-shard-combiner.ts';
import { createWasmShardCombiner } from './wasm-shard-combiner.ts';

export const DATA_SHARDS = 4;
export const PARITY_SHARDS = 2;
/** Any {@link DATA_SHARDS} of so many are enough. */
export const ALL_SHARDS = DATA_SHARDS + PARITY_SHARDS;

/**
 * How each shard comes from the data: the data themselves, their sum, and the sum with powers of 2. Any four rows have an
 * inverse. Frozen: stored shards depend on it.
 */
export const SHARD_ROWS: Matrix = [
  [1, 0, 0, 0],
  [0, 1, 0, 0],
  [0, 0, 1, 0],
  [0, 0, 0, 1],
  [1, 1, 1, 1],
  [1, 2, 4, 8],
];

/** Reed–Solomon 4+2. Shards of one code word are as long as each other. Writes into memory of the caller's, which is overwritten. */
export interface ErasureCoder {
  readonly implementation: ShardCombiner['implementation'];
  /**
   * Makes both parity shards of four data shards.
   * @throws RangeError for other numbers of shards, or other lengths
   */
  encode(data: readonly Uint8Array[], parity: readonly Uint8Array[]): void;
  /**
   * Makes shards from four others.
   * @param known by index, at least four; the lowest four are used
   * @param wanted by index, the memory for each
   * @throws RangeError for fewer, or other lengths
   */
  rebuild(known: ReadonlyMap<number, Uint8Array>, wanted: ReadonlyMap<number, Uint8Array>): void;
}

/** What each of the sources counts in the shard `wanted`. */
function factorsOf(wanted: number, sources: readonly number[]): number[] {
  const inverse = invertMatrix(sources.map((index) => SHARD_ROWS[index] as readonly number[]));
  const row = SHARD_ROWS[wanted] as readonly number[];
  return sources.map((_, column) =>
    row.reduce((sum, value, at) => sum ^ multiply(value, inverse[at]?.[column] as number), 0),
  );
}

function checkShards(shards: readonly Uint8Array[], count: number): void {
  if (shards.length !== count || shards.some(({ length }) => length !== shards[0]?.length)) {
    throw new RangeError(`${count} shards of one length are needed`);
  }
}

export function createErasureCoderOn(combiner: ShardCombiner): ErasureCoder {
  return {
    implementation: combiner.implementation,
    encode(data, parity) {
      checkShards([...data, ...parity], ALL_SHARDS);
      combiner.encode(data, parity);
    },
    rebuild(known, wanted) {
      const indexes = [...known.keys()].sort((a, b) => a - b).slice(0, DATA_SHARDS);
      const sources = indexes.map((index) => known.get(index) as Uint8Array);
      checkShards([...sources, ...wanted.values()], DATA_SHARDS + wanted.size);
      const all = [...wanted];
      for (let start = 0; start < all.length; start += PARITY_SHARDS) {
        const some = all.slice(start, start + PARITY_SHARDS);
        combiner.combine(
          sources,
          some.map(([index]) => factorsOf(index, indexes)),
          some.map(([, output]) => output),
        );
      }
    },
  };
}

/** A coder on WebAssembly where that is allowed and in plain TypeScript elsewhere; the bytes are the same. */
export function createErasureCoder(): ErasureCoder {
  return createErasureCoderOn(createWasmShardCombiner() ?? createTypeScriptShardCombiner());
}
