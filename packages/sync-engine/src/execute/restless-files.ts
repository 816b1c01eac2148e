import type { Clock } from '@cairn/environment';
import type { EntryId } from '@cairn/model';

/** A file that could not be read in one piece for this long is read as far as it was at one moment. */
const MAX_DELAY_MS = 2_000;
const FIRST_WAIT_MS = 50;
const LAST_WAIT_MS = 1_000;
/** A snapshot that is not on the server by then is not worth more than the next one. */
const HOLD_MS = 10_000;

interface Restless {
  readonly sinceMs: number;
  readonly attempts: number;
  readonly nextMs: number;
  readonly heldUntilMs: number;
}

/** Files that change faster than they can be read, and how each is dealt with so that it keeps nothing waiting. */
export class RestlessFiles {
  readonly #clock: Clock;
  readonly #files = new Map<EntryId, Restless>();
  /** Left waiting by a plan: due once more, also where that came before the engine rests. */
  readonly #left = new Set<EntryId>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** It changed while it was read. */
  changed(entryId: EntryId): void {
    const now = this.#clock.monotonicMs();
    const before = this.#files.get(entryId);
    const attempts = (before?.attempts ?? 0) + 1;
    const waitMs = Math.min(LAST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(attempts - 1, 10));
    const { sinceMs = now, heldUntilMs = 0 } = before ?? {};
    this.#files.set(entryId, { sinceMs, attempts, nextMs: now + waitMs, heldUntilMs });
  }

  /** Whether it changed while it was read lately. */
  isRestless(entryId: EntryId): boolean {
    return this.#files.has(entryId);
  }

  rested(entryId: EntryId): void {
    this.#files.delete(entryId);
  }

  /** What was read of it counts until the server has it, however it changes meanwhile. */
  hold(entryId: EntryId): void {
    const now = this.#clock.monotonicMs();
    this.#files.set(entryId, { sinceMs: now, attempts: 0, nextMs: now, heldUntilMs: now + HOLD_MS });
  }

  isHeld(entry: { readonly entryId: EntryId }): boolean {
    // A scan asks about every file: to make its id, or to ask the clock, costs more than all the rest of the answer.
    const file = this.#files.size === 0 ? undefined : this.#files.get(entry.entryId);
    return file !== undefined && file.heldUntilMs > this.#clock.monotonicMs();
  }

  isWaiting(entryId: EntryId): boolean {
    const waits = (this.#files.get(entryId)?.nextMs ?? 0) > this.#clock.monotonicMs();
    if (waits) this.#left.add(entryId);
    else this.#left.delete(entryId);
    return waits;
  }

  needsSnapshot(entryId: EntryId): boolean {
    const file = this.#files.get(entryId);
    return (
      file !== undefined && file.attempts > 2 && this.#clock.monotonicMs() - file.sinceMs >= MAX_DELAY_MS
    );
  }

  /** Milliseconds until one that waits is due; `null` when none waits. */
  nextDueMs(): number | null {
    const now = this.#clock.monotonicMs();
    let next: number | null = null;
    for (const [entryId, { nextMs }] of this.#files) {
      const isOverdue = nextMs <= now && this.#left.delete(entryId);
      if (!isOverdue && nextMs <= now) continue;
      const dueMs = Math.max(0, nextMs - now);
      if (next === null || dueMs < next) next = dueMs;
    }
    return next;
  }
}
