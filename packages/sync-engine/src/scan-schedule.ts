import type { Clock } from '@cairn/environment';

/** A full scan at least this often: the watcher is only a hint. */
const FULL_SCAN_MS = 15 * 60_000;
/** After lost events, when what was certainly touched has been scanned, everything is within this time. */
const AFTER_LOSS_MS = 30_000;
const FIRST_POLL_MS = 5_000;
const LAST_POLL_MS = 60_000;
/** Polling takes at most this share of the time (1/n). */
const POLL_SHARE = 50;

/** How changes on this disk are noticed. */
export interface WatchState {
  readonly mode: 'events' | 'polling';
  /** Why hints cannot be relied on and what to do about it; `null` when they can. */
  readonly reason: string | null;
  /** How often everything is looked at, in milliseconds. */
  readonly fullScanMs: number;
}

/**
 * When everything is to be looked at. Seldom while hints come; more often where they do not: soon after something
 * changed, less and less while nothing does, and never for more than a small share of the time.
 */
export class ScanSchedule {
  readonly #clock: Clock;
  readonly #longestMs: number;
  #reason: string | null = null;
  #pollMs = FIRST_POLL_MS;
  #scanMs = 0;
  #lastMs: number;
  #dueMs: number | null = null;

  constructor(clock: Clock, longestMs: number = FULL_SCAN_MS) {
    this.#clock = clock;
    this.#longestMs = longestMs;
    this.#lastMs = clock.monotonicMs();
  }

  get watch(): WatchState {
    return {
      mode: this.#reason === null ? 'events' : 'polling',
      reason: this.#reason,
      fullScanMs: this.#intervalMs(),
    };
  }

  watching(reason: string | null): void {
    if (reason !== null && this.#reason === null) this.#pollMs = FIRST_POLL_MS;
    this.#reason = reason;
  }

  /** Events were lost: what is not found by looking where something was touched is found by this scan. */
  lost(): void {
    const dueMs = this.#clock.monotonicMs() + Math.min(AFTER_LOSS_MS, this.#longestMs);
    this.#dueMs = Math.min(this.#dueMs ?? dueMs, dueMs);
  }

  begun(): void {
    this.#lastMs = this.#clock.monotonicMs();
    this.#dueMs = null;
  }

  ended(changed: boolean): void {
    this.#scanMs = this.#clock.monotonicMs() - this.#lastMs;
    this.#pollMs = changed ? FIRST_POLL_MS : Math.min(LAST_POLL_MS, this.#pollMs * 1.5);
  }

  /** Milliseconds until the next full scan, 0 when it is due. */
  dueInMs(): number {
    const now = this.#clock.monotonicMs();
    const dueMs = this.#lastMs + this.#intervalMs();
    return Math.max(0, Math.min(dueMs, this.#dueMs ?? dueMs) - now);
  }

  #intervalMs(): number {
    if (this.#reason === null) return this.#longestMs;
    return Math.min(this.#longestMs, Math.max(this.#pollMs, this.#scanMs * POLL_SHARE));
  }
}
