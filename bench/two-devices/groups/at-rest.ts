import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readResidentBytes, readThreadSeconds } from '../../world/process-usage.ts';
import { writeSmallFiles } from '../../world/small-files.ts';
import { median } from '../../world/statistics.ts';
import { compareFolders, rest } from '../measure-step.ts';
import { emptyResult } from '../measurement.ts';
import { countCarried, describeCount } from './folders.ts';
import type { Group, Session } from './group.ts';
import { waitForItems } from './wait-for-items.ts';

const FILES_IN_A_FOLDER = 100;
/** What follows the arrival of many files is not rest. */
const CALM_MS = 10_000;
const STARTS = 3;

export const atRest: Group = {
  name: 'rest',
  floorStep: null,
  countFiles: ({ restFiles }) => restFiles,
  describe: (step, { restFiles, restSeconds }) =>
    step === 'rest'
      ? `at rest with ${describeCount(restFiles)} files (for ${restSeconds} s)`
      : `start with ${describeCount(restFiles)} unchanged files until in sync`,
  write: (folder, { restFiles, seed }, mostFiles) => {
    const count = Math.min(restFiles, mostFiles);
    writeSmallFiles(folder, count, Math.ceil(count / FILES_IN_A_FOLDER), `${seed} at rest`);
  },
  async run(session: Session) {
    const { peer, source, options, wants } = session;
    const items = countCarried(peer, source);
    if (peer.place !== undefined) {
      await peer.place(source, 'many', items);
    } else {
      renameSync(source, join(peer.folderA, 'many'));
      await waitForItems(peer, 'many', items, options.stepTimeoutMs);
    }
    await rest(peer);
    if (wants('rest')) await watch(session);
    if (wants('start')) await restart(session);
  },
};

async function watch({ peer, options, plan, report }: Session): Promise<void> {
  const processId = peer.processOfA?.();
  if (processId === undefined) return;
  await sleep(CALM_MS);
  const before = readThreadSeconds(processId);
  const startMs = performance.now();
  await sleep(options.restSeconds * 1000);
  const seconds = (performance.now() - startMs) / 1000;
  const used = readThreadSeconds(processId) - before;
  report(
    emptyResult({
      ...plan('rest'),
      residentBytes: readResidentBytes(processId),
      cpuShare: used / seconds,
      note:
        peer.place === undefined
          ? 'of A, right after it has sent all of them'
          : 'of A; all its programs were given the files, which it does not carry in the time that a step may take',
      differences: compareFolders(peer),
    }),
  );
}

async function restart({ peer, plan, report }: Session): Promise<void> {
  if (peer.restartA === undefined) return;
  const samplesMs: number[] = [];
  for (let index = 0; index < STARTS; index++) {
    samplesMs.push(await peer.restartA());
    await rest(peer);
  }
  const processId = peer.processOfA?.();
  report(
    emptyResult({
      ...plan('start'),
      timeMs: median(samplesMs),
      samplesMs,
      residentBytes: processId === undefined ? null : readResidentBytes(processId),
      note: peer.deliver === undefined ? null : 'a push and a pull that find nothing to do',
    }),
  );
}
