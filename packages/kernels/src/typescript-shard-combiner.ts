import { multiply } from './galois-field.ts';
import type { ShardCombiner } from './shard-combiner.ts';

function sum(sources: readonly Uint8Array[], factors: readonly number[], output: Uint8Array): void {
  output.fill(0);
  for (const [which, source] of sources.entries()) {
    const factor = factors[which] as number;
    const products = Uint8Array.from({ length: 256 }, (_, value) => multiply(value, factor));
    for (let at = 0; at < output.length; at++) {
      output[at] = (output[at] as number) ^ (products[source[at] as number] as number);
    }
  }
}

/** The twin in plain TypeScript: runs everywhere, and says what the kernel has to compute. */
export function createTypeScriptShardCombiner(): ShardCombiner {
  return {
    implementation: 'typescript',
    encode(data, [plain, weighted]) {
      sum(data, [1, 1, 1, 1], plain as Uint8Array);
      sum(data, [1, 2, 4, 8], weighted as Uint8Array);
    },
    combine(sources, factors, outputs) {
      for (const [at, output] of outputs.entries()) sum(sources, factors[at] as readonly number[], output);
    },
  };
}
