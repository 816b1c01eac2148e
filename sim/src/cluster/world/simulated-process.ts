import type { Environment, Log, Random, Timers } from '@cairn/environment';
import type { Timeline } from '../../world/timeline.ts';
import { START_AT, type WallClock } from '../../world/world-environment.ts';

/** Something that happens to a process the moment before it does a certain thing. */
interface Ambush {
  readonly point: string;
  left: number;
  readonly spring: () => void;
}

/**
 * One process of one computer. While it stands still (SIGSTOP, a laptop that sleeps, a long collection of garbage)
 * nothing in it goes on: timers and answers wait, and come in their order when it goes on. When it is killed they never come.
 */
export class SimulatedProcess {
  readonly name: string;
  readonly #timeline: Timeline;
  #state: 'running' | 'paused' | 'dead' = 'running';
  #waiting: (() => void)[] = [];
  #ambush: Ambush | null = null;
  /** When it last went on after it had stood still. */
  resumedMs = Number.NEGATIVE_INFINITY;
  readonly #onDeath = new Set<() => void>();

  constructor(name: string, timeline: Timeline) {
    this.name = name;
    this.#timeline = timeline;
  }

  get isDead(): boolean {
    return this.#state === 'dead';
  }

  get isRunning(): boolean {
    return this.#state === 'running';
  }

  /** What reaches the process from outside: now, when it goes on, or never. */
  deliver(act: () => void): void {
    if (this.#state === 'running') act();
    else if (this.#state === 'paused') this.#waiting.push(act);
  }

  pause(): void {
    if (this.#state === 'running') this.#state = 'paused';
  }

  resume(): void {
    if (this.#state !== 'paused') return;
    this.#state = 'running';
    this.resumedMs = this.#timeline.nowMs;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const act of waiting) this.#timeline.schedule(0, () => this.deliver(act));
  }

  kill(): void {
    if (this.#state === 'dead') return;
    this.#state = 'dead';
    this.#waiting = [];
    for (const tell of [...this.#onDeath]) tell();
    this.#onDeath.clear();
  }

  /** Whoever has a connection to the process learns of its end. Returns how to listen no more. */
  onDeath(tell: () => void): () => void {
    this.#onDeath.add(tell);
    return () => this.#onDeath.delete(tell);
  }

  /** Something is to happen right before the process comes to this point for the `count`-th time from now on. */
  ambush(point: string, count: number, spring: () => void): void {
    this.#ambush = { point, left: count, spring };
  }

  disarm(): void {
    this.#ambush = null;
  }

  /** The process is about to do something: what waits for that happens now. */
  meet(point: string): void {
    const ambush = this.#ambush;
    if (ambush?.point !== point || --ambush.left > 0) return;
    this.#ambush = null;
    ambush.spring();
  }

  /** The process is about to do something; it may be stopped before it. */
  async pass(point: string): Promise<void> {
    this.meet(point);
    if (this.#state === 'running') return;
    await new Promise<void>((resolve) => this.deliver(resolve));
  }

  /** Resolves after this time, once the process runs. */
  hop(durationMs: number): Promise<void> {
    return new Promise((resolve) => this.#timeline.schedule(durationMs, () => this.deliver(resolve)));
  }

  /** @param sleptMs how much wall time has gone by while nothing in the world ran */
  environment(random: Random, wall: WallClock, sleptMs: () => number, log: Log): Environment {
    const schedule: Timers['schedule'] = (durationMs, callback) => {
      let isCancelled = false;
      const cancel = this.#timeline.schedule(durationMs, () => {
        this.deliver(() => {
          if (!isCancelled) callback();
        });
      });
      return () => {
        isCancelled = true;
        cancel();
      };
    };
    return {
      clock: {
        now: () => Math.floor(START_AT + this.#timeline.nowMs + sleptMs() + wall.offsetMs),
        monotonicMs: () => this.#timeline.nowMs,
      },
      timers: {
        schedule,
        sleep: (durationMs, signal) =>
          new Promise((resolve, reject) => {
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
          }),
      },
      random,
      log,
    };
  }
}
