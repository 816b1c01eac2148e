/**
 * Everything outside the program that is not a port of its own: time, timers, randomness and the log. Code
 * below the apps gets these from its caller, so that a seed can replay any history. The architecture check
 * refuses the global equivalents elsewhere.
 */
export interface Clock {
  /** Wall-clock milliseconds since 1970. May jump. */
  now(): number;
  /** Milliseconds that never go backwards; only differences mean something. */
  monotonicMs(): number;
}

export interface Timers {
  /** Resolves after `durationMs`; rejects with the signal's reason when aborted first. */
  sleep(durationMs: number, signal?: AbortSignal): Promise<void>;
  /** Runs `callback` once after `durationMs`; returns a function that cancels it. */
  schedule(durationMs: number, callback: () => void): () => void;
}

export interface Random {
  /** `count` random bytes; of cryptographic quality in the system's implementation. */
  bytes(count: number): Uint8Array;
  /** A number in [0, 1), for jitter and choices that are no secret. */
  fraction(): number;
}

export type LogFields = Readonly<Record<string, unknown>>;

/** One event a line: a stable dotted name and fields. Never secrets, tokens or file contents. */
export interface Log {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
  /** A log that adds `fields` to every line. */
  with(fields: LogFields): Log;
}

export interface Environment {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly log: Log;
}
