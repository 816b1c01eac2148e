/**
 * Garbage collection. What is on its way out stands in tables of its own, which are small: `blocks` has only what
 * can be used, so no other query has to know about collection, and foreign keys keep a block that is in use.
 * - A condemned block has no lease and no reference. Storing it again takes the condemnation back.
 * - A tombstone says that this generation of a block may be deleted at any moment.
 * - An orphan is a block that the block store has and `blocks` had not when it was noted.
 */
export const collectionTables = `
CREATE TABLE block_releases (
  block_number INTEGER PRIMARY KEY REFERENCES blocks (number) DEFERRABLE INITIALLY DEFERRED,
  released_at INTEGER NOT NULL
) STRICT;

CREATE TABLE condemned_blocks (
  block_number INTEGER PRIMARY KEY REFERENCES blocks (number) DEFERRABLE INITIALLY DEFERRED,
  generation INTEGER NOT NULL CHECK (generation >= 0),
  condemned_at INTEGER NOT NULL
) STRICT;
CREATE INDEX condemned_blocks_by_time ON condemned_blocks (condemned_at);
CREATE TRIGGER condemned_blocks_get_no_reference BEFORE INSERT ON block_references
WHEN EXISTS (SELECT 1 FROM condemned_blocks WHERE block_number = NEW.block_number)
BEGIN SELECT RAISE(ABORT, 'cairn condemned_blocks_are_out_of_use: a condemned block has no reference'); END;
CREATE TRIGGER condemned_blocks_get_no_lease BEFORE INSERT ON block_leases
WHEN EXISTS (SELECT 1 FROM condemned_blocks WHERE block_number = NEW.block_number)
BEGIN SELECT RAISE(ABORT, 'cairn condemned_blocks_are_out_of_use: a condemned block has no lease'); END;
CREATE TRIGGER condemned_blocks_have_no_user BEFORE INSERT ON condemned_blocks
WHEN EXISTS (SELECT 1 FROM block_references WHERE block_number = NEW.block_number)
  OR EXISTS (SELECT 1 FROM block_leases WHERE block_number = NEW.block_number)
BEGIN SELECT RAISE(ABORT, 'cairn condemned_blocks_are_out_of_use: a block in use is not condemned'); END;

CREATE TABLE block_tombstones (
  block_id BLOB PRIMARY KEY CHECK (length(block_id) = 33),
  generation INTEGER NOT NULL CHECK (generation >= 0),
  stored_bytes INTEGER NOT NULL CHECK (stored_bytes >= 0),
  deleted_at INTEGER NOT NULL,
  reclaimed_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX block_tombstones_to_reclaim ON block_tombstones (deleted_at) WHERE reclaimed_at IS NULL;
CREATE INDEX block_tombstones_reclaimed ON block_tombstones (reclaimed_at) WHERE reclaimed_at IS NOT NULL;

CREATE TABLE orphan_blocks (
  block_id BLOB PRIMARY KEY CHECK (length(block_id) = 33),
  generation INTEGER NOT NULL CHECK (generation >= 0),
  stored_bytes INTEGER NOT NULL CHECK (stored_bytes >= 0),
  seen_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX orphan_blocks_by_time ON orphan_blocks (seen_at);

CREATE TABLE job_leases (
  name TEXT PRIMARY KEY,
  holder TEXT NOT NULL,
  token INTEGER NOT NULL CHECK (token > 0),
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
`;
