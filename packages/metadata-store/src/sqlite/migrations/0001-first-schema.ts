/**
 * Rules that a reader of the tables can rely on:
 * - `trash_id` is '' for a live entry, so that composite foreign keys always compare it (NULL would switch them
 *   off). The foreign key of an entry to its parent carries it, and `parent_kind`: a live entry has a live
 *   folder as parent, what is trashed has its parent in the same trash item.
 * - `parent_kind` and `trash_item` are columns with a check, not generated ones: with generated columns in a key the
 *   planner's look-ups of foreign keys were slower.
 * - Checks, uniqueness rules and triggers have names and references are checked at the commit, so that a refusal can
 *   say which rule it is about (`InvalidStateError`).
 * - `vacated` points into a table that is always empty: a placeholder name can exist inside a transaction only.
 * - `journal_tails` is written by triggers alone and must equal the space's head when a transaction commits.
 */
export const firstSchema = `
CREATE TABLE server_values (
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE users (
  user_id TEXT PRIMARY KEY CHECK (user_id <> ''),
  username TEXT NOT NULL CHECK (username <> ''),
  folded_username TEXT NOT NULL UNIQUE,
  password_hash TEXT NOT NULL,
  role TEXT NOT NULL CHECK (role IN ('administrator', 'member')),
  personal_space_id TEXT NOT NULL UNIQUE,
  created_at INTEGER NOT NULL,
  FOREIGN KEY (personal_space_id, user_id) REFERENCES spaces (space_id, owner_id)
    DEFERRABLE INITIALLY DEFERRED
) STRICT, WITHOUT ROWID;

CREATE TABLE devices (
  device_id TEXT PRIMARY KEY CHECK (device_id <> ''),
  user_id TEXT NOT NULL REFERENCES users (user_id) DEFERRABLE INITIALLY DEFERRED,
  name TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  last_seen_at INTEGER NOT NULL,
  revoked_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX devices_by_user ON devices (user_id);

CREATE TABLE refresh_tokens (
  token_hash TEXT PRIMARY KEY,
  device_id TEXT NOT NULL REFERENCES devices (device_id) DEFERRABLE INITIALLY DEFERRED,
  state TEXT NOT NULL CHECK (state IN ('current', 'previous', 'dead')),
  issued_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX refresh_tokens_by_device ON refresh_tokens (device_id);
CREATE INDEX refresh_tokens_by_expiry ON refresh_tokens (expires_at);

CREATE TABLE spaces (
  space_id TEXT PRIMARY KEY CHECK (space_id <> ''),
  kind TEXT NOT NULL CHECK (kind IN ('personal')),
  owner_id TEXT NOT NULL REFERENCES users (user_id) DEFERRABLE INITIALLY DEFERRED,
  root_id TEXT NOT NULL,
  root_kind TEXT NOT NULL GENERATED ALWAYS AS ('folder') STORED,
  root_trash_id TEXT NOT NULL GENERATED ALWAYS AS ('') STORED,
  sequence INTEGER NOT NULL CHECK (sequence >= 0),
  journal_hash TEXT NOT NULL,
  genesis_hash TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  UNIQUE (space_id, owner_id),
  UNIQUE (space_id, sequence, journal_hash),
  FOREIGN KEY (space_id, root_id, root_trash_id, root_kind)
    REFERENCES entries (space_id, entry_id, trash_id, kind) DEFERRABLE INITIALLY DEFERRED
) STRICT, WITHOUT ROWID;
CREATE INDEX spaces_by_owner ON spaces (owner_id);

CREATE TABLE members (
  user_id TEXT NOT NULL REFERENCES users (user_id) DEFERRABLE INITIALLY DEFERRED,
  space_id TEXT NOT NULL REFERENCES spaces (space_id) DEFERRABLE INITIALLY DEFERRED,
  role TEXT NOT NULL CHECK (role IN ('owner', 'editor', 'viewer')),
  PRIMARY KEY (user_id, space_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX members_by_space ON members (space_id);
CREATE UNIQUE INDEX one_owner_per_space ON members (space_id) WHERE role = 'owner';

CREATE TABLE never (id INTEGER PRIMARY KEY CHECK (id IS NULL)) STRICT;

CREATE TABLE entries (
  space_id TEXT NOT NULL REFERENCES spaces (space_id) DEFERRABLE INITIALLY DEFERRED,
  entry_id TEXT NOT NULL CHECK (entry_id <> ''),
  parent_id TEXT CONSTRAINT entry_is_not_its_own_parent CHECK (parent_id <> entry_id),
  parent_kind TEXT NOT NULL DEFAULT 'folder' CHECK (parent_kind = 'folder'),
  name TEXT NOT NULL,
  folded_name TEXT NOT NULL,
  vacated INTEGER REFERENCES never (id) DEFERRABLE INITIALLY DEFERRED,
  kind TEXT NOT NULL CHECK (kind IN ('folder', 'file', 'link')),
  sequence INTEGER NOT NULL CHECK (sequence >= 0),
  version_id TEXT,
  executable INTEGER NOT NULL CHECK (executable IN (0, 1)),
  modified_at_us INTEGER NOT NULL,
  trash_id TEXT NOT NULL,
  trash_item TEXT CONSTRAINT trash_item_follows_trash_id CHECK (trash_item IS nullif(trash_id, '')),
  PRIMARY KEY (space_id, entry_id),
  UNIQUE (space_id, entry_id, trash_id, kind),
  CONSTRAINT all_but_folders_have_a_version CHECK ((kind = 'folder') = (version_id IS NULL)),
  CONSTRAINT only_files_are_executable CHECK (executable = 0 OR kind = 'file'),
  CONSTRAINT name_has_no_separator CHECK (instr(name, '/') = 0),
  -- Only a live root has no name; it is a folder.
  CONSTRAINT only_the_root_has_no_name CHECK ((name = '') = (parent_id IS NULL AND trash_id = '')),
  CONSTRAINT the_root_is_a_folder CHECK (name <> '' OR kind = 'folder'),
  -- The top of a trash item has no parent; everything else in it has one.
  CONSTRAINT only_the_top_of_an_item_has_no_parent CHECK (trash_id = '' OR (trash_id = entry_id) = (parent_id IS NULL)),
  FOREIGN KEY (space_id, parent_id, trash_id, parent_kind)
    REFERENCES entries (space_id, entry_id, trash_id, kind) DEFERRABLE INITIALLY DEFERRED,
  FOREIGN KEY (space_id, version_id, entry_id, kind)
    REFERENCES versions (space_id, version_id, entry_id, kind) DEFERRABLE INITIALLY DEFERRED,
  FOREIGN KEY (space_id, trash_item) REFERENCES trash (space_id, entry_id) DEFERRABLE INITIALLY DEFERRED
) STRICT, WITHOUT ROWID;
-- The constant parent_kind at the end makes the index cover the foreign key's lookups.
CREATE UNIQUE INDEX one_name_per_sibling ON entries (space_id, parent_id, trash_id, folded_name, parent_kind);
CREATE UNIQUE INDEX one_root_per_space ON entries (space_id) WHERE parent_id IS NULL AND trash_id = '';
CREATE INDEX entries_by_trash ON entries (space_id, trash_item);

CREATE TRIGGER entries_have_no_cycle_on_insert AFTER INSERT ON entries
WHEN NEW.parent_id IS NOT NULL
  AND EXISTS (SELECT 1 FROM entries WHERE space_id = NEW.space_id AND parent_id = NEW.entry_id)
BEGIN
  SELECT RAISE(ABORT, 'cairn entries_have_no_cycle: an entry would be inside itself')
  WHERE EXISTS (
    WITH RECURSIVE ancestors (entry_id) AS (
      SELECT NEW.parent_id
      UNION
      SELECT entries.parent_id FROM entries JOIN ancestors USING (entry_id)
      WHERE entries.space_id = NEW.space_id AND entries.parent_id IS NOT NULL
    )
    SELECT 1 FROM ancestors WHERE entry_id = NEW.entry_id
  );
END;
CREATE TRIGGER entries_have_no_cycle_on_update AFTER UPDATE OF parent_id ON entries
WHEN NEW.kind = 'folder' AND NEW.parent_id IS NOT NULL AND NEW.parent_id IS NOT OLD.parent_id
BEGIN
  SELECT RAISE(ABORT, 'cairn entries_have_no_cycle: an entry would be inside itself')
  WHERE EXISTS (
    WITH RECURSIVE ancestors (entry_id) AS (
      SELECT NEW.parent_id
      UNION
      SELECT entries.parent_id FROM entries JOIN ancestors USING (entry_id)
      WHERE entries.space_id = NEW.space_id AND entries.parent_id IS NOT NULL
    )
    SELECT 1 FROM ancestors WHERE entry_id = NEW.entry_id
  );
END;
CREATE TRIGGER entries_keep_identity BEFORE UPDATE ON entries
WHEN NEW.kind <> OLD.kind OR NEW.space_id <> OLD.space_id OR NEW.entry_id <> OLD.entry_id
BEGIN SELECT RAISE(ABORT, 'cairn entries_keep_identity: an entry keeps its kind, its id and its space'); END;
CREATE TRIGGER entries_keep_root BEFORE UPDATE ON entries
WHEN OLD.parent_id IS NULL AND OLD.trash_id = '' AND (NEW.parent_id IS NOT NULL OR NEW.trash_id <> '')
BEGIN SELECT RAISE(ABORT, 'cairn entries_keep_root: the root of a space stays where it is'); END;
CREATE TRIGGER entries_go_forward BEFORE UPDATE OF sequence ON entries
WHEN NEW.sequence < OLD.sequence
BEGIN SELECT RAISE(ABORT, 'cairn entries_go_forward: an entry''s sequence never goes back'); END;

CREATE TABLE trash (
  space_id TEXT NOT NULL,
  entry_id TEXT NOT NULL,
  trash_id TEXT NOT NULL GENERATED ALWAYS AS (entry_id) VIRTUAL,
  kind TEXT NOT NULL,
  parent_id TEXT NOT NULL,
  name TEXT NOT NULL,
  path TEXT NOT NULL,
  trashed_at INTEGER NOT NULL,
  device_id TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  PRIMARY KEY (space_id, entry_id),
  FOREIGN KEY (space_id, entry_id, trash_id, kind)
    REFERENCES entries (space_id, entry_id, trash_id, kind) DEFERRABLE INITIALLY DEFERRED
) STRICT, WITHOUT ROWID;
CREATE INDEX trash_by_sequence ON trash (space_id, sequence);

CREATE TABLE versions (
  space_id TEXT NOT NULL,
  version_id TEXT NOT NULL CHECK (version_id <> ''),
  entry_id TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('file', 'link')),
  size_bytes INTEGER NOT NULL CHECK (size_bytes >= 0),
  content BLOB,
  target TEXT,
  executable INTEGER NOT NULL CHECK (executable IN (0, 1)),
  modified_at_us INTEGER NOT NULL,
  device_id TEXT NOT NULL,
  committed_at INTEGER NOT NULL,
  PRIMARY KEY (space_id, version_id),
  UNIQUE (space_id, version_id, entry_id, kind),
  CONSTRAINT files_have_content CHECK ((kind = 'file') = (content IS NOT NULL)),
  CONSTRAINT links_have_a_target CHECK ((kind = 'link') = (target IS NOT NULL)),
  CONSTRAINT only_file_versions_are_executable CHECK (executable = 0 OR kind = 'file'),
  FOREIGN KEY (space_id, entry_id) REFERENCES entries (space_id, entry_id) DEFERRABLE INITIALLY DEFERRED
) STRICT, WITHOUT ROWID;
CREATE INDEX versions_by_entry ON versions (space_id, entry_id, sequence);
CREATE TRIGGER versions_never_change BEFORE UPDATE ON versions
BEGIN SELECT RAISE(ABORT, 'cairn versions_never_change: a version never changes'); END;

CREATE TABLE journal (
  space_id TEXT NOT NULL REFERENCES spaces (space_id) DEFERRABLE INITIALLY DEFERRED,
  sequence INTEGER NOT NULL CHECK (sequence > 0),
  hash TEXT NOT NULL,
  change TEXT NOT NULL CHECK (json_valid(change)),
  content BLOB,
  PRIMARY KEY (space_id, sequence)
) STRICT, WITHOUT ROWID;
CREATE TABLE journal_tails (
  space_id TEXT PRIMARY KEY,
  sequence INTEGER NOT NULL,
  hash TEXT NOT NULL,
  FOREIGN KEY (space_id, sequence, hash) REFERENCES spaces (space_id, sequence, journal_hash)
    DEFERRABLE INITIALLY DEFERRED
) STRICT, WITHOUT ROWID;
CREATE TRIGGER spaces_start_at_zero BEFORE INSERT ON spaces
WHEN NEW.sequence <> 0 OR NEW.genesis_hash <> NEW.journal_hash
BEGIN SELECT RAISE(ABORT, 'cairn spaces_start_at_zero: a space starts at sequence 0 with its genesis hash'); END;
CREATE TRIGGER spaces_have_a_tail AFTER INSERT ON spaces
BEGIN INSERT INTO journal_tails VALUES (NEW.space_id, NEW.sequence, NEW.journal_hash); END;
CREATE TRIGGER spaces_keep_identity BEFORE UPDATE ON spaces
WHEN NEW.space_id <> OLD.space_id OR NEW.root_id <> OLD.root_id OR NEW.genesis_hash <> OLD.genesis_hash
BEGIN SELECT RAISE(ABORT, 'cairn spaces_keep_identity: a space keeps its id, its root and its genesis hash'); END;
CREATE TRIGGER spaces_go_forward BEFORE UPDATE OF sequence ON spaces
WHEN NEW.sequence < OLD.sequence
BEGIN SELECT RAISE(ABORT, 'cairn spaces_go_forward: a space''s sequence never goes back'); END;
CREATE TRIGGER journal_has_no_gap BEFORE INSERT ON journal
WHEN NEW.sequence IS NOT (SELECT sequence + 1 FROM journal_tails WHERE space_id = NEW.space_id)
BEGIN SELECT RAISE(ABORT, 'cairn journal_has_no_gap: a journal has no gaps'); END;
CREATE TRIGGER journal_moves_its_tail AFTER INSERT ON journal
BEGIN UPDATE journal_tails SET sequence = NEW.sequence, hash = NEW.hash WHERE space_id = NEW.space_id; END;
CREATE TRIGGER journal_never_changes BEFORE UPDATE ON journal
BEGIN SELECT RAISE(ABORT, 'cairn journal_never_changes: a journal row never changes'); END;
CREATE TRIGGER journal_never_shrinks BEFORE DELETE ON journal
BEGIN SELECT RAISE(ABORT, 'cairn journal_never_shrinks: a journal row is never deleted'); END;

CREATE TABLE changesets (
  space_id TEXT NOT NULL REFERENCES spaces (space_id) DEFERRABLE INITIALLY DEFERRED,
  changeset_id TEXT NOT NULL,
  request_hash TEXT NOT NULL,
  result TEXT NOT NULL CHECK (json_valid(result)),
  committed_at INTEGER NOT NULL,
  PRIMARY KEY (space_id, changeset_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE blocks (
  block_id BLOB PRIMARY KEY CHECK (length(block_id) = 33),
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
) STRICT, WITHOUT ROWID;
CREATE TRIGGER blocks_never_change BEFORE UPDATE OF block_id, kind, plain_bytes, covered_bytes, depth, parts ON blocks
BEGIN SELECT RAISE(ABORT, 'cairn blocks_never_change: a block never changes'); END;

CREATE TABLE block_leases (
  user_id TEXT NOT NULL REFERENCES users (user_id) DEFERRABLE INITIALLY DEFERRED,
  block_id BLOB NOT NULL REFERENCES blocks (block_id) DEFERRABLE INITIALLY DEFERRED,
  expires_at INTEGER NOT NULL,
  PRIMARY KEY (user_id, block_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX block_leases_by_block ON block_leases (block_id);
CREATE INDEX block_leases_by_expiry ON block_leases (expires_at);

CREATE TABLE block_references (
  space_id TEXT NOT NULL REFERENCES spaces (space_id) DEFERRABLE INITIALLY DEFERRED,
  block_id BLOB NOT NULL REFERENCES blocks (block_id) DEFERRABLE INITIALLY DEFERRED,
  count INTEGER NOT NULL CHECK (count > 0),
  PRIMARY KEY (space_id, block_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX block_references_by_block ON block_references (block_id);

CREATE TABLE uploads (
  upload_id TEXT PRIMARY KEY,
  user_id TEXT NOT NULL REFERENCES users (user_id),
  space_id TEXT NOT NULL REFERENCES spaces (space_id),
  path TEXT NOT NULL,
  size_bytes INTEGER NOT NULL CHECK (size_bytes >= 0),
  part_bytes INTEGER NOT NULL CHECK (part_bytes > 0),
  sha256 TEXT,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX uploads_by_expiry ON uploads (expires_at);

CREATE TABLE upload_parts (
  upload_id TEXT NOT NULL REFERENCES uploads (upload_id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
  part_number INTEGER NOT NULL CHECK (part_number >= 0),
  parts BLOB NOT NULL,
  PRIMARY KEY (upload_id, part_number)
) STRICT, WITHOUT ROWID;

-- Fixed statistics: without them the planner takes a space for small and walks the whole of it for each lookup
-- of a foreign key. They say that a space has many entries, a folder and a trash item few.
ANALYZE sqlite_schema;
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
  ('entries', 'entries', '1000000 100000 1'),
  ('entries', 'sqlite_autoindex_entries_2', '1000000 100000 1 1 1'),
  ('entries', 'one_name_per_sibling', '1000000 100000 20 20 1 1'),
  ('entries', 'entries_by_trash', '1000000 100000 50'),
  ('entries', 'one_root_per_space', '10 1'),
  ('versions', 'versions', '1000000 100000 1'),
  ('versions', 'sqlite_autoindex_versions_2', '1000000 100000 1 1 1'),
  ('versions', 'versions_by_entry', '1000000 100000 3 1');
ANALYZE sqlite_schema;
`;
