import { randomFillSync } from 'node:crypto';
import type { Clock, Environment, Log, Random, Timers } from '../environment.ts';
import { silentLog } from '../silent-log.ts';

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
};

export const systemTimers: Timers = {
  sleep(durationMs, signal) {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason);
        return;
      }
      const timer = setTimeout(() => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      }, durationMs);
      function onAbort(): void {
        clearTimeout(timer);
        reject(signal?.reason);
      }
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  },
  schedule(durationMs, callback) {
    const timer = setTimeout(callback, durationMs);
    return () => clearTimeout(timer);
  },
};

export const systemRandom: Random = {
  bytes: (count) => randomFillSync(new Uint8Array(count)),
  fraction: () => Math.random(),
};

/** The real clock, timers and randomness, with the given log. */
export function createSystemEnvironment(log: Log = silentLog): Environment {
  return { clock: systemClock, timers: systemTimers, random: systemRandom, log };
}
