import { execFileSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { subtractWire, type Wire } from '../world/network.ts';
import { compareTrees, readTree, type TreeItem, type TreeListing } from '../world/trees.ts';
import { emptyResult, mapRoles, type PeerName, type StepName, type StepResult } from './measurement.ts';
import type { Peer } from './peers/peer.ts';

/** Looking at B's folder may cost this share of the time. */
const MAX_LOOKING_SHARE = 0.2;
const MIN_POLL_MS = 2;
/** Some tools see changes of times in whole seconds only. */
const PAUSE_MS = 1100;

export interface StepPlan {
  readonly peer: PeerName;
  readonly step: StepName;
  readonly title: string;
  readonly run: number;
}

/** What happens on A, and how to see that it has reached B. */
export interface Change {
  readonly dataBytes: number;
  act(): void;
  /** Looked at often; whether all bytes are right is found out afterwards. */
  hasArrived(): boolean;
  /** Whether the size of a file stays what it was. */
  readonly keepsSize?: boolean;
  /** The whole work is this many times what is done here. */
  readonly scale?: number;
  readonly note?: string;
}

/**
 * Makes one change on A and measures until B has it. Everything rests before, and is flushed to disk.
 * @param settleMemory brings the machine's memory into the same state for everybody
 * @throws Error when it does not arrive in time, or a program ends
 */
export async function measureStep(
  plan: StepPlan,
  peer: Peer,
  wire: Wire,
  timeoutMs: number,
  change: Change,
  settleMemory: () => void,
): Promise<StepResult> {
  await rest(peer);
  settleMemory();
  peer.resetPeaks();
  const usageBefore = peer.readUsage();
  const wireBefore = wire.read();
  const startMs = performance.now();
  change.act();
  const note = (await carry(plan.step, peer, timeoutMs, change)) ?? change.note ?? null;
  const timeMs = performance.now() - startMs;
  await peer.settle();
  const restMs = performance.now() - startMs;
  const usageAfter = peer.readUsage();
  const sent = subtractWire(wire.read(), wireBefore);
  const { scale = 1 } = change;
  return emptyResult({
    ...plan,
    timeMs: timeMs * scale,
    restMs: restMs * scale,
    dataBytes: change.dataBytes * scale,
    wire: sent === null || scale === 1 ? sent : { bothHopsBytes: sent.bothHopsBytes * scale, hops: null },
    cpuSeconds: mapRoles((role) => (usageAfter[role].cpuSeconds - usageBefore[role].cpuSeconds) * scale),
    peakRssBytes: mapRoles((role) => usageAfter[role].peakRssBytes),
    isEstimate: scale !== 1,
    note,
    differences: compareFolders(peer),
  });
}

/** Everything has arrived, is on disk, and a moment has passed. */
export async function rest(peer: Peer): Promise<void> {
  await peer.settle();
  execFileSync('sync', ['-f', peer.folderA]);
  await sleep(PAUSE_MS);
}

/** How B differs from A, apart from what is the peer's own, and from what it does not promise to carry. */
export function compareFolders(peer: Peer): string[] {
  return compareTrees(listFolder(peer, peer.folderA), listFolder(peer, peer.folderB));
}

function listFolder(peer: Peer, root: string): TreeListing {
  const kept = [...readTree(root)].filter(([path]) => !path.split('/').some((name) => peer.isOwn(name)));
  if (peer.keeps === 'everything') return new Map(kept);
  return new Map(
    kept.map(([path, item]): [string, TreeItem] => [path, { ...item, executable: false, modifiedAtUs: 0 }]),
  );
}

async function carry(step: string, peer: Peer, timeoutMs: number, change: Change): Promise<string | null> {
  if (peer.deliver !== undefined) {
    const note = await peer.deliver(change.keepsSize ?? false);
    if (!change.hasArrived()) throw new Error('it ended well, but B does not have the change');
    return note;
  }
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const lookMs = performance.now();
    if (change.hasArrived()) return null;
    const nowMs = performance.now();
    if (nowMs > deadline)
      throw new Error(`"${step}" has not arrived after ${Math.round(timeoutMs / 1000)} s`);
    await sleep(Math.max(MIN_POLL_MS, (nowMs - lookMs) / MAX_LOOKING_SHARE));
  }
}
