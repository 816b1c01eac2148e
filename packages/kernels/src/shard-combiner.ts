import type { Matrix } from './galois-field.ts';

/** The hot loops of the erasure code. Sources and outputs are as long as each other; outputs are overwritten. */
export interface ShardCombiner {
  readonly implementation: 'wasm' | 'typescript';
  /** Both parities of four data shards: their sum, and the sum with the factors 1, 2, 4 and 8. */
  encode(data: readonly Uint8Array[], parity: readonly Uint8Array[]): void;
  /**
   * Into each output the sum of four sources, each times its factor.
   * @param factors those of each output; two outputs at most
   */
  combine(sources: readonly Uint8Array[], factors: Matrix, outputs: readonly Uint8Array[]): void;
}
