import { existsSync, renameSync, statSync } from 'node:fs';
import type { Log } from '@cairn/environment';
import pino, { type Logger } from 'pino';

const MAX_LOG_BYTES = 8 * 1024 * 1024;

/** A log of JSON lines in a file; a large one from earlier is set aside at the start, one is kept. */
export function openLogFile(path: string, level: string): Log {
  if (existsSync(path) && statSync(path).size > MAX_LOG_BYTES) renameSync(path, `${path}.1`);
  return adapt(
    pino({ level, base: null }, pino.destination({ dest: path, mkdir: true, sync: true, mode: 0o600 })),
  );
}

/** A log on standard error, for a daemon in the foreground with --verbose. */
export function openErrorLog(level: string): Log {
  return adapt(pino({ level, base: null }, pino.destination(2)));
}

function adapt(logger: Logger): Log {
  return {
    debug: (event, fields = {}) => logger.debug(fields, event),
    info: (event, fields = {}) => logger.info(fields, event),
    warn: (event, fields = {}) => logger.warn(fields, event),
    error: (event, fields = {}) => logger.error(fields, event),
    with: (fields) => adapt(logger.child(fields)),
  };
}
