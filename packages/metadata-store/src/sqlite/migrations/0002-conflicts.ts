/**
 * Conflict copies are marked, and folders may say what happens to conflicts in them. The index holds the marked
 * entries alone, of which there are few.
 */
export const conflictColumns = `
ALTER TABLE entries ADD COLUMN conflict_of TEXT
  CONSTRAINT only_files_and_links_are_conflict_copies
  CHECK (conflict_of IS NULL OR (kind <> 'folder' AND json_valid(conflict_of)));
ALTER TABLE entries ADD COLUMN conflict_policy TEXT
  CONSTRAINT only_folders_have_a_conflict_policy
  CHECK (conflict_policy IS NULL OR (kind = 'folder' AND conflict_policy IN ('keep-both', 'last-write-wins')));
CREATE INDEX entries_in_conflict ON entries (space_id, entry_id) WHERE conflict_of IS NOT NULL;
`;
