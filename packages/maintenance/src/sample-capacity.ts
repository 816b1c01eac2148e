import type { CapacityRecord } from '@cairn/metadata-store';
import type { CollectionDependencies } from './collect-garbage.ts';
import { withJobLease } from './job-lease.ts';

const JOB = 'capacity-sample';
const HOUR_MS = 60 * 60_000;
const DAY_MS = 24 * HOUR_MS;
const KEPT_DAYS = 90;

export interface SampleOptions {
  readonly holder: string;
  readonly signal: AbortSignal;
  readonly capacityBytes?: (() => Promise<number | null>) | undefined;
}

/**
 * Notes how full the server is, once an hour whichever process looks first, and forgets what is older than 90 days.
 * @returns whether this was the one
 */
export async function sampleCapacity(
  dependencies: CollectionDependencies,
  { holder, signal, capacityBytes }: SampleOptions,
): Promise<boolean> {
  const { store, blocks, environment } = dependencies;
  const now = environment.clock.now();
  // One sample for each hour, at its beginning: what two processes take for the same hour is one.
  const hour = Math.floor(now / HOUR_MS) * HOUR_MS;
  const known = await store.read((reader) => reader.listCapacity(hour, 1));
  if (known.length > 0) return false;
  const sampled = await withJobLease(dependencies, { name: JOB, holder, signal }, async () => {
    const { diskBytes, liveBytes } = await blocks.usage();
    const capacity = capacityBytes === undefined ? null : await capacityBytes();
    const sample = { sampledAt: hour, usedBytes: diskBytes, capacityBytes: capacity, liveBytes };
    await store.transact((transaction) => transaction.putCapacity(sample, now - KEPT_DAYS * DAY_MS));
    return true;
  });
  return sampled ?? false;
}

/** Samples of the last days, oldest first. */
export function listCapacity(
  { store, environment }: CollectionDependencies,
  days: number,
): Promise<readonly CapacityRecord[]> {
  const since = environment.clock.now() - days * DAY_MS;
  return store.read((reader) => reader.listCapacity(since, KEPT_DAYS * 24 + 1));
}
