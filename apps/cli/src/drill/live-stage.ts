import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@cairn/client';
import { type BlockId, CairnError, isCairnError } from '@cairn/model';
import { type ClusterResponse, DRILL_CANARY_MARK, type FaultRequest } from '@cairn/protocol';
import { ASK_EVERY_MS, type ClusterNode, type WaitOptions } from './cluster-states.ts';
import { checkFiles, type DrillFile, putFile } from './drill-files.ts';
import { type DrillLog, type Figures, NotProven } from './drill-log.ts';

/** What the claims of a live drill are proven with. */
export interface LiveStage {
  /** Asks about the cluster, and again where an answer is lost. */
  readonly client: Client;
  /** Reads and stores; repeats nothing, so that a failed request is one. */
  readonly strict: Client;
  readonly log: DrillLog;
  /** Of the drill alone, in the administrator's space. */
  readonly folder: string;
  readonly canaries: DrillFile[];
  /** Real files. */
  readonly sample: readonly DrillFile[];
  readonly signal: AbortSignal;
  readonly wait: WaitOptions;
}

const CANARY_BYTES = 12 * 1024;
/** A fault ends this long after the drill stops prolonging it, whatever becomes of the drill. */
const FAULT_MS = 60_000;
const PROLONG_MS = 20_000;
const REFUSED_FOR_MS = 20_000;

/** Stores one more canary: a file of one block, which says by its first bytes that it may be damaged. */
export async function putCanary(stage: LiveStage): Promise<DrillFile> {
  const bytes = Buffer.concat([Buffer.from(DRILL_CANARY_MARK), randomBytes(CANARY_BYTES)]);
  const path = `${stage.folder}/canary-${stage.canaries.length + 1}`;
  const file = await putFile(stage.strict, path, bytes, stage.signal);
  stage.canaries.push(file);
  return file;
}

/** The one block of a canary. */
export async function blockOfCanary({ client, signal }: LiveStage, file: DrillFile): Promise<BlockId> {
  const { content } = await client.files.getContent(file.entryId, signal);
  const [part, ...others] = content?.manifest?.parts ?? [];
  if (part === undefined || others.length > 0) throw new NotProven(`${file.path} is not one block`);
  return part.block;
}

/** Reads canaries and sample by hash. */
export async function readLive(stage: LiveStage, figures: Figures): Promise<void> {
  const { strict, canaries, sample, signal } = stage;
  Object.assign(figures, await checkFiles(strict, [...canaries, ...sample], signal));
}

/** How many nodes have the replica of a canary whole, read now on each. */
export async function countWhole(stage: LiveStage, file: DrillFile, now: ClusterResponse): Promise<number> {
  const blockId = await blockOfCanary(stage, file);
  const answers = await Promise.all(
    now.nodes.map(({ nodeId }) =>
      stage.client.admin.drills.canary({ nodeId, blockId, action: 'inspect' }, stage.signal),
    ),
  );
  return answers.filter(({ replica }) => replica === 'whole').length;
}

/**
 * Asks for a fault, and again for a while where the server refuses: a comparison of all nodes that just began is over
 * soon, and a cluster that stays unhealthy is refused in the end.
 */
export async function onceHealthy<Result>(signal: AbortSignal, ask: () => Promise<Result>): Promise<Result> {
  for (const end = performance.now() + REFUSED_FOR_MS; ; ) {
    try {
      return await ask();
    } catch (error) {
      if (!isCairnError(error, 'precondition-failed') || performance.now() >= end) throw error;
      await sleep(ASK_EVERY_MS, undefined, { signal });
    }
  }
}

/** Does something while a node is held out or full. The fault is prolonged meanwhile and ended afterwards. */
export async function duringFault<Result>(
  { client, signal }: LiveStage,
  node: ClusterNode,
  fault: FaultRequest['fault'],
  work: () => Promise<Result>,
): Promise<Result> {
  const request = { nodeId: node.nodeId, fault, forMs: FAULT_MS };
  await onceHealthy(signal, () => client.admin.drills.beginFault(request, signal));
  let prolonging: Promise<unknown> = Promise.resolve();
  const timer = setInterval(() => {
    // When that fails the fault ends, and what is proven during it says so.
    prolonging = client.admin.drills.beginFault(request, signal).catch(() => undefined);
  }, PROLONG_MS);
  try {
    return await work();
  } finally {
    clearInterval(timer);
    await prolonging;
    await client.admin.drills.endFault();
  }
}

/** The status of one node. */
export function liveStatusOf(now: ClusterResponse, nodeId: string): ClusterNode {
  const found = now.nodes.find((node) => node.nodeId === nodeId);
  if (found !== undefined) return found;
  throw new CairnError('not-found', `there is no storage node ${nodeId}; "cairn admin nodes" lists them`);
}
