import { type Environment, type Log, silentLog } from '@cairn/environment';

/** The browser's clock, timers and randomness, for pages and workers. */
export function createBrowserEnvironment(log: Log = silentLog): Environment {
  return {
    clock: { now: () => Date.now(), monotonicMs: () => performance.now() },
    timers: {
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
    },
    random: {
      bytes: (count) => crypto.getRandomValues(new Uint8Array(count)),
      fraction: () => Math.random(),
    },
    log,
  };
}
