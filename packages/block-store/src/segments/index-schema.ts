import type { Row } from './index-rows.ts';
import type { Database } from './sqlite.ts';

const SCHEMA_VERSION = 2;
const SCHEMA = `
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE segments (
  number INTEGER PRIMARY KEY,
  segment_uuid TEXT NOT NULL UNIQUE,
  durable_bytes INTEGER NOT NULL,
  has_missing INTEGER NOT NULL DEFAULT 0,
  live_records INTEGER NOT NULL DEFAULT 0 CHECK (live_records >= 0),
  live_bytes INTEGER NOT NULL DEFAULT 0 CHECK (live_bytes >= 0),
  deleted_records INTEGER NOT NULL DEFAULT 0 CHECK (deleted_records >= 0),
  last_verified_at INTEGER
) STRICT;
CREATE TABLE blocks (
  block_id BLOB PRIMARY KEY CHECK (length(block_id) = 33),
  generation INTEGER NOT NULL,
  state INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  codec INTEGER NOT NULL,
  plain_bytes INTEGER NOT NULL,
  stored_bytes INTEGER NOT NULL,
  segment INTEGER NOT NULL REFERENCES segments (number),
  offset INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX blocks_by_place ON blocks (segment, offset);
CREATE TABLE damage (
  segment INTEGER NOT NULL,
  offset INTEGER NOT NULL,
  length_bytes INTEGER NOT NULL,
  block_id BLOB,
  reason TEXT NOT NULL,
  PRIMARY KEY (segment, offset)
) STRICT, WITHOUT ROWID;
PRAGMA user_version = ${SCHEMA_VERSION};
`;

/** From a schema version to the next one. */
const MIGRATIONS: Readonly<Record<number, string>> = {
  1: `
ALTER TABLE segments ADD COLUMN deleted_records INTEGER NOT NULL DEFAULT 0 CHECK (deleted_records >= 0);
ALTER TABLE segments ADD COLUMN last_verified_at INTEGER;
CREATE INDEX blocks_by_place ON blocks (segment, offset);
UPDATE segments SET deleted_records =
  (SELECT count(*) FROM blocks WHERE blocks.segment = segments.number AND blocks.state = 1);
PRAGMA user_version = 2;
`,
};

/**
 * Brings the index's file to the schema of this program, each step in a transaction of its own. Throws for the file
 * of a later program, and SQLite's errors.
 */
export function prepareIndexSchema(database: Database, path: string): void {
  for (;;) {
    const version = (database.prepare('PRAGMA user_version').get() as Row)['user_version'] as number;
    if (version === SCHEMA_VERSION) return;
    const step = version === 0 ? SCHEMA : MIGRATIONS[version];
    if (step === undefined) {
      throw new Error(
        `the block index ${path} has schema version ${version}; this program knows ${SCHEMA_VERSION}`,
      );
    }
    database.exec(`BEGIN; ${step} COMMIT`);
  }
}
