import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@cairn/client';
import type { ClusterResponse, VerificationResponse } from '@cairn/protocol';
import { expectThat, NotProven } from './drill-log.ts';

export const ASK_EVERY_MS = 150;

export type ClusterNode = ClusterResponse['nodes'][number];

export interface WaitOptions {
  readonly withinMs: number;
  readonly signal: AbortSignal;
}

export const areUp = (now: ClusterResponse): number => now.nodes.filter(({ state }) => state === 'up').length;

/** Waits until the cluster is as told. @throws NotProven after `withinMs`, and whatever `isSo` throws */
export async function untilCluster(
  client: Client,
  what: string,
  isSo: (now: ClusterResponse) => boolean,
  { withinMs, signal }: WaitOptions,
): Promise<ClusterResponse> {
  const end = performance.now() + withinMs;
  for (;;) {
    const now = await client.admin.nodes(signal);
    if (isSo(now)) return now;
    expectThat(performance.now() < end, `waited ${withinMs / 1000} s in vain until ${what}`);
    await sleep(ASK_EVERY_MS, undefined, { signal });
  }
}

/** What repair says when there is nothing left to do; `null` when there is. @throws NotProven for what is lost */
export function isAtRest({ repair, nodes }: ClusterResponse): boolean {
  if (repair === null) return false;
  if (repair.lost > 0 && !repair.isRunning)
    throw new NotProven(`${repair.lost} blocks are on no node any more`);
  const isQuiet = !repair.isRunning && repair.noted === 0;
  const isWhole = repair.underReplicated === repair.repaired && repair.unavailable === 0 && repair.lost === 0;
  return isQuiet && isWhole && nodes.every(({ state }) => state === 'up');
}

/** Runs a verification to its end. @throws NotProven when it fails */
export async function verifyAll(
  client: Client,
  options: { readonly quick: boolean; readonly everyReplica: boolean },
  signal: AbortSignal,
): Promise<NonNullable<VerificationResponse['report']>> {
  let now = await client.admin.beginVerification(options, signal);
  while (now.state === 'running') {
    await sleep(ASK_EVERY_MS, undefined, { signal });
    now = await client.admin.verification(signal);
  }
  if (now.report === null)
    throw new NotProven(`the verification ended early: ${now.problem ?? 'no reason given'}`);
  return now.report;
}

/**
 * Waits until every node is up and every block has its replicas. Counted anew: what repair last said may be older than
 * what happened since.
 * @throws NotProven when that does not come, or something is lost
 */
export async function untilHealed(client: Client, options: WaitOptions): Promise<void> {
  const end = performance.now() + options.withinMs;
  for (;;) {
    const withinMs = Math.max(0, end - performance.now());
    await untilCluster(client, 'every node is up and repair is at rest', isAtRest, { ...options, withinMs });
    const { underReplicated, badBlocks } = await verifyAll(
      client,
      { quick: true, everyReplica: false },
      options.signal,
    );
    if (underReplicated === 0 && badBlocks === 0) return;
    expectThat(
      performance.now() < end,
      `${underReplicated} blocks have fewer replicas than wanted and ${badBlocks} cannot be read`,
    );
    await sleep(ASK_EVERY_MS, undefined, { signal: options.signal });
  }
}
