/** How long a space keeps old versions and its trash, where that is not what the server says for all. */
export const retentionTable = `
CREATE TABLE space_retention (
  space_id TEXT PRIMARY KEY REFERENCES spaces (space_id) DEFERRABLE INITIALLY DEFERRED,
  settings TEXT NOT NULL CHECK (json_valid(settings))
) STRICT, WITHOUT ROWID;
`;
