import { setTimeout as sleep } from 'node:timers/promises';
import type { VerificationResponse } from '@cairn/protocol';
import { collectGarbage } from './collect.ts';
import { type DisturbanceCounts, noteCollection } from './disturb.ts';
import type { SoakServer } from './soak-server.ts';
import type { SoakUser } from './soak-user.ts';

const DAY_MS = 24 * 60 * 60_000;
/** Longer than a lease and than a grace. */
const STEP_MS = 5 * DAY_MS + 60_000;
/** The trash is over after 90 days, and daily versions after a year. */
const MOST_CLEAN_UPS = 120;
const LEASE_MS = 11 * 60_000;
/** Much less than a sign-in lasts. */
const STEPS_OF_SESSION = 10;
const POLL_MS = 100;
const REPAIR_PATIENCE_MS = 120_000;
const SEGMENT_BYTES = 64 * 1024 * 1024;

export interface RestReport {
  readonly files: number;
  readonly versions: number;
  readonly blocks: number;
  readonly storedBytes: number;
  readonly diskBytes: number;
  readonly isWithoutGarbage: boolean;
}

async function verify({ admin }: SoakServer): Promise<VerificationResponse> {
  let answer = await admin.admin.beginVerification({ quick: false });
  while (answer.state === 'running') {
    await sleep(POLL_MS);
    answer = await admin.admin.verification();
  }
  return answer;
}

/** Verifies; on nodes until every block has all its replicas, which takes repair a moment. */
async function verifyWhole(server: SoakServer, fail: (what: string) => void): Promise<void> {
  const deadline = performance.now() + REPAIR_PATIENCE_MS;
  for (;;) {
    const { state, problem, report } = await verify(server);
    if (state !== 'done' || report === null) return fail(`verify ended early: ${problem}`);
    if (report.badBlocks > 0 || report.damagedVersions > 0)
      return fail(
        `verify found damage: ${JSON.stringify({ ...report, examples: report.examples.slice(0, 5) })}`,
      );
    if (report.underReplicated === 0) return;
    if (performance.now() > deadline)
      return fail(
        `${report.underReplicated} blocks still lack replicas: ${JSON.stringify((await server.admin.admin.nodes()).repair)}`,
      );
    await sleep(POLL_MS * 5);
  }
}

/** Cleans up, each time a grace later; returns whether the last two times nobody's trash or old versions became garbage. */
async function cleanUp(
  server: SoakServer,
  users: readonly SoakUser[],
  most: number,
  counts: DisturbanceCounts,
  fail: (what: string) => void,
): Promise<boolean> {
  const { clock, program } = server;
  let quiet = 0;
  for (let time = 0; time < most && quiet < 2; time++) {
    counts.days += STEP_MS / DAY_MS;
    await clock.jump(STEP_MS, () => program.isRunning);
    if (time % STEPS_OF_SESSION === 0) for (const user of users) await user.stayHere();
    const report = await collectGarbage(server);
    noteCollection(report, counts, fail);
    // What these let go now is condemned by the next one and deleted by the one after that.
    if (report.trash.items + report.versions.versions > 0) quiet = 0;
    else quiet += 1;
  }
  return quiet >= 2;
}

/**
 * While nobody does anything: everything that users believe stored is there, verify is clean, garbage goes within two
 * clean-ups, each a grace later, and verify is clean again.
 * @param isLast time goes on until even what time itself makes garbage is gone
 */
export async function checkAtRest(
  server: SoakServer,
  users: readonly SoakUser[],
  isLast: boolean,
  counts: DisturbanceCounts,
  fail: (what: string) => void,
): Promise<RestReport> {
  const { admin, program, nodes } = server;
  // A server that was killed while it repaired left its lease, which keeps the next one from it for ten minutes.
  await server.clock.jump(LEASE_MS, () => program.isRunning);
  await server.untilWhole();
  for (const each of [program, ...nodes]) for (const end of each.unexpectedEnds.splice(0)) fail(end);
  await verifyWhole(server, fail);
  const isQuiet = await cleanUp(server, users, isLast ? MOST_CLEAN_UPS : 3, counts, fail);
  let files = 0;
  for (const user of users) files += await user.check();
  await verifyWhole(server, fail);
  const { stored, versions, blockStore, garbage } = await admin.admin.usage();
  if (isLast && !isQuiet) fail(`trash and old versions still go after ${MOST_CLEAN_UPS} clean-ups`);
  if (isQuiet && garbage.blocks > 0) fail(`${garbage.blocks} blocks of garbage are left after two clean-ups`);
  if (isQuiet && blockStore.blocks !== stored.blocks)
    fail(`the block store has ${blockStore.blocks} blocks, and ${stored.blocks} are needed`);
  // Half of an old segment may be garbage before it is worth rewriting; the newest two are left alone.
  const copies = Math.max(1, nodes.length);
  const mostBytes = 2 * blockStore.liveBytes + copies * 2 * SEGMENT_BYTES;
  if (blockStore.diskBytes > mostBytes)
    fail(`${blockStore.diskBytes} bytes on disk for ${blockStore.liveBytes} that are alive`);
  return {
    files,
    versions: versions.versions,
    blocks: blockStore.blocks,
    storedBytes: stored.bytes,
    diskBytes: blockStore.diskBytes,
    isWithoutGarbage: garbage.blocks === 0,
  };
}
