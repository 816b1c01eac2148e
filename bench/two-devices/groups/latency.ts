import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createSeededRandom } from '../../world/seeded-random.ts';
import { writeSmallFiles } from '../../world/small-files.ts';
import { median } from '../../world/statistics.ts';
import { compareFolders, rest } from '../measure-step.ts';
import { emptyResult } from '../measurement.ts';
import { countCarried, describeCount } from './folders.ts';
import type { Group, Session } from './group.ts';
import { waitForItems } from './wait-for-items.ts';

const NAME = 'note.txt';
const SIZE_BYTES = 1024;
const POLL_MS = 1;
/** Left out of the result: the first ones find cold code. */
const WARM_UPS = 2;

export const latency: Group = {
  name: 'latency',
  floorStep: null,
  countFiles: ({ latencyFiles }) => latencyFiles,
  describe: (_step, { samples, latencyFiles }) =>
    `a 1 KiB file rewritten until B reads it, beside ${describeCount(latencyFiles)} others (${samples} times)`,
  write: (folder, { latencyFiles, seed }, mostFiles) =>
    writeSmallFiles(folder, Math.min(latencyFiles, mostFiles), Math.ceil(latencyFiles / 40), seed),
  async run(session: Session) {
    const { peer, source, options } = session;
    const items = countCarried(peer, source);
    renameSync(source, join(peer.folderA, 'small'));
    await waitForItems(peer, 'small', items, options.stepTimeoutMs);
    await rest(peer);
    const random = createSeededRandom(`${options.seed} gaps`);
    const samplesMs: number[] = [];
    for (let index = -WARM_UPS; index < options.samples; index++) {
      const sampleMs = await rewrite(session, index);
      if (index >= 0) samplesMs.push(sampleMs);
      await peer.settle();
      // At no fixed distance from anybody's timers.
      await sleep(random.integer(150, 400));
    }
    session.report(
      emptyResult({
        ...session.plan('latency'),
        timeMs: median(samplesMs),
        samplesMs,
        dataBytes: SIZE_BYTES,
        differences: compareFolders(peer),
      }),
    );
  },
};

/** @returns milliseconds from the moment before A's write until B reads what was written */
async function rewrite({ peer, options }: Session, index: number): Promise<number> {
  const inB = join(peer.folderB, NAME);
  // Never the same size twice running: some tools look at nothing else.
  const content = `sample ${index} `.padEnd(SIZE_BYTES + (index & 1), '.');
  const startMs = performance.now();
  writeFileSync(join(peer.folderA, NAME), content);
  await peer.deliver?.(false);
  const deadline = startMs + options.stepTimeoutMs;
  while (readIfThere(inB) !== content) {
    if (peer.deliver !== undefined) throw new Error('it ended well, but B does not have the change');
    if (performance.now() > deadline) throw new Error('a rewritten file has not arrived in time');
    await sleep(POLL_MS);
  }
  return performance.now() - startMs;
}

/** Some tools take a file away before they put the new one in its place. */
function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, 'latin1');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return null;
  }
}
