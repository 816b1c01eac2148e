/** The storage nodes of the cluster, and the tokens with which further ones may join. */
export const storageNodeTables = `
CREATE TABLE storage_nodes (
  node_id TEXT PRIMARY KEY CHECK (node_id <> ''),
  address TEXT NOT NULL CHECK (address <> ''),
  zone TEXT NOT NULL,
  weight REAL NOT NULL CHECK (weight > 0),
  state TEXT NOT NULL CHECK (state IN ('active', 'draining')),
  sealed_key BLOB NOT NULL,
  store_uuid TEXT,
  boot_count INTEGER NOT NULL CHECK (boot_count >= 0),
  joined_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE join_tokens (
  token_id TEXT PRIMARY KEY CHECK (token_id <> ''),
  sealed_secret BLOB NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
`;
