import type { Clock } from '@cairn/environment';
import type { TreeStore } from '@cairn/tree-store';

/** How long removals count against the brake. */
const WINDOW_MS = 60_000;

export type Direction = 'up' | 'down';

/**
 * Removals of the last minute. A large delete reaches the engine in pieces, each too small for the brake; counted
 * together they are not.
 */
export class RemovalWindow {
  readonly #clock: Clock;
  #removals: { readonly atMs: number; readonly direction: Direction; readonly count: number }[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  note(direction: Direction, count: number): void {
    this.#removals.push({ atMs: this.#clock.monotonicMs(), direction, count });
  }

  /** The user has confirmed: what is gone no longer counts. */
  forget(direction: Direction): void {
    this.#removals = this.#removals.filter((each) => each.direction !== direction);
  }

  recent(): { readonly up: number; readonly down: number } {
    const since = this.#clock.monotonicMs() - WINDOW_MS;
    if (this.#removals.some(({ atMs }) => atMs < since))
      this.#removals = this.#removals.filter(({ atMs }) => atMs >= since);
    const sum = { up: 0, down: 0 };
    for (const { direction, count } of this.#removals) sum[direction] += count;
    return sum;
  }
}

/** Forgets that what is gone on one side was agreed on: it is then new on the other side, and comes back. */
export function takeBackDeletes(trees: TreeStore, direction: Direction): void {
  for (const { entryId } of [...trees.synced.values()]) {
    const there = direction === 'up' ? trees.local.get(entryId) : trees.remote.get(entryId);
    if (there === undefined) trees.synced.delete(entryId);
  }
}
