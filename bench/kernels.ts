import { createCipheriv, hash, randomBytes, randomFillSync } from 'node:crypto';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { constants, zstdCompressSync } from 'node:zlib';
import { createNodePlatform, encodeBlock } from '@cairn/content';
import { createChunker, createErasureCoder, DATA_SHARDS, PARITY_SHARDS } from '@cairn/kernels';
import { encodePack } from '@cairn/protocol';
import { databaseMeasurements } from './kernels/database-work.ts';
import { cutAndHashFile, cutFile, PROFILE } from './kernels/file-work.ts';
import { formatFigures, type Measurement, measureAll } from './kernels/measure.ts';
import { type Defer, withCleanup } from './world/cleanup.ts';
import { createWorkFolder } from './world/work-folder.ts';

/**
 * Every hot loop beside SHA-256 and memcpy of the same bytes, in one process and by turns: `npm run bench:kernels`.
 * Rates are per second of processor time (wall clock where two threads work). A bar that is missed is said, and fails nothing.
 */
const { values } = parseArgs({
  options: {
    mebibytes: { type: 'string', default: '64' },
    runs: { type: 'string', default: '7' },
    folder: { type: 'string' },
    json: { type: 'string' },
  },
});
const TOTAL_BYTES = Number(values.mebibytes) * 1024 * 1024;
const RUNS = Number(values.runs);
const GB = TOTAL_BYTES / 1e9;
const BLOCK_BYTES = 256 * 1024;
const SMALL_FILES = 10_000;
const HASHING = 'SHA-256, 256 KiB each';
const MEMCPY = 'memcpy';

const platform = createNodePlatform();
const data = randomFillSync(new Uint8Array(TOTAL_BYTES));
const copy = new Uint8Array(TOTAL_BYTES);

function slices(bytes: Uint8Array, size: number): Uint8Array[] {
  return Array.from({ length: Math.floor(bytes.length / size) }, (_, index) =>
    bytes.subarray(index * size, (index + 1) * size),
  );
}

/** Sentences of words of a small vocabulary: text that compresses about as programs and prose do. */
function makeText(sizeBytes: number): Uint8Array {
  const words = Array.from({ length: 3000 }, (_, index) => randomBytes(1 + (index % 7)).toString('hex'));
  const numbers = new Uint16Array(randomBytes(2 * Math.ceil(sizeBytes / 4)).buffer);
  let text = '';
  for (const number of numbers) {
    // The smaller numbers are far more frequent, as common words are.
    text += `${words[Math.floor((number / 65_536) ** 3 * words.length)]} `;
    if (text.length >= sizeBytes) break;
  }
  return Buffer.from(text, 'latin1').subarray(0, sizeBytes);
}

function ratio(to: string, least: number): Measurement['bar'] {
  return { kind: 'ratio', to, least };
}

function hashMeasurement(name: string, size: number, bar: Measurement['bar']): Measurement {
  const blocks = slices(data, size);
  return {
    name,
    amount: GB,
    unit: 'GB',
    bar,
    work() {
      for (const block of blocks) hash('sha256', block, 'buffer');
    },
  };
}

function cutMeasurement(name: string, bytes: Uint8Array, bar: Measurement['bar']): Measurement {
  const chunker = createChunker(PROFILE);
  return {
    name,
    amount: bytes.length / 1e9,
    unit: 'GB',
    bar,
    work() {
      chunker.reset();
      for (let position = 0; position <= bytes.length; ) {
        const space = chunker.space();
        const part = bytes.subarray(position, position + space.length);
        space.set(part);
        chunker.add(part.length);
        if (part.length === 0) chunker.end();
        while (chunker.next() !== null);
        if (part.length === 0) break;
        position += part.length;
      }
    },
  };
}

async function fileMeasurements(folder: string, defer: Defer): Promise<Measurement[]> {
  const path = join(folder, 'random');
  writeFileSync(path, data);
  const workers = [0, 1].map(
    () => new Worker(join(import.meta.dirname, 'kernels', 'file-worker.ts'), { workerData: path }),
  );
  defer(async () => {
    for (const worker of workers) await worker.terminate();
  });
  const run = async (some: readonly Worker[]) => {
    const ends = some.map((worker) => once(worker, 'message'));
    for (const worker of some) worker.postMessage(null);
    await Promise.all(ends);
  };
  const oneWorker = 'file → cuts → hashes, one worker';
  const common = { unit: 'GB', isParallel: true } as const;
  return [
    {
      name: 'file → cuts',
      amount: GB,
      unit: 'GB',
      bar: ratio(HASHING, 3),
      work: () => cutFile(path, () => undefined),
    },
    {
      name: 'file → cuts → hashes',
      amount: GB,
      unit: 'GB',
      bar: ratio(HASHING, 0.7),
      work: () => cutAndHashFile(path),
    },
    { ...common, name: oneWorker, amount: GB, bar: null, work: () => run(workers.slice(0, 1)) },
    {
      ...common,
      name: 'the same, two workers',
      amount: 2 * GB,
      bar: ratio(oneWorker, 1.8),
      work: () => run(workers),
    },
  ];
}

function compressionMeasurements(): Measurement[] {
  const texts = slices(makeText(TOTAL_BYTES / 4), BLOCK_BYTES);
  const amount = (texts.length * BLOCK_BYTES) / 1e9;
  const level1 = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };
  const oneShot = 'zstd level 1 of text, Node one-shot';
  const blocks = slices(data, BLOCK_BYTES);
  const compressAll = (all: readonly Uint8Array[], compress: (bytes: Uint8Array) => unknown) => () => {
    for (const bytes of all) compress(bytes);
  };
  return [
    {
      name: oneShot,
      amount,
      unit: 'GB',
      bar: null,
      work: compressAll(texts, (bytes) => zstdCompressSync(bytes, level1)),
    },
    {
      name: 'the same, as blocks are made',
      amount,
      unit: 'GB',
      bar: ratio(oneShot, 0.95),
      work: compressAll(texts, platform.compress),
    },
    // At most 4 % of the time of hashing.
    {
      name: 'deciding not to compress',
      amount: GB,
      unit: 'GB',
      bar: ratio(HASHING, 25),
      work: compressAll(blocks, platform.compress),
    },
  ];
}

function sealMeasurement(): Measurement {
  const key = randomBytes(32);
  const nonce = randomBytes(12);
  const pooled = new Uint8Array(BLOCK_BYTES);
  const blocks = slices(data, BLOCK_BYTES);
  return {
    name: 'AES-256-GCM into pooled memory',
    amount: GB,
    unit: 'GB',
    bar: ratio(HASHING, 4),
    work() {
      for (const block of blocks) {
        const cipher = createCipheriv('aes-256-gcm', key, nonce);
        pooled.set(cipher.update(block));
        cipher.final();
      }
    },
  };
}

function smallFileMeasurement(): Measurement {
  const files = Array.from({ length: SMALL_FILES }, (_, index) => randomBytes(1024 + ((index * 977) % 6144)));
  return {
    name: 'small files (1–7 KiB) into packs',
    amount: SMALL_FILES / 1000,
    unit: 'k',
    bar: { kind: 'rate', least: 90 },
    work() {
      for (let from = 0; from < files.length; from += 1000) {
        encodePack(files.slice(from, from + 1000).map((bytes) => encodeBlock(platform, 'chunk', bytes)));
      }
    },
  };
}

function erasureMeasurement(): Measurement {
  const coder = createErasureCoder();
  const shards = slices(data, 64 * 1024);
  const results = Array.from({ length: PARITY_SHARDS }, () => new Uint8Array(64 * 1024));
  return {
    name: 'erasure code 4+2',
    amount: GB,
    unit: 'GB',
    bar: ratio(HASHING, 5),
    work() {
      for (let at = 0; at + DATA_SHARDS <= shards.length; at += DATA_SHARDS)
        coder.encode(shards.slice(at, at + DATA_SHARDS), results);
    },
  };
}

await withCleanup(async (defer) => {
  const work = createWorkFolder('temp', 4 * TOTAL_BYTES, values.folder);
  defer(() => work.remove());
  const memcpy: Measurement = { name: MEMCPY, amount: GB, unit: 'GB', bar: null, work: () => copy.set(data) };
  const figures = await measureAll(
    [
      memcpy,
      hashMeasurement('SHA-256, 4 KiB each', 4096, ratio(HASHING, 0.65)),
      hashMeasurement('SHA-256, 64 KiB each', 65_536, ratio(HASHING, 0.95)),
      hashMeasurement(HASHING, BLOCK_BYTES, null),
      cutMeasurement('cuts of random bytes, copied in', data, ratio(HASHING, 3)),
      cutMeasurement('cuts of a hole, copied in', new Uint8Array(TOTAL_BYTES), ratio(MEMCPY, 0.4)),
      ...(await fileMeasurements(work.path, defer)),
      ...compressionMeasurements(),
      sealMeasurement(),
      smallFileMeasurement(),
      erasureMeasurement(),
      ...(await databaseMeasurements(work.path, defer)),
    ],
    RUNS,
  );
  const machine = `${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}, Node ${process.versions.node}`;
  console.log(
    `${machine}; ${RUNS} runs, ${values.mebibytes} MiB; GB are 1e9 bytes\n\n${formatFigures(figures)}`,
  );
  const json = JSON.stringify({ machine, runs: RUNS, totalBytes: TOTAL_BYTES, figures }, null, 2);
  if (values.json === '-') console.log(json);
  else if (values.json !== undefined) writeFileSync(values.json, `${json}\n`);
});
