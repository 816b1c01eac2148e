import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@cairn/client';
import { CairnError, isCairnError } from '@cairn/model';
import type { ClusterResponse } from '@cairn/protocol';
import { withClient } from '../connect.ts';
import { type CliContext, print, printJson, remark } from '../context.ts';
import { EXIT_CODES } from '../exit-codes.ts';
import { count, showSize, showText } from '../output/text.ts';
import { ASK_EVERY_MS, areUp, isAtRest } from './cluster-states.ts';
import { type DrillFile, hashVersion } from './drill-files.ts';
import { createDrillLog, describeDrill, expectThat } from './drill-log.ts';
import { proveLive } from './live-claims.ts';
import { type LiveStage, liveStatusOf, putCanary } from './live-stage.ts';
import { recordDrill } from './record-drill.ts';
import { chooseSample } from './sample-files.ts';

export interface LiveDrillOptions {
  /** Ids of the nodes that are drilled; all when empty. */
  readonly nodes: readonly string[];
  readonly sample: number;
  readonly json: boolean;
  readonly healWithinMs: number;
}

const FIRST_CANARIES = 6;
/** How long a cluster that is about to be healthy is waited for. */
const SETTLE_MS = 20_000;

/**
 * Proves on the cluster in use that it can do without each of its nodes. Damages nothing but files that it made itself.
 * @returns the exit status
 * @throws CairnError `precondition-failed` for a cluster that is not healthy, `not-found` for who is no administrator
 */
export async function runLiveDrill(context: CliContext, options: LiveDrillOptions): Promise<number> {
  return withClient(context, (client) =>
    withClient(context, (strict) => drill(context, options, client, strict), { maxAttempts: 1 }),
  );
}

async function drill(
  context: CliContext,
  options: LiveDrillOptions,
  client: Client,
  strict: Client,
): Promise<number> {
  const { signal } = context;
  const now = await whenSettled(client, signal);
  if (now.mode !== 'nodes') {
    throw new CairnError(
      'precondition-failed',
      'this server has no storage nodes to be held out; leave --live out to drill a cluster made for it',
    );
  }
  const nodes =
    options.nodes.length === 0 ? now.nodes : options.nodes.map((nodeId) => liveStatusOf(now, nodeId));
  if (areUp(now) < now.nodes.length || !isAtRest(now)) {
    throw new CairnError(
      'precondition-failed',
      'a drill begins with a healthy cluster: every node up and every block on as many as wanted; see "cairn admin nodes"',
    );
  }
  const log = createDrillLog(context, 'live', options.json);
  const folder = `/cairn-drill-${new Date().toISOString().slice(0, 10)}-${randomBytes(4).toString('hex')}`;
  const sample = await readSample(client, options.sample, signal);
  const bytes = sample.reduce((sum, file) => sum + file.sizeBytes, 0);
  const many = `${count(nodes.length, 'storage node')} of ${client.serverUrl}`;
  log.tell(
    `${many}, with canaries in ${folder} and ${count(sample.length, 'real file')} (${showSize(bytes)}).`,
  );
  const wait = { withinMs: options.healWithinMs, signal };
  const stage: LiveStage = { client, strict, log, folder, canaries: [], sample, signal, wait };
  try {
    await client.files.mkdir(folder);
    for (let made = 0; made < FIRST_CANARIES; made++) await putCanary(stage);
    await proveLive(stage, nodes);
    await log.prove(
      'nothing-left',
      'Nothing is left of the drill, and the cluster is as it was',
      'removing the canaries for good, and looking',
      async () => {
        await cleanUp(client, folder);
        await expectNothingLeft(client, folder, signal);
      },
    );
  } finally {
    // Faults end by themselves; this is sooner. After an interruption nothing else may be asked for.
    await client.admin.drills.endFault().catch((error: Error) => remark(context, showText(error.message)));
    await cleanUp(client, folder).catch((error: Error) =>
      remark(
        context,
        `cairn: ${folder} could not be removed: ${showText(error.message)}. Delete it yourself.`,
      ),
    );
  }
  const report = log.report();
  if (options.json) printJson(context, report);
  else print(context, ...describeDrill(report));
  await recordDrill(context, report);
  return report.claims.every(({ result }) => result === 'proven') ? EXIT_CODES.ok : EXIT_CODES.error;
}

/**
 * The cluster as it is, once what passes by itself has passed: a pass of repair, a heartbeat that is late. A node that is
 * down does not come back by waiting.
 */
async function whenSettled(client: Client, signal: AbortSignal): Promise<ClusterResponse> {
  for (const end = performance.now() + SETTLE_MS; ; ) {
    const now = await client.admin.nodes(signal);
    const passes =
      now.mode === 'nodes' && now.nodes.every(({ state }) => state === 'up' || state === 'suspect');
    if (!passes || isAtRest(now) || performance.now() >= end) return now;
    await sleep(ASK_EVERY_MS, undefined, { signal });
  }
}

async function readSample(client: Client, amount: number, signal: AbortSignal): Promise<DrillFile[]> {
  const chosen =
    amount === 0 ? [] : await chooseSample(client, amount, randomBytes(6).toString('hex'), signal);
  const sample: DrillFile[] = [];
  for (const { entryId, versionId, name } of chosen) {
    sample.push({
      path: name,
      entryId,
      versionId,
      ...(await hashVersion(client, { entryId, versionId }, signal)),
    });
  }
  return sample;
}

/** Removes the folder of the drill, also from the trash, whatever of that was done already. */
async function cleanUp(client: Client, folder: string): Promise<void> {
  try {
    const { entryId } = await client.files.get(folder);
    await client.files.remove(entryId);
  } catch (error) {
    if (!isCairnError(error, 'not-found')) throw error;
  }
  for await (const { entryId, path } of client.files.trash()) {
    if (path === folder || path.startsWith(`${folder}/`)) await client.files.purge(entryId);
  }
}

/** @throws NotProven when anything of the drill is still there */
async function expectNothingLeft(client: Client, folder: string, signal: AbortSignal): Promise<void> {
  const found = await client.files.get(folder, signal).catch((error: unknown) => {
    if (isCairnError(error, 'not-found')) return null;
    throw error;
  });
  expectThat(found === null, `${folder} is still there`);
  for await (const { path } of client.files.trash(signal)) {
    expectThat(path !== folder && !path.startsWith(`${folder}/`), `${path} is still in the trash`);
  }
  const now = await client.admin.nodes(signal);
  const held = now.nodes.filter(({ state, isFull }) => state !== 'up' || isFull);
  expectThat(held.length === 0, `${held.map(({ address }) => address).join(', ')} is not back in use`);
}
