import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSeededRandom, type SeededRandom } from '@cairn/bench';
import { createMemorySessionStore } from '@cairn/client';
import { createTestClient } from '../driver/http-view.ts';
import { createDisturbanceCounts, type DisturbanceCounts, disturb } from './disturb.ts';
import { checkAtRest, type RestReport } from './rest.ts';
import { createSoakContents } from './soak-contents.ts';
import { PASSWORD, type SoakServer, startSoakServer } from './soak-server.ts';
import { createSoakUser, type SoakUser } from './soak-user.ts';

export interface SoakOptions {
  readonly seed: string;
  readonly minutes: number;
  readonly roundSeconds: number;
  /** A round goes on until each user has done so many things; none unless told. */
  readonly leastDeeds?: number;
  readonly users: number;
  /** 0: the server keeps its blocks in a folder. */
  readonly nodes: number;
  /** Where to work. */
  readonly base?: string;
  report(line: string): void;
}

export interface SoakReport {
  readonly seed: string;
  readonly nodes: number;
  readonly minutes: number;
  readonly rounds: number;
  /** Where no block that nothing needs was left; in the others time itself went on making some. */
  readonly roundsWithoutGarbage: number;
  readonly actions: Readonly<Record<string, number>>;
  readonly disturbance: DisturbanceCounts;
  readonly checkedFiles: number;
  readonly atTheEnd: RestReport | null;
  readonly largestDiskBytes: number;
  readonly failures: readonly string[];
  /** What is left of it when something was wrong. */
  readonly folder: string | null;
}

/**
 * Users save, delete, restore, purge and revert contents that they have in common, while the server collects garbage
 * under a calendar that jumps, and is killed. After each round everything rests, and everything must be right.
 */
export async function runSoak(options: SoakOptions): Promise<SoakReport> {
  const { seed, report } = options;
  const work = realpathSync(mkdtempSync(join(options.base ?? tmpdir(), 'cairn-soak-')));
  const failures: string[] = [];
  const actions: Record<string, number> = {};
  const disturbance = createDisturbanceCounts();
  const fail = (what: string) => {
    failures.push(what);
    report(`WRONG ${what}`);
  };
  let server: SoakServer | null = null;
  let rounds = 0;
  let roundsWithoutGarbage = 0;
  let checkedFiles = 0;
  let largestDiskBytes = 0;
  let atTheEnd: RestReport | null = null;
  try {
    server = await startSoakServer(work, options.nodes);
    const users = await createUsers(
      server,
      options,
      (what) => (actions[what] = (actions[what] ?? 0) + 1),
      fail,
    );
    const random = createSeededRandom(`disturbance ${seed}`);
    const endMs = performance.now() + options.minutes * 60_000;
    while (performance.now() < endMs && failures.length === 0) {
      await playRound(server, users, options, random, disturbance, fail);
      const isLast = performance.now() >= endMs;
      atTheEnd = await checkAtRest(server, users, isLast, disturbance, fail);
      if (atTheEnd.isWithoutGarbage) roundsWithoutGarbage++;
      rounds++;
      checkedFiles += atTheEnd.files;
      largestDiskBytes = Math.max(largestDiskBytes, atTheEnd.diskBytes);
      report(describeRound(rounds, actions, disturbance, atTheEnd));
    }
  } catch (error) {
    fail(`the run ended early: ${(error as Error).stack}`);
  } finally {
    await server?.stop();
  }
  const isWrong = failures.length > 0;
  if (!isWrong) rmSync(work, { recursive: true, force: true, maxRetries: 3 });
  return {
    seed,
    nodes: options.nodes,
    minutes: options.minutes,
    rounds,
    roundsWithoutGarbage,
    actions,
    disturbance,
    checkedFiles,
    atTheEnd,
    largestDiskBytes,
    failures,
    folder: isWrong ? work : null,
  };
}

async function createUsers(
  server: SoakServer,
  { seed, users }: SoakOptions,
  count: (what: string) => void,
  fail: (what: string) => void,
): Promise<SoakUser[]> {
  const contents = createSoakContents(seed);
  const all: SoakUser[] = [];
  for (let index = 0; index < users; index++) {
    const name = `user${index}`;
    const client = createTestClient(server.url, createMemorySessionStore());
    await client.account.register({ username: name, password: PASSWORD, deviceName: name });
    const random = createSeededRandom(`${seed} ${name}`);
    all.push(createSoakUser({ name, client, random, contents, clock: server.clock, count, fail }));
  }
  return all;
}

async function playRound(
  server: SoakServer,
  users: readonly SoakUser[],
  { roundSeconds, leastDeeds = 0 }: SoakOptions,
  random: SeededRandom,
  counts: DisturbanceCounts,
  fail: (what: string) => void,
): Promise<void> {
  const endMs = performance.now() + roundSeconds * 1000;
  const disturbance = disturb(server, random, counts, fail);
  await Promise.all(
    users.map(async (user) => {
      for (let deeds = 0; performance.now() < endMs || deeds < leastDeeds; deeds++) await user.act();
    }),
  );
  await disturbance.stop();
}

function describeRound(
  round: number,
  actions: Readonly<Record<string, number>>,
  counts: DisturbanceCounts,
  rest: RestReport,
): string {
  const deeds = Object.values(actions).reduce((sum, each) => sum + each, 0);
  return (
    `round ${round}: ${deeds} deeds, ${counts.collections} collections (${counts.interruptedCollections} interrupted), ` +
    `${counts.serverKills}+${counts.nodeKills} kills, ${counts.reclaimedBlocks} blocks collected, ` +
    `${rest.files} files right, ${rest.blocks} blocks, ${Math.round(rest.diskBytes / 2 ** 20)} MiB on disk`
  );
}
