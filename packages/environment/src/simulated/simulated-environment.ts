import type { Environment, Log } from '../environment.ts';
import { silentLog } from '../silent-log.ts';

/** An environment whose time moves only when told and whose randomness comes from a seed. */
export interface SimulatedEnvironment extends Environment {
  /** Moves time forward, running due timers in order of their time, then of their creation. */
  advance(durationMs: number): Promise<void>;
  /** Milliseconds until the next timer, or `null` when none is waiting. */
  untilNextTimerMs(): number | null;
}

export interface SimulationOptions {
  readonly seed: number;
  /** Wall clock at the start, milliseconds since 1970. */
  readonly startAt?: number;
  readonly log?: Log;
}

interface PendingTimer {
  readonly dueMs: number;
  readonly order: number;
  readonly run: () => void;
}

/**
 * A seeded generator of 32-bit integers (mulberry32, public domain, by Tommy Ettinger): small, fast, and good
 * enough to choose among test cases; no secret may depend on it.
 */
export function createSeededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
}

export function createSimulatedEnvironment(options: SimulationOptions): SimulatedEnvironment {
  const next = createSeededRandom(options.seed);
  const startAt = options.startAt ?? 1_700_000_000_000;
  let elapsedMs = 0;
  let created = 0;
  const pending = new Set<PendingTimer>();

  function firstPending(): PendingTimer | null {
    let first: PendingTimer | null = null;
    for (const timer of pending) {
      if (
        first === null ||
        timer.dueMs < first.dueMs ||
        (timer.dueMs === first.dueMs && timer.order < first.order)
      ) {
        first = timer;
      }
    }
    return first;
  }

  function schedule(durationMs: number, callback: () => void): () => void {
    const timer: PendingTimer = {
      dueMs: elapsedMs + Math.max(0, durationMs),
      order: created++,
      run: callback,
    };
    pending.add(timer);
    return () => pending.delete(timer);
  }

  return {
    clock: { now: () => startAt + elapsedMs, monotonicMs: () => elapsedMs },
    timers: {
      schedule,
      sleep(durationMs, signal) {
        return new Promise((resolve, reject) => {
          if (signal?.aborted) {
            reject(signal.reason);
            return;
          }
          const cancel = schedule(durationMs, () => {
            signal?.removeEventListener('abort', onAbort);
            resolve();
          });
          function onAbort(): void {
            cancel();
            reject(signal?.reason);
          }
          signal?.addEventListener('abort', onAbort, { once: true });
        });
      },
    },
    random: {
      bytes(count) {
        const bytes = new Uint8Array(count);
        for (let index = 0; index < count; index++) bytes[index] = next() & 0xff;
        return bytes;
      },
      fraction: () => next() / 0x1_0000_0000,
    },
    log: options.log ?? silentLog,
    async advance(durationMs) {
      const untilMs = elapsedMs + durationMs;
      for (;;) {
        const timer = firstPending();
        if (timer === null || timer.dueMs > untilMs) break;
        pending.delete(timer);
        elapsedMs = timer.dueMs;
        timer.run();
        // Let what the timer woke run up to its next wait before time moves on.
        await new Promise((resolve) => setImmediate(resolve));
      }
      elapsedMs = untilMs;
    },
    untilNextTimerMs() {
      const timer = firstPending();
      return timer === null ? null : Math.max(0, timer.dueMs - elapsedMs);
    },
  };
}
