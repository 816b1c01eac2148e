/** The only place that names node:sqlite, whose classes are about to be renamed. */
export { DatabaseSync as Database, type StatementSync as Statement } from 'node:sqlite';

const FULL = 13;
const BUSY = 5;
const CORRUPT = 11;
const NOT_A_DATABASE = 26;

function primaryCode(error: unknown): number | null {
  const code = (error as { errcode?: unknown } | null)?.errcode;
  return typeof code === 'number' ? code & 0xff : null;
}

export function isDatabaseFull(error: unknown): boolean {
  return primaryCode(error) === FULL;
}

export function isDatabaseBusy(error: unknown): boolean {
  return primaryCode(error) === BUSY;
}

export function isDatabaseDamaged(error: unknown): boolean {
  const code = primaryCode(error);
  return code === CORRUPT || code === NOT_A_DATABASE;
}
