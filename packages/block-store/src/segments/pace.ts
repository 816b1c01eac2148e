import type { Environment } from '@cairn/environment';

export interface PaceOptions {
  readonly environment: Environment;
  /** Unlimited unless told. */
  readonly bytesPerSecond: number | undefined;
  readonly signal: AbortSignal;
}

/** Time that was not used is kept for this long, so that a slow start is made up for and a long pause is not. */
const MAX_CREDIT_MS = 100;

/**
 * Keeps work in the background to a number of bytes a second. Returns what to call before each piece with its size;
 * it resolves when that piece may begin, and rejects with the signal's reason when aborted.
 */
export function createPace(options: PaceOptions): (sizeBytes: number) => Promise<void> {
  const { bytesPerSecond, signal } = options;
  const { clock, timers } = options.environment;
  let paidUntilMs = clock.monotonicMs();
  return async (sizeBytes) => {
    signal.throwIfAborted();
    if (bytesPerSecond === undefined) return;
    const now = clock.monotonicMs();
    const startsAtMs = Math.max(paidUntilMs, now - MAX_CREDIT_MS);
    paidUntilMs = startsAtMs + (sizeBytes / bytesPerSecond) * 1000;
    if (startsAtMs > now) await timers.sleep(startsAtMs - now, signal);
  };
}
