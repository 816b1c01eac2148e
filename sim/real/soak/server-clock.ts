import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 5;
const PATIENCE_MS = 120_000;

/** The calendar of a server that was started with `shifted-clock.ts`. */
export interface ServerClock {
  readonly path: string;
  /** Milliseconds since 1970, as the server sees them. */
  now(): number;
  /** Resolves when the server has it, or is not running and will have it at its start. */
  jump(durationMs: number, isRunning: () => boolean): Promise<void>;
}

export function createServerClock(path: string): ServerClock {
  let offsetMs = 0;
  const write = () => {
    writeFileSync(`${path}.new`, String(offsetMs));
    renameSync(`${path}.new`, path);
  };
  write();

  function wasSeen(): boolean {
    try {
      return Number(readFileSync(`${path}.seen`, 'utf8')) === offsetMs;
    } catch {
      return false;
    }
  }

  return {
    path,
    now: () => Date.now() + offsetMs,
    async jump(durationMs, isRunning) {
      offsetMs += durationMs;
      write();
      const deadline = performance.now() + PATIENCE_MS;
      while (isRunning() && !wasSeen()) {
        if (performance.now() > deadline) throw new Error('the server does not take over its new time');
        await sleep(POLL_MS);
      }
    },
  };
}
