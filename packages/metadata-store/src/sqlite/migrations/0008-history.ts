import { searchName } from '@cairn/model';
import type { Database } from '../sqlite.ts';

/** What the step below calls; only while a database is migrated. */
export function defineMigrationFunctions(database: Database): void {
  database.function('cairn_search_name', { deterministic: true }, (name) => searchName(String(name)));
}

/**
 * Looking for names, and asking the journal about the past. Indices on what the journal's JSON says, rather than
 * columns: reading the journal, which every device does, costs nothing more. The statistics are fixed, as those of the first
 * schema are.
 */
export const historyIndices = `
ALTER TABLE entries ADD COLUMN search_name TEXT NOT NULL DEFAULT '';
UPDATE entries SET search_name = cairn_search_name(name);
CREATE INDEX entries_by_search_name ON entries (space_id, search_name, entry_id) WHERE trash_id = '';

CREATE INDEX journal_by_entry ON journal (space_id, change ->> '$.entryId', sequence);
CREATE INDEX journal_by_parent
  ON journal (space_id, change ->> '$.entry.parentId', change ->> '$.entryId', sequence);
CREATE INDEX journal_by_instant ON journal (space_id, change ->> '$.committedAt', sequence);

CREATE TABLE capacity_samples (
  sampled_at INTEGER PRIMARY KEY,
  used_bytes INTEGER NOT NULL CHECK (used_bytes >= 0),
  capacity_bytes INTEGER CHECK (capacity_bytes >= 0),
  live_bytes INTEGER NOT NULL CHECK (live_bytes >= 0)
) STRICT;

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
  ('entries', 'entries_by_search_name', '1000000 100000 3 1'),
  ('journal', 'journal', '1000000 100000 1'),
  ('journal', 'journal_by_entry', '1000000 100000 3 1'),
  ('journal', 'journal_by_parent', '1000000 100000 30 3 1'),
  ('journal', 'journal_by_instant', '1000000 100000 3 1');
ANALYZE sqlite_schema;
`;
