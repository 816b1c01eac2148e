import { type Environment, type Log, type Random, silentLog } from '@cairn/environment';
import type { Timeline } from './timeline.ts';

/** Wall clock at the start of every world, milliseconds since 1970. */
export const START_AT = 1_760_000_000_000;

/** A computer's clock may be off, and may jump. */
export interface WallClock {
  offsetMs: number;
}

export interface WorldEnvironment extends Environment {
  readonly wall: WallClock;
}

export function environmentOf(
  timeline: Timeline,
  random: Random,
  { wall = { offsetMs: 0 }, log = silentLog }: { wall?: WallClock; log?: Log } = {},
): WorldEnvironment {
  return {
    wall,
    // Like the system's, the wall clock has whole milliseconds.
    clock: {
      now: () => Math.floor(START_AT + timeline.nowMs + wall.offsetMs),
      monotonicMs: () => timeline.nowMs,
    },
    timers: timeline.timers,
    random,
    log,
  };
}

/** A log whose every event reaches a listener. */
export function listeningLog(
  onEvent: (
    level: 'debug' | 'info' | 'warn' | 'error',
    event: string,
    fields: Readonly<Record<string, unknown>>,
  ) => void,
): Log {
  const log: Log = {
    debug: (event, fields = {}) => onEvent('debug', event, fields),
    info: (event, fields = {}) => onEvent('info', event, fields),
    warn: (event, fields = {}) => onEvent('warn', event, fields),
    error: (event, fields = {}) => onEvent('error', event, fields),
    with: () => log,
  };
  return log;
}
