import { setTimeout as sleep } from 'node:timers/promises';
import type { SeededRandom } from '@cairn/bench';
import { isCairnError } from '@cairn/model';
import type { CollectionReport } from '@cairn/protocol';
import { collectGarbage } from './collect.ts';
import type { SoakServer } from './soak-server.ts';
import { PASSING } from './soak-user.ts';

const HOUR_MS = 60 * 60_000;
const DAY_MS = 24 * HOUR_MS;
/** Short of a lease, about as long as one, longer than a grace, and longer than an upload can take in any way. */
const JUMPS_MS: readonly number[] = [
  0,
  HOUR_MS,
  30 * HOUR_MS,
  3 * DAY_MS,
  6 * DAY_MS,
  6 * DAY_MS,
  11 * DAY_MS,
];

const KILLED_COLLECTION = 0.1;

export interface DisturbanceCounts {
  collections: number;
  interruptedCollections: number;
  serverKills: number;
  nodeKills: number;
  days: number;
  condemnedBlocks: number;
  orphansNoted: number;
  reclaimedBlocks: number;
  reclaimedBytes: number;
  thinnedVersions: number;
  purgedItems: number;
}

export function createDisturbanceCounts(): DisturbanceCounts {
  return {
    collections: 0,
    interruptedCollections: 0,
    serverKills: 0,
    nodeKills: 0,
    days: 0,
    condemnedBlocks: 0,
    orphansNoted: 0,
    reclaimedBlocks: 0,
    reclaimedBytes: 0,
    thinnedVersions: 0,
    purgedItems: 0,
  };
}

export interface Disturbance {
  /** Resolves when everything runs again. */
  stop(): Promise<void>;
}

/** Adds up what a clean-up did; tells what must not be. */
export function noteCollection(
  report: CollectionReport,
  counts: DisturbanceCounts,
  fail: (what: string) => void,
): void {
  const { collection, audit } = report;
  counts.collections++;
  counts.condemnedBlocks += collection.condemned.blocks;
  counts.orphansNoted += collection.orphansNoted.blocks;
  counts.reclaimedBlocks += collection.reclaimed.blocks;
  counts.reclaimedBytes += collection.reclaimed.storedBytes;
  counts.thinnedVersions += report.versions.versions;
  counts.purgedItems += report.trash.items;
  if (audit.dangling > 0)
    fail(`${audit.dangling} dangling references: ${JSON.stringify(audit.examples.slice(0, 3))}`);
}

/** Collects again and again, lets time jump, and kills the server and nodes, often while a collection runs. */
export function disturb(
  server: SoakServer,
  random: SeededRandom,
  counts: DisturbanceCounts,
  fail: (what: string) => void,
): Disturbance {
  const { program, nodes, clock } = server;
  let isOver = false;
  /** Of a collection that ended well. */
  let usualMs = 300;

  async function jump(): Promise<void> {
    const durationMs = random.pick(JUMPS_MS);
    counts.days += durationMs / DAY_MS;
    await clock.jump(durationMs, () => program.isRunning);
  }

  async function collect(): Promise<void> {
    const startMs = performance.now();
    try {
      const report = await collectGarbage(server);
      usualMs = 0.7 * usualMs + 0.3 * (performance.now() - startMs);
      noteCollection(report, counts, fail);
    } catch (error) {
      counts.interruptedCollections++;
      // Killed, or the one before left its lease when it was.
      if (!isCairnError(error, ...PASSING)) fail(`a collection failed: ${String(error)}`);
    }
  }

  async function killServer(): Promise<void> {
    counts.serverKills++;
    await program.kill();
    await sleep(random.integer(0, 600));
    await program.start();
  }

  async function workOnServer(): Promise<void> {
    // However short it is, one collection is killed.
    for (let isFirst = true; !isOver; isFirst = false) {
      await sleep(random.integer(200, 2500));
      if (random.chance(0.6)) await jump();
      const choice = isFirst ? KILLED_COLLECTION : random.fraction();
      if (choice < KILLED_COLLECTION) await killServer();
      else if (choice < 0.35) {
        const collecting = collect();
        await sleep(random.fraction() * usualMs * 1.2);
        await killServer();
        await collecting;
      } else if (choice < 0.5) {
        const collecting = collect();
        await sleep(random.fraction() * usualMs);
        await jump();
        await collecting;
      } else await collect();
    }
  }

  async function workOnNodes(): Promise<void> {
    while (!isOver && nodes.length > 0) {
      await sleep(random.integer(800, 4000));
      // Now and then more than one, so that nothing new can be stored.
      const victims = nodes.filter((_, index) => index === 0 || random.chance(0.2));
      const first = random.integer(0, nodes.length - 1);
      await Promise.all(
        victims.map(async (_, index) => {
          const node = nodes[(first + index) % nodes.length];
          if (node === undefined) return;
          counts.nodeKills++;
          await node.kill();
          await sleep(random.integer(0, 2500));
          await node.start();
        }),
      );
    }
  }

  const running = Promise.all([workOnServer(), workOnNodes()]);
  running.catch((error: unknown) => fail(`the disturbance ended: ${String(error)}`));
  return {
    async stop() {
      isOver = true;
      await running.catch(() => undefined);
    },
  };
}
