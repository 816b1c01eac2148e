import type { Clock } from '@cairn/environment';
import { CairnError } from '@cairn/model';

export interface ThrottleRules {
  /** Failures in a row that cost nothing. */
  readonly freeAttempts: number;
  /** The delay doubles from one second up to this. */
  readonly maxDelayMs: number;
}

export interface Attempt {
  /** It was right: earlier failures under the same key are forgotten. */
  succeed(): void;
  /** It was neither right nor wrong (a failure of our own): it does not count. */
  withdraw(): void;
}

export interface AttemptThrottle {
  /**
   * Counts an attempt as failed until it succeeds. Throws `too-many-attempts` with `details.retryAfterMs` while
   * the key has to wait.
   */
  begin(key: readonly (string | null)[]): Attempt;
}

interface Failures {
  count: number;
  readonly waitUntilMs: number;
  readonly lastMs: number;
}

const FORGET_AFTER_MS = 60 * 60_000;
/** Keys remembered at once; the ones longest untouched go first. */
const MAX_KEYS = 10_000;

/** Counts failed attempts by key in memory: after some free ones each failure doubles the wait. */
export function createAttemptThrottle(clock: Clock, rules: ThrottleRules): AttemptThrottle {
  const failures = new Map<string, Failures>();

  function delayAfter(count: number): number {
    const beyond = count - rules.freeAttempts;
    return beyond <= 0 ? 0 : Math.min(rules.maxDelayMs, 1000 * 2 ** Math.min(beyond - 1, 30));
  }

  function forgetOldest(): void {
    while (failures.size > MAX_KEYS) {
      const oldest = failures.keys().next();
      if (oldest.done === true) return;
      failures.delete(oldest.value);
    }
  }

  return {
    begin(keyParts) {
      const key = JSON.stringify(keyParts);
      const nowMs = clock.monotonicMs();
      const known = failures.get(key);
      const before = known !== undefined && nowMs - known.lastMs < FORGET_AFTER_MS ? known : undefined;
      if (before !== undefined && before.waitUntilMs > nowMs) {
        const retryAfterMs = Math.ceil(before.waitUntilMs - nowMs);
        throw new CairnError(
          'too-many-attempts',
          `too many wrong attempts; wait ${Math.ceil(retryAfterMs / 1000)} seconds and try again`,
          { details: { retryAfterMs } },
        );
      }
      const count = (before?.count ?? 0) + 1;
      failures.delete(key);
      failures.set(key, { count, waitUntilMs: nowMs + delayAfter(count), lastMs: nowMs });
      forgetOldest();
      return {
        succeed: () => {
          failures.delete(key);
        },
        withdraw() {
          const now = failures.get(key);
          if (now === undefined) return;
          if (before === undefined && now.count === 1) failures.delete(key);
          else failures.set(key, { ...now, count: now.count - 1, waitUntilMs: 0 });
        },
      };
    },
  };
}
