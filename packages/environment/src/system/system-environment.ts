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

/** Asking the system costs about the same for one id as for hundreds, so some bytes are had in advance. */
const POOL_BYTES = 4096;
const pool = new Uint8Array(POOL_BYTES);
let poolUsed = POOL_BYTES;

function randomBytes(count: number): Uint8Array<ArrayBuffer> {
  if (count > POOL_BYTES / 16) return randomFillSync(new Uint8Array(count));
  if (poolUsed + count > POOL_BYTES) {
    randomFillSync(pool);
    poolUsed = 0;
  }
  const bytes = pool.slice(poolUsed, poolUsed + count);
  // What was given out is nowhere else.
  pool.fill(0, poolUsed, poolUsed + count);
  poolUsed += count;
  return bytes;
}

export const systemRandom: Random = {
  bytes: randomBytes,
  fraction: () => Math.random(),
};

/** The real clock, timers and randomness, with the given log. */
export function createSystemEnvironment(log: Log = silentLog): Environment {
  return { clock: systemClock, timers: systemTimers, random: systemRandom, log };
}
