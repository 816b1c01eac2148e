import type { Log } from './environment.ts';

/** Drops every line: for tests and for commands that print their own words. */
export const silentLog: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  with: () => silentLog,
};
