/**
 * The only module of this package that imports `node:sqlite`: its classes are being renamed (DEP0210, DEP0211),
 * and a drop-in replacement would change this file alone.
 */
import { DatabaseSync, type SQLInputValue, type SQLOutputValue, type StatementSync } from 'node:sqlite';

export type Database = DatabaseSync;
export type Statement = StatementSync;
export type SqlValue = SQLInputValue;
export type Row = Record<string, SQLOutputValue>;

export interface OpenDatabaseOptions {
  readonly readOnly: boolean;
  /** How long a statement waits for another process's lock. */
  readonly busyTimeoutMs: number;
}

/** Opens a database file. Foreign keys are enforced and double-quoted text is no string. */
export function openDatabase(path: string, options: OpenDatabaseOptions): Database {
  return new DatabaseSync(path, {
    readOnly: options.readOnly,
    timeout: options.busyTimeoutMs,
    enableForeignKeyConstraints: true,
    enableDoubleQuotedStringLiterals: false,
    allowExtension: false,
  });
}
