import type { Environment } from '@cairn/environment';
import { isCairnError } from '@cairn/model';

const FULL_PAUSE_MS = 5_000;
const FIRST_BACKOFF_MS = 250;
const MAX_BACKOFF_MS = 30_000;
const FIRST_STALL_MS = 100;
const MAX_STALL_MS = 60_000;

/** When what failed as a whole (not single entries, see Failures) is tried again; all on the monotonic clock. */
export class Retries {
  readonly #environment: Environment;
  #backoffMs = 0;
  #retryAtMs = 0;
  #localFullUntilMs = 0;
  #serverFullUntilMs = 0;
  #stallMs = 0;
  #stalledUntilMs = 0;
  #lastExecuted = '';
  #decidedMs = 0;

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  /** Something failed as a whole: wait longer each time. */
  retreat(): number {
    this.#backoffMs = Math.min(MAX_BACKOFF_MS, Math.max(FIRST_BACKOFF_MS, this.#backoffMs * 2));
    const waitMs = this.#backoffMs * (0.75 + this.#environment.random.fraction() / 2);
    this.#retryAtMs = this.#now() + waitMs;
    return waitMs;
  }

  /** All is well, or there is news: try at once, and wait little the next time. */
  reset(): void {
    this.#backoffMs = 0;
    this.#retryAtMs = 0;
    this.#stallMs = 0;
    this.#stalledUntilMs = 0;
    this.#lastExecuted = '';
  }

  get isRetreating(): boolean {
    return this.#retryAtMs > this.#now();
  }

  /** Full disks pause one direction only. Returns whether the error says that one is full. */
  noteFullness(error: unknown): boolean {
    const untilMs = this.#now() + FULL_PAUSE_MS;
    if (isCairnError(error, 'local-disk-full')) this.#localFullUntilMs = untilMs;
    else if (isCairnError(error, 'storage-full', 'quota-exceeded')) this.#serverFullUntilMs = untilMs;
    else return false;
    return true;
  }

  get mayWriteLocally(): boolean {
    return this.#now() >= this.#localFullUntilMs;
  }

  get mayPush(): boolean {
    return this.#now() >= this.#serverFullUntilMs;
  }

  /**
   * Called before operations are carried out, with what they are: the very same twice in a row got nowhere, and
   * has to wait, longer each time. Returns whether they may go ahead.
   */
  mayExecute(signature: string): boolean {
    if (signature !== this.#lastExecuted) {
      this.#lastExecuted = signature;
      this.#stallMs = 0;
      return true;
    }
    const now = this.#now();
    if (this.#stallMs > 0 && now >= this.#stalledUntilMs) {
      this.#stalledUntilMs = now + this.#nextStall();
      return true;
    }
    if (this.#stallMs === 0) this.#stalledUntilMs = now + this.#nextStall();
    return false;
  }

  /** Called before it is decided what may be done now: what is due from here on is still to come for that decision. */
  noteDecision(): void {
    this.#decidedMs = this.#now();
  }

  /**
   * Milliseconds until something that waits is due; `null` when nothing waits. What became due since the last
   * decision is due now: it had to wait when that was made, and nobody else would wake the loop for it.
   */
  nextDueMs(): number | null {
    const now = this.#now();
    const due = [this.#retryAtMs, this.#localFullUntilMs, this.#serverFullUntilMs, this.#stalledUntilMs]
      .filter((atMs) => atMs > this.#decidedMs)
      .map((atMs) => Math.max(0, atMs - now));
    return due.length === 0 ? null : Math.min(...due);
  }

  #nextStall(): number {
    this.#stallMs = Math.min(MAX_STALL_MS, Math.max(FIRST_STALL_MS, this.#stallMs * 2));
    return this.#stallMs;
  }

  #now(): number {
    return this.#environment.clock.monotonicMs();
  }
}
