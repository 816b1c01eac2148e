import { hash, randomFillSync } from 'node:crypto';
import { parseArgs } from 'node:util';
import { createErasureCoder, DATA_SHARDS, PARITY_SHARDS } from '@cairn/kernels';

/**
 * The erasure code beside SHA-256 over the same bytes, in one run and by turns: `npm run bench:erasure`. Rates are of
 * plain data per second of one core; the ratios of medians are the result. Memory for results is used again, as nothing but the code is measured.
 */
const { values } = parseArgs({
  options: {
    mebibytes: { type: 'string', default: '64' },
    runs: { type: 'string', default: '15' },
  },
});
const RUNS = Number(values.runs);
const TOTAL_BYTES = Number(values.mebibytes) * 1024 * 1024;

const coder = createErasureCoder();

/** Of the processor, so that other work on the machine counts little. */
function seconds(work: () => void): number {
  const before = process.threadCpuUsage();
  work();
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1e6;
}

function describe(durations: readonly number[]): { readonly text: string; readonly median: number } {
  const rates = durations.map((duration) => TOTAL_BYTES / 1e9 / duration).sort((a, b) => a - b);
  const median = rates[rates.length >> 1] as number;
  const [least, most] = [rates[0] as number, rates[rates.length - 1] as number];
  return { text: `${median.toFixed(2)} GB/s (${least.toFixed(2)} to ${most.toFixed(2)})`, median };
}

function measure(shardBytes: number): void {
  const stripes = Array.from({ length: TOTAL_BYTES / shardBytes / DATA_SHARDS }, () =>
    Array.from({ length: DATA_SHARDS }, () => randomFillSync(new Uint8Array(shardBytes))),
  );
  const results = Array.from({ length: PARITY_SHARDS }, () => new Uint8Array(shardBytes));
  const [first, second] = results as [Uint8Array, Uint8Array];
  const times: Record<'hashing' | 'encoding' | 'one lost' | 'two lost', number[]> = {
    hashing: [],
    encoding: [],
    'one lost': [],
    'two lost': [],
  };
  // The first round is for the compilers.
  for (let run = -1; run < RUNS; run++) {
    const taken = {
      hashing: seconds(() => {
        for (const stripe of stripes) for (const shard of stripe) hash('sha256', shard, 'buffer');
      }),
      encoding: seconds(() => {
        for (const stripe of stripes) coder.encode(stripe, results);
      }),
      // Any four shards will do for the time that it takes: here the data count as shards 1 to 4, and as 2 to 5.
      'one lost': seconds(() => {
        for (const stripe of stripes) {
          coder.rebuild(new Map(stripe.map((shard, at) => [at + 1, shard])), new Map([[0, first]]));
        }
      }),
      'two lost': seconds(() => {
        for (const stripe of stripes) {
          coder.rebuild(
            new Map(stripe.map((shard, at) => [at + 2, shard])),
            new Map([
              [0, first],
              [1, second],
            ]),
          );
        }
      }),
    };
    if (run < 0) continue;
    for (const name of Object.keys(times) as (keyof typeof times)[]) times[name].push(taken[name]);
  }
  const hashing = describe(times.hashing);
  console.log(`blocks of ${(shardBytes * DATA_SHARDS) / 1024} KiB: SHA-256 ${hashing.text}`);
  for (const name of ['encoding', 'one lost', 'two lost'] as const) {
    const { text, median } = describe(times[name]);
    console.log(`  4+2 ${name}: ${text}, ${(median / hashing.median).toFixed(1)} × SHA-256`);
  }
}

console.log(`${coder.implementation}, medians of ${RUNS} runs (least to most)`);
for (const shardBytes of [16 * 1024, 64 * 1024, 256 * 1024]) measure(shardBytes);
