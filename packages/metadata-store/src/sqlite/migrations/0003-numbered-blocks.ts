/**
 * Blocks have a number, by which leases and references name them. Ids are spread evenly, so that rows by id are each
 * on a page of their own; numbers given out one after the other are together on a few. An upload of 500 blocks
 * wrote 2,500 pages and writes 500.
 */
export const numberedBlocks = `
CREATE TABLE numbered_blocks (
  number INTEGER PRIMARY KEY,
  block_id BLOB NOT NULL UNIQUE CHECK (length(block_id) = 33),
  kind TEXT NOT NULL CHECK (kind IN ('chunk', 'manifest')),
  plain_bytes INTEGER NOT NULL CHECK (plain_bytes >= 0),
  stored_bytes INTEGER NOT NULL CHECK (stored_bytes >= 0),
  covered_bytes INTEGER NOT NULL CHECK (covered_bytes >= 0),
  depth INTEGER NOT NULL CHECK (depth >= 0),
  parts BLOB,
  created_at INTEGER NOT NULL,
  CONSTRAINT only_manifest_blocks_have_parts CHECK ((kind = 'manifest') = (parts IS NOT NULL)),
  CONSTRAINT only_manifest_blocks_have_depth CHECK ((kind = 'manifest') = (depth > 0)),
  CONSTRAINT chunks_cover_themselves CHECK (kind = 'manifest' OR covered_bytes = plain_bytes),
  -- The id's algorithm byte says the kind, so that nobody can store bytes as one kind under the name of the other.
  CONSTRAINT id_says_the_kind CHECK (substr(block_id, 1, 1) = iif(kind = 'chunk', x'01', x'02'))
) STRICT;
INSERT INTO numbered_blocks
  (block_id, kind, plain_bytes, stored_bytes, covered_bytes, depth, parts, created_at)
  SELECT block_id, kind, plain_bytes, stored_bytes, covered_bytes, depth, parts, created_at FROM blocks
  ORDER BY created_at, block_id;

CREATE TABLE numbered_leases (
  user_id TEXT NOT NULL REFERENCES users (user_id) DEFERRABLE INITIALLY DEFERRED,
  block_number INTEGER NOT NULL REFERENCES numbered_blocks (number) DEFERRABLE INITIALLY DEFERRED,
  expires_at INTEGER NOT NULL,
  PRIMARY KEY (user_id, block_number)
) STRICT, WITHOUT ROWID;
INSERT INTO numbered_leases
  SELECT user_id, number, expires_at FROM block_leases JOIN numbered_blocks USING (block_id);

CREATE TABLE numbered_references (
  space_id TEXT NOT NULL REFERENCES spaces (space_id) DEFERRABLE INITIALLY DEFERRED,
  block_number INTEGER NOT NULL REFERENCES numbered_blocks (number) DEFERRABLE INITIALLY DEFERRED,
  count INTEGER NOT NULL CHECK (count > 0),
  PRIMARY KEY (space_id, block_number)
) STRICT, WITHOUT ROWID;
INSERT INTO numbered_references
  SELECT space_id, number, count FROM block_references JOIN numbered_blocks USING (block_id);

DROP TABLE block_leases;
DROP TABLE block_references;
DROP TABLE blocks;
ALTER TABLE numbered_blocks RENAME TO blocks;
ALTER TABLE numbered_leases RENAME TO block_leases;
ALTER TABLE numbered_references RENAME TO block_references;
CREATE INDEX block_leases_by_block ON block_leases (block_number);
CREATE INDEX block_leases_by_expiry ON block_leases (expires_at);
CREATE INDEX block_references_by_block ON block_references (block_number);
CREATE TRIGGER blocks_never_change
BEFORE UPDATE OF number, block_id, kind, plain_bytes, covered_bytes, depth, parts ON blocks
BEGIN SELECT RAISE(ABORT, 'cairn blocks_never_change: a block never changes'); END;
`;
