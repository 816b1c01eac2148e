import type { Environment } from '@cairn/environment';
import { CairnError, type EntryId, type ErrorCode } from '@cairn/model';

const FIRST_DELAY_MS = 200;
const MAX_DELAY_MS = 60_000;

export interface Failure {
  readonly entryId: EntryId;
  readonly code: ErrorCode | 'internal';
  readonly message: string;
  readonly operation: string;
  readonly attempts: number;
  /** Milliseconds since 1970. */
  readonly lastAt: number;
  /** On the monotonic clock. */
  readonly nextAttemptMs: number;
}

/**
 * What went wrong with single entries and when each is tried again (doubling, with a ceiling). One entry's
 * failure never holds up the others.
 */
export class Failures {
  readonly #failures = new Map<EntryId, Failure>();
  readonly #environment: Environment;
  readonly #onRecord: (failure: Failure) => void;

  constructor(environment: Environment, onRecord: (failure: Failure) => void = () => undefined) {
    this.#environment = environment;
    this.#onRecord = onRecord;
  }

  record(entryId: EntryId, operation: string, error: unknown): void {
    const { clock, random, log } = this.#environment;
    const attempts = (this.#failures.get(entryId)?.attempts ?? 0) + 1;
    const delayMs = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(attempts - 1, 20));
    const failure: Failure = {
      entryId,
      code: error instanceof CairnError ? error.code : 'internal',
      message: error instanceof Error ? error.message : String(error),
      operation,
      attempts,
      lastAt: clock.now(),
      nextAttemptMs: clock.monotonicMs() + delayMs * (0.75 + random.fraction() / 2),
    };
    this.#failures.set(entryId, failure);
    this.#onRecord(failure);
    log.warn('engine.operation-failed', {
      entryId,
      operation,
      code: failure.code,
      attempts,
      error: failure.message,
    });
  }

  forget(entryId: EntryId): void {
    this.#failures.delete(entryId);
  }

  /** Whether the entry is waiting for its next attempt. */
  isWaiting(entryId: EntryId): boolean {
    const failure = this.#failures.get(entryId);
    return failure !== undefined && failure.nextAttemptMs > this.#environment.clock.monotonicMs();
  }

  /** Makes every waiting entry due at once: the network came back, the user asked. */
  retryAll(): void {
    for (const [id, failure] of this.#failures) this.#failures.set(id, { ...failure, nextAttemptMs: 0 });
  }

  /** Milliseconds until the next entry is due; `null` when none is waiting. */
  nextDueMs(): number | null {
    let next: number | null = null;
    const now = this.#environment.clock.monotonicMs();
    for (const failure of this.#failures.values()) {
      const dueMs = Math.max(0, failure.nextAttemptMs - now);
      if (next === null || dueMs < next) next = dueMs;
    }
    return next;
  }

  get(entryId: EntryId): Failure | undefined {
    return this.#failures.get(entryId);
  }

  list(): Failure[] {
    return [...this.#failures.values()];
  }
}
