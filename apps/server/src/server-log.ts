import type { Log, LogFields } from '@cairn/environment';
import pino, { type DestinationStream, type Logger } from 'pino';
import type { LogLevel } from './config.ts';

const SECRET_FIELDS = [
  'authorization',
  'password',
  'passwordHash',
  'accessToken',
  'refreshToken',
  'token',
  'secret',
  'setUpCode',
  'cookie',
];

function adapt(logger: Logger): Log {
  const write = (level: 'debug' | 'info' | 'warn' | 'error') => (event: string, fields?: LogFields) =>
    logger[level]({ event, ...fields });
  return {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    with: (fields) => adapt(logger.child(fields)),
  };
}

/** One JSON line an event. Nobody should log secrets; fields with such names are masked nevertheless. */
export function createServerLog(level: LogLevel, destination: DestinationStream = pino.destination(2)): Log {
  return adapt(
    pino(
      {
        level,
        base: null,
        timestamp: pino.stdTimeFunctions.isoTime,
        formatters: { level: (label) => ({ level: label }) },
        redact: {
          paths: SECRET_FIELDS.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]),
          censor: '********',
        },
      },
      destination,
    ),
  );
}
