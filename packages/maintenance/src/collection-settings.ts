import { CairnError } from '@cairn/model';
import { LEASE_MS, UPLOAD_LIFE_MS } from '@cairn/services';

const DAY_MS = 24 * 60 * 60 * 1000;

/** How long a block is unused before it is condemned, and condemned before it is swept. */
export const DEFAULT_GRACE_MS = 5 * DAY_MS;
/** How long it is remembered that a block was deleted. Nothing depends on its length. */
export const TOMBSTONE_MS = 10 * DAY_MS;

/**
 * Refuses a grace that is not longer than a lease and a resumable upload together: what somebody is about to commit
 * would be collected before.
 * @throws CairnError `usage`
 */
export function checkGrace(graceMs: number): void {
  if (graceMs > LEASE_MS + UPLOAD_LIFE_MS) return;
  throw new CairnError(
    'usage',
    `the grace of garbage collection must be longer than ${(LEASE_MS + UPLOAD_LIFE_MS) / DAY_MS} days`,
  );
}
