import { cpSync, lstatSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readUsage, resetPeak } from '../world/process-usage.ts';
import { writeRandomFile } from '../world/seeded-random.ts';
import { partName, writeSmallFiles } from '../world/small-files.ts';
import { compareTrees, countItems, readTree, walk } from '../world/trees.ts';
import { startWorld, type World, waitUntilInSync } from '../world/two-device-world.ts';
import { measureCopy, measureRsync } from './floors.ts';
import type { PerProcess, StepResult } from './measurement.ts';

export interface BenchOptions {
  readonly smallFiles: number;
  readonly smallFolders: number;
  readonly largeBytes: number;
  /** A folder to take along as it is; `null`: none. */
  readonly existingFolder: string | null;
  readonly countsWire: boolean;
  readonly profileFolder: string | null;
  readonly stepTimeoutMs: number;
  readonly seed: string;
}

/** Looking at B's folder may cost this share of the time. */
const MAX_LOOKING_SHARE = 0.1;
const MIN_POLL_MS = 4;

/** Runs every step once, in a new world below `work`. Rejects when something does not arrive. */
export async function runSteps(
  work: string,
  options: BenchOptions,
  defer: (step: () => Promise<void>) => void,
  report: (result: StepResult) => void,
): Promise<void> {
  const stage = join(work, 'stage');
  mkdirSync(stage);
  const world = await startWorld(work, options);
  defer(() => world.stop());
  const { deviceA, deviceB } = world;
  const inA = (path: string) => join(deviceA.folder, path);
  const inB = (path: string) => join(deviceB.folder, path);

  async function measure(
    step: string,
    parts: Pick<StepResult, 'dataBytes'> & Partial<StepResult>,
    act: () => void,
    hasArrived: () => boolean,
  ): Promise<void> {
    await waitUntilInSync([deviceA, deviceB], options.stepTimeoutMs);
    for (const program of programsOf(world)) resetPeak(program.processId);
    const before = readCounters(world);
    const startMs = performance.now();
    act();
    await waitFor(step, hasArrived, startMs + options.stepTimeoutMs, world);
    const timeMs = performance.now() - startMs;
    await waitUntilInSync([deviceA, deviceB], options.stepTimeoutMs);
    const restMs = performance.now() - startMs;
    const after = readCounters(world);
    const differences = compareTrees(readTree(deviceA.folder), readTree(deviceB.folder));
    report({
      floorMs: null,
      rsyncMs: null,
      ...parts,
      step,
      timeMs,
      restMs,
      wire: subtractWire(after.wire, before.wire),
      cpuSeconds: mapProcesses((name) => after.usage[name].cpuSeconds - before.usage[name].cpuSeconds),
      peakRssBytes: mapProcesses((name) => after.usage[name].peakRssBytes),
      differences,
    });
  }

  async function moveIn(step: string, name: string): Promise<void> {
    const source = join(stage, name);
    const items = countItems(source);
    const dataBytes = sumBytes(source);
    const floorMs = measureCopy(source, join(stage, `copy-of-${name}`));
    const rsyncMs = measureRsync(source, stage);
    await measure(
      step,
      { dataBytes, floorMs, rsyncMs },
      () => renameSync(source, inA(name)),
      () => countItems(inB(name)) === items,
    );
  }

  if (options.smallFiles > 0) {
    writeSmallFiles(join(stage, 'small'), options.smallFiles, options.smallFolders, options.seed);
    await moveIn(`${options.smallFiles.toLocaleString('en')} small files`, 'small');

    const edited = firstFile(inA('small'));
    const text = `edited ${options.seed}\n${readFileSync(join(inA('small'), edited), 'latin1')}`;
    await measure(
      'edit a small file',
      { dataBytes: text.length },
      () => writeFileSync(join(inA('small'), edited), text, 'latin1'),
      () => lstatSync(join(inB('small'), edited)).size === Buffer.byteLength(text, 'latin1'),
    );

    const items = countItems(inA('small'));
    const dataBytes = sumBytes(inA('small'));
    await measure(
      'rename their folder',
      { dataBytes },
      () => renameSync(inA('small'), inA('renamed')),
      () => countItems(inB('renamed')) === items && countItems(inB('small')) === 0,
    );

    const part = `renamed/${partName(0)}`;
    const deletedItems = countItems(inA(part)).toLocaleString('en');
    await measure(
      `delete a folder of ${deletedItems} items`,
      { dataBytes: sumBytes(inA(part)) },
      () => renameSync(inA(part), join(stage, 'deleted')),
      () => lstatSync(inB(part), { throwIfNoEntry: false }) === undefined,
    );
  }

  if (options.largeBytes > 0) {
    mkdirSync(join(stage, 'large'));
    writeRandomFile(join(stage, 'large', 'large.bin'), options.largeBytes, options.seed);
    await moveIn(`one file of ${describeBytes(options.largeBytes)}`, 'large');

    const edited = join(stage, 'edited.bin');
    await copyWithByteInFront(inA('large/large.bin'), edited);
    await measure(
      'insert 1 byte at its front',
      { dataBytes: options.largeBytes + 1 },
      () => renameSync(edited, inA('large/large.bin')),
      () => lstatSync(inB('large/large.bin')).size === options.largeBytes + 1,
    );
  }

  if (options.existingFolder !== null) {
    const { existingFolder } = options;
    cpSync(existingFolder, join(stage, 'existing'), { recursive: true, verbatimSymlinks: true });
    await moveIn(
      `node_modules, ${countItems(join(stage, 'existing')).toLocaleString('en')} items`,
      'existing',
    );
  }

  for (const program of programsOf(world)) {
    const [end] = program.unexpectedEnds;
    if (end !== undefined) throw new Error(end);
  }
}

async function waitFor(
  step: string,
  hasArrived: () => boolean,
  deadlineMs: number,
  world: World,
): Promise<void> {
  for (;;) {
    const lookMs = performance.now();
    if (hasArrived()) return;
    const nowMs = performance.now();
    if (nowMs > deadlineMs) {
      const tails = programsOf(world).map((program) => `--- ${program.name}\n${program.readLogTail()}`);
      throw new Error(`"${step}" has not arrived in time\n${tails.join('\n')}`);
    }
    await sleep(Math.max(MIN_POLL_MS, (nowMs - lookMs) / MAX_LOOKING_SHARE));
  }
}

function programsOf({ server, deviceA, deviceB }: World) {
  return [server, deviceA.daemon, deviceB.daemon];
}

function readCounters(world: World) {
  const { deviceA, deviceB, server } = world;
  const programs = { server, a: deviceA.daemon, b: deviceB.daemon };
  const usage = mapProcesses((name) => readUsage(programs[name].processId));
  const a = deviceA.proxy?.bytes();
  const b = deviceB.proxy?.bytes();
  return { usage, wire: a === undefined || b === undefined ? null : { a, b } };
}

function mapProcesses<Value>(read: (name: 'server' | 'a' | 'b') => Value): PerProcess<Value> {
  return { server: read('server'), a: read('a'), b: read('b') };
}

function subtractWire(after: StepResult['wire'], before: StepResult['wire']): StepResult['wire'] {
  if (after === null || before === null) return null;
  const subtract = (device: 'a' | 'b') => ({
    up: after[device].up - before[device].up,
    down: after[device].down - before[device].down,
  });
  return { a: subtract('a'), b: subtract('b') };
}

function sumBytes(root: string): number {
  let total = 0;
  for (const { path, entry } of walk(root)) if (entry.isFile()) total += lstatSync(join(root, path)).size;
  return total;
}

function firstFile(root: string): string {
  for (const { path, entry } of walk(root)) if (entry.isFile()) return path;
  throw new Error(`no file in ${root}: ${readdirSync(root).join(', ')}`);
}

async function copyWithByteInFront(from: string, to: string): Promise<void> {
  const [source, target] = await Promise.all([open(from, 'r'), open(to, 'wx')]);
  try {
    await target.write(Buffer.from('!'));
    for await (const piece of source.createReadStream({ highWaterMark: 4 * 1024 * 1024, autoClose: false }))
      await target.write(piece as Buffer);
  } finally {
    await Promise.all([source.close(), target.close()]);
  }
}

function describeBytes(sizeBytes: number): string {
  const gib = sizeBytes / 1024 ** 3;
  return gib >= 1 ? `${Number(gib.toFixed(2))} GiB` : `${Number((sizeBytes / 1024 ** 2).toFixed(1))} MiB`;
}
