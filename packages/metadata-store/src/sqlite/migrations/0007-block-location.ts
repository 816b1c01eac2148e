/** Where the blocks are, and the move of them that is under way. A program that does not know this must not start. */
export const blockLocationTables = `
CREATE TABLE block_location (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  server_id TEXT NOT NULL CHECK (server_id <> ''),
  place_id TEXT NOT NULL CHECK (place_id <> ''),
  setting TEXT NOT NULL CHECK (setting <> ''),
  previous_id TEXT CHECK (previous_id <> place_id),
  previous_setting TEXT,
  moved_at INTEGER,
  left_blocks INTEGER NOT NULL CHECK (left_blocks >= 0),
  CONSTRAINT previous_place_is_whole CHECK ((previous_id IS NULL) = (previous_setting IS NULL)
    AND (previous_id IS NULL) = (moved_at IS NULL))
) STRICT;
CREATE TABLE block_move (
  one INTEGER PRIMARY KEY CHECK (one = 1) REFERENCES block_location (one),
  target_id TEXT NOT NULL CHECK (target_id <> ''),
  target_setting TEXT NOT NULL CHECK (target_setting <> ''),
  phase TEXT NOT NULL CHECK (phase IN ('copying', 'checking', 'held')),
  is_return INTEGER NOT NULL CHECK (is_return IN (0, 1)),
  leaves_damaged INTEGER NOT NULL CHECK (leaves_damaged IN (0, 1)),
  bytes_per_second INTEGER CHECK (bytes_per_second > 0),
  started_at INTEGER NOT NULL,
  position INTEGER NOT NULL CHECK (position >= 0),
  checked_blocks INTEGER NOT NULL CHECK (checked_blocks >= 0),
  copied_blocks INTEGER NOT NULL CHECK (copied_blocks >= 0),
  copied_bytes INTEGER NOT NULL CHECK (copied_bytes >= 0),
  bad_blocks INTEGER NOT NULL CHECK (bad_blocks >= 0)
) STRICT;
CREATE TRIGGER block_move_goes_elsewhere BEFORE INSERT ON block_move
WHEN EXISTS (SELECT 1 FROM block_location WHERE place_id = new.target_id) BEGIN
  SELECT raise(ABORT, 'a move goes to another place');
END;
`;
