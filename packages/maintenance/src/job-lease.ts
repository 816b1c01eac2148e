import type { Fence } from '@cairn/block-store';
import type { Environment } from '@cairn/environment';
import type { MetadataStore } from '@cairn/metadata-store';
import { CairnError } from '@cairn/model';

export interface JobLeaseDependencies {
  readonly store: MetadataStore;
  readonly environment: Environment;
}

export interface JobLeaseOptions {
  readonly name: string;
  /** Of one process, at random. */
  readonly holder: string;
  readonly signal?: AbortSignal | undefined;
  /** How long it lasts when its holder is killed; ten minutes unless told. It is renewed three times as often. */
  readonly leaseMs?: number;
}

const LEASE_MS = 10 * 60_000;

/**
 * Does periodic work that only one process is to do at a time. The lease is renewed meanwhile; when it is lost all the
 * same (this process stood still), the work is asked to end. That two do it for a moment must do no harm: the
 * lease saves work. Deletes on nodes that several servers share carry the fence, so that those of a late one are refused.
 * @returns what the work answered; `null` when another process is at it
 * @throws what the work throws; CairnError `unavailable` when the lease was lost
 */
export async function withJobLease<Result>(
  { store, environment }: JobLeaseDependencies,
  { name, holder, signal, leaseMs = LEASE_MS }: JobLeaseOptions,
  work: (signal: AbortSignal, fence: Fence) => Promise<Result>,
): Promise<Result | null> {
  const take = (): Promise<number | null> => {
    const now = environment.clock.now();
    return store.transact((transaction) => transaction.takeJobLease(name, holder, now, now + leaseMs));
  };
  const token = await take();
  if (token === null) return null;
  const ending = new AbortController();
  const stop = (): void => ending.abort(signal?.reason);
  signal?.addEventListener('abort', stop, { once: true });
  if (signal?.aborted === true) stop();
  let cancelRenewal = environment.timers.schedule(leaseMs / 3, renew);
  let renewing: Promise<void> = Promise.resolve();

  function renew(): void {
    renewing = take().then(
      (renewed) => {
        if (renewed !== token) {
          ending.abort(new CairnError('unavailable', `another server process took over the job "${name}"`));
        } else if (!ending.signal.aborted) cancelRenewal = environment.timers.schedule(leaseMs / 3, renew);
      },
      (error: unknown) => ending.abort(error),
    );
  }

  try {
    return await work(ending.signal, { job: name, token });
  } finally {
    ending.abort();
    signal?.removeEventListener('abort', stop);
    cancelRenewal();
    await renewing;
    await store
      .transact((transaction) => transaction.releaseJobLease(name, holder, token))
      .catch((error: unknown) =>
        environment.log.warn('job.lease-not-released', { name, error: String(error) }),
      );
  }
}
