import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createSeededRandom, createUser, Ledger, readUsage, type User } from '@cairn/bench';
import { createProcessStage, type ProcessDevice, type ProcessStage } from '../driver/process-stage.ts';
import { whyUnsettled } from '../driver/settled.ts';
import type { FaultCounts } from '../fault-proxy/faults.ts';
import { type ChaosCounts, startChaos } from './chaos.ts';
import { type Found, findLost } from './find-lost.ts';

export interface WritersOptions {
  readonly seed: string;
  readonly writers: number;
  readonly minutes: number;
  /** Shortest and longest pause of one user between two deeds. */
  readonly userGapMs: readonly [number, number];
  readonly chaosGapMs: readonly [number, number];
  readonly settleTimeoutMs: number;
  report(line: string): void;
}

export interface WritersReport {
  readonly seed: string;
  readonly writers: number;
  readonly minutes: number;
  readonly actions: Readonly<Record<string, number>>;
  readonly chaos: ChaosCounts;
  /** Of all proxies together. */
  readonly wire: FaultCounts;
  readonly contentsWritten: number;
  readonly contentsToKeep: number;
  readonly found: Found | null;
  readonly items: number;
  readonly conflictCopies: number;
  readonly sequence: number;
  readonly heldConfirmed: number;
  readonly settleSeconds: number;
  readonly peakRssMib: { readonly server: number; readonly largestDaemon: number };
  readonly failures: readonly string[];
}

/** Ten people, ten computers, one space, and everything that can go wrong; afterwards nothing may be missing. */
export async function runWriters(options: WritersOptions, base?: string): Promise<WritersReport> {
  const stage = await createProcessStage(base);
  try {
    return await run(stage, options);
  } finally {
    await stage.close();
  }
}

async function run(stage: ProcessStage, options: WritersOptions): Promise<WritersReport> {
  const { seed, report } = options;
  const random = createSeededRandom(`writers ${seed}`);
  const ledger = new Ledger();
  const devices: ProcessDevice[] = [];
  for (let index = 0; index < options.writers; index++) {
    const device = await stage.addDevice(`W${index}`, {});
    await device.start();
    devices.push(device);
  }
  report(`${devices.length} daemons run`);
  const users = devices.map((device) => {
    const aside = join(device.folder, '..', `aside-${device.name}`);
    mkdirSync(aside);
    return createUser({
      name: device.name,
      root: device.folder,
      stage: aside,
      random: createSeededRandom(`${seed} ${device.name}`),
      ledger,
      bulkFiles: [],
    });
  });

  const actions: Record<string, number> = {};
  const deadline = performance.now() + options.minutes * 60_000;
  const chaos = startChaos(stage, devices, random, { gapMs: options.chaosGapMs, report });
  const failures: string[] = [];
  await Promise.all(users.map((user) => work(user, deadline, random.integer(1, 1e9), options, actions)));
  await chaos.stop();
  report('everybody rests; waiting until all are equal');

  const settleMs = performance.now();
  const heldConfirmed = await settle(stage, devices, options, failures);
  const settleSeconds = (performance.now() - settleMs) / 1000;
  const peakRssMib = {
    server: peakMib(stage.serverProgram.processId),
    largestDaemon: Math.max(
      ...devices.map(({ daemon }) => (daemon.isRunning ? peakMib(daemon.processId) : 0)),
    ),
  };
  for (const { daemon } of devices) failures.push(...daemon.unexpectedEnds);
  failures.push(...stage.serverProgram.unexpectedEnds);
  const sequence = await stage.view.sequence();
  const entries = await stage.view.entries();
  for (const device of devices) await device.stop();
  const toKeep = ledger.mustKeep();
  report(`${toKeep.size} contents are looked for`);
  let found: Found | null = null;
  try {
    found = await findLost(
      toKeep,
      devices.map(({ folder }) => folder),
      stage.client,
      stage.view,
    );
    failures.push(...found.lost.map((text) => `lost: ${text}`));
  } catch (error) {
    failures.push(`looking for contents failed: ${(error as Error).message}`);
  }
  const wire = devices.map(({ proxy }) => ({ ...proxy.counts })).reduce(addCounts);
  return {
    seed,
    writers: options.writers,
    minutes: options.minutes,
    actions,
    chaos: chaos.counts,
    wire,
    contentsWritten: ledger.size,
    contentsToKeep: toKeep.size,
    found,
    items: entries.length - 1,
    conflictCopies: entries.filter(({ name }) => name.includes('Conflict Copy')).length,
    sequence,
    heldConfirmed,
    settleSeconds,
    peakRssMib,
    failures,
  };
}

async function work(
  user: User,
  deadline: number,
  seed: number,
  options: WritersOptions,
  actions: Record<string, number>,
): Promise<void> {
  const random = createSeededRandom(`pauses ${seed}`);
  while (performance.now() < deadline) {
    const done = user.act();
    if (done !== null && done !== '') {
      const verb = done.split(' ')[0] ?? '';
      actions[verb] = (actions[verb] ?? 0) + 1;
    }
    await sleep(random.integer(...options.userGapMs));
  }
}

/** Waits until every device equals the server; confirms what is held. Returns how often. */
async function settle(
  stage: ProcessStage,
  devices: readonly ProcessDevice[],
  options: WritersOptions,
  failures: string[],
): Promise<number> {
  const deadline = performance.now() + options.settleTimeoutMs;
  let confirmed = 0;
  let last = '';
  for (;;) {
    for (const device of devices) {
      const status = await device.status().catch(() => null);
      if (status?.state !== 'held') continue;
      confirmed++;
      options.report(
        `${device.name} holds ${status.held?.count} of ${status.held?.total} deletes; confirmed`,
      );
      await device.confirm();
    }
    const why = await whyUnsettled(devices, stage.view).catch((error: Error) => error.message);
    if (why === null) return confirmed;
    if (why !== last) options.report(why.slice(0, 200));
    last = why;
    if (performance.now() > deadline) {
      failures.push(`not equal after ${options.settleTimeoutMs / 1000} s: ${why}`);
      return confirmed;
    }
    await sleep(1000);
  }
}

function peakMib(processId: number): number {
  return Math.round(readUsage(processId).peakRssBytes / 2 ** 20);
}

function addCounts(one: FaultCounts, other: FaultCounts): FaultCounts {
  const sum = { ...one };
  for (const name of Object.keys(sum) as (keyof FaultCounts)[]) sum[name] += other[name];
  return sum;
}
