import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, createReadStream, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { constants, createZstdCompress } from 'node:zlib';
import { walk } from '../world/trees.ts';
import { sumBytes } from './groups/folders.ts';
import { emptyResult, type FloorName, type StepName, type StepResult } from './measurement.ts';

const PIECE_BYTES = 1024 ** 2;

/**
 * What the machine itself needs for the same bytes: copies that are flushed to disk, their hash, and for text their
 * compression.
 * @param source folder that is flushed to disk and in the page cache
 * @param work folder for the copies
 */
export async function measureFloors(
  source: string,
  work: string,
  plan: { step: StepName; title: string; run: number },
): Promise<StepResult[]> {
  const dataBytes = sumBytes(source);
  const result = (peer: FloorName, timeMs: number, outputBytes: number | null = null) =>
    emptyResult({ ...plan, peer, timeMs, dataBytes, outputBytes });
  const onceMs = copyAndFlush(source, join(work, 'copy'));
  const againMs = copyAndFlush(join(work, 'copy'), join(work, 'copy-of-copy'));
  const results = [
    result('cp', onceMs),
    result('cp-twice', onceMs + againMs),
    result('sha256', hashAll(source)),
  ];
  if (plan.step !== 'text') return results;
  const { timeMs, outputBytes } = await compressAll(source);
  return [...results, result('zstd', timeMs, outputBytes)];
}

/** Time of `cp -r` and `sync` of that filesystem only, in milliseconds. */
function copyAndFlush(source: string, target: string): number {
  const startMs = performance.now();
  execFileSync('sh', ['-c', 'cp -r "$1" "$2" && sync -f "$2"', 'sh', source, target]);
  return performance.now() - startMs;
}

function hashAll(root: string): number {
  const piece = Buffer.allocUnsafe(PIECE_BYTES);
  const startMs = performance.now();
  for (const { path, entry } of walk(root)) {
    if (!entry.isFile()) continue;
    const hash = createHash('sha256');
    const descriptor = openSync(join(root, path), 'r');
    for (let count = readSync(descriptor, piece); count > 0; count = readSync(descriptor, piece))
      hash.update(piece.subarray(0, count));
    closeSync(descriptor);
    hash.digest();
  }
  return performance.now() - startMs;
}

async function compressAll(root: string): Promise<{ timeMs: number; outputBytes: number }> {
  let outputBytes = 0;
  const startMs = performance.now();
  for (const { path, entry } of walk(root)) {
    if (!entry.isFile()) continue;
    await pipeline(
      createReadStream(join(root, path), { highWaterMark: PIECE_BYTES }),
      createZstdCompress({ params: { [constants.ZSTD_c_compressionLevel]: 1 } }),
      async (pieces) => {
        for await (const piece of pieces) outputBytes += (piece as Buffer).length;
      },
    );
  }
  return { timeMs: performance.now() - startMs, outputBytes };
}
