import type { Timers } from '@cairn/environment';

interface Due {
  readonly atMs: number;
  readonly order: number;
  run: (() => void) | null;
}

/** More steps than this while waiting for one thing: somebody waits for ever, or works for ever. */
const MAX_STEPS = 200_000;

/**
 * Simulated time for everything in one world. Between two moments nothing runs: what a timer wakes up runs until
 * it waits again, and what is held (a server's work, which may take real turns of the event loop) ends, before
 * time moves on. That makes every run of one seed the same.
 */
export class Timeline {
  #nowMs = 0;
  #order = 0;
  #held = 0;
  readonly #heap: Due[] = [];
  /** Called at the end of every moment in which something ran. */
  onMoment: () => void = () => undefined;
  steps = 0;

  get nowMs(): number {
    return this.#nowMs;
  }

  readonly schedule = (durationMs: number, callback: () => void): (() => void) => {
    const due: Due = { atMs: this.#nowMs + Math.max(0, durationMs), order: this.#order++, run: callback };
    this.#push(due);
    return () => {
      due.run = null;
    };
  };

  readonly timers: Timers = {
    schedule: this.schedule,
    sleep: (durationMs, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) {
          reject(signal.reason);
          return;
        }
        const cancel = this.schedule(durationMs, () => {
          signal?.removeEventListener('abort', onAbort);
          resolve();
        });
        function onAbort(): void {
          cancel();
          reject(signal?.reason);
        }
        signal?.addEventListener('abort', onAbort, { once: true });
      }),
  };

  /** Time stands still until the work is done; it must not wait for simulated time itself. */
  async hold<Result>(work: () => Promise<Result>): Promise<Result> {
    this.#held++;
    try {
      return await work();
    } finally {
      this.#held--;
    }
  }

  /** Lets everything that can run now run. */
  async settle(): Promise<void> {
    do await new Promise((resolve) => setImmediate(resolve));
    while (this.#held > 0);
  }

  /** Lets this much time pass. */
  async pass(durationMs: number): Promise<void> {
    const untilMs = this.#nowMs + durationMs;
    await this.settle();
    this.onMoment();
    for (let steps = 0; ; steps++) {
      const next = this.#first();
      if (next === null || next.atMs > untilMs) break;
      if (steps > MAX_STEPS) throw new Error('somebody is busy without end');
      await this.#step(next);
    }
    this.#nowMs = untilMs;
  }

  /** Lets time pass until the promise is settled. */
  async until<Result>(promise: Promise<Result>): Promise<Result> {
    let settled = false;
    const done = (): void => {
      settled = true;
    };
    promise.then(done, done);
    await this.settle();
    for (let steps = 0; !settled; steps++) {
      const next = this.#first();
      if (next === null || steps > MAX_STEPS) throw new Error('something waits for ever');
      await this.#step(next);
    }
    return promise;
  }

  async #step(due: Due): Promise<void> {
    this.#pop();
    this.steps++;
    this.#nowMs = Math.max(this.#nowMs, due.atMs);
    const { run } = due;
    due.run = null;
    run?.();
    await this.settle();
    this.onMoment();
  }

  #first(): Due | null {
    for (;;) {
      const first = this.#heap[0];
      if (first === undefined) return null;
      if (first.run !== null) return first;
      this.#pop();
    }
  }

  #push(due: Due): void {
    const heap = this.#heap;
    let index = heap.length;
    heap.push(due);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = heap[parent] as Due;
      if (isBefore(above, due)) break;
      heap[index] = above;
      index = parent;
    }
    heap[index] = due;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1] as Due, heap[child] as Due)) child++;
      const below = heap[child] as Due;
      if (isBefore(last, below)) break;
      heap[index] = below;
      index = child;
    }
    heap[index] = last;
  }
}

function isBefore(one: Due, other: Due): boolean {
  return one.atMs < other.atMs || (one.atMs === other.atMs && one.order < other.order);
}
