import type { Environment } from '@cairn/environment';
import { type ErrorCode, isCairnError } from '@cairn/model';

export interface RetryPolicy {
  /** Tries altogether. */
  readonly attempts: number;
  readonly firstDelayMs: number;
  readonly maxDelayMs: number;
  /** A longer Retry-After is not waited for: the error goes to the caller. */
  readonly maxRetryAfterMs: number;
}

export const DEFAULT_RETRY: RetryPolicy = {
  attempts: 4,
  firstDelayMs: 200,
  maxDelayMs: 5_000,
  maxRetryAfterMs: 20_000,
};

/** Of the class "later", only what can pass within seconds. A full disk or a locked account cannot. */
const PASSING: readonly ErrorCode[] = ['server-unreachable', 'unavailable', 'internal', 'limit-reached'];

/**
 * Runs `attempt` again with jittered, growing pauses while it fails with something that passes. Only for
 * requests that may be repeated.
 * @param onFailure sees each failure before the pause; returning false gives up
 */
export async function withRetry<Result>(
  environment: Environment,
  policy: RetryPolicy,
  signal: AbortSignal | undefined,
  attempt: () => Promise<Result>,
): Promise<Result> {
  for (let tried = 1; ; tried++) {
    try {
      return await attempt();
    } catch (error) {
      if (signal?.aborted || tried >= policy.attempts || !isCairnError(error, ...PASSING)) throw error;
      const asked = error.details['retryAfterMs'];
      const askedMs = typeof asked === 'number' ? asked : 0;
      if (askedMs > policy.maxRetryAfterMs) throw error;
      const delayMs = Math.min(policy.maxDelayMs, policy.firstDelayMs * 2 ** (tried - 1));
      const pauseMs = askedMs + delayMs * (0.5 + environment.random.fraction());
      environment.log.debug('client.retry', { code: error.code, tried, pauseMs });
      await environment.timers.sleep(pauseMs, signal);
    }
  }
}
