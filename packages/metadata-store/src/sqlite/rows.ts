import type { ConflictMark, JournalChange } from '@cairn/model';
import type { TombstoneRecord } from '../collection-port.ts';
import type {
  BlockRecord,
  DeviceRecord,
  EntryRecord,
  JournalRecord,
  RefreshTokenRecord,
  SpaceRecord,
  TrashRecord,
  UploadPartRecord,
  UploadRecord,
  UserRecord,
  VersionRecord,
} from '../records.ts';
import { bytesToId, decodeContent, decodeParts, encodeContent } from './content-codec.ts';
import type { Row } from './sqlite.ts';

/**
 * Rows become records here and nowhere else. The schema's types and checks (STRICT tables) have decided what a
 * column can hold, so the columns are taken at their word.
 */
function column<Value>(row: Row, name: string): Value {
  return row[name] as Value;
}

function bytesOrNull(row: Row, name: string): Uint8Array | null {
  return column<Uint8Array | null>(row, name);
}

export function toUser(row: Row): UserRecord {
  return {
    userId: column(row, 'user_id'),
    username: column(row, 'username'),
    foldedUsername: column(row, 'folded_username'),
    passwordHash: column(row, 'password_hash'),
    role: column(row, 'role'),
    personalSpaceId: column(row, 'personal_space_id'),
    createdAt: column(row, 'created_at'),
  };
}

export function toDevice(row: Row): DeviceRecord {
  return {
    deviceId: column(row, 'device_id'),
    userId: column(row, 'user_id'),
    name: column(row, 'name'),
    createdAt: column(row, 'created_at'),
    lastSeenAt: column(row, 'last_seen_at'),
    revokedAt: column(row, 'revoked_at'),
  };
}

export function toRefreshToken(row: Row): RefreshTokenRecord {
  return {
    tokenHash: column(row, 'token_hash'),
    deviceId: column(row, 'device_id'),
    state: column(row, 'state'),
    issuedAt: column(row, 'issued_at'),
    expiresAt: column(row, 'expires_at'),
  };
}

export function toSpace(row: Row): SpaceRecord {
  return {
    spaceId: column(row, 'space_id'),
    kind: column(row, 'kind'),
    ownerId: column(row, 'owner_id'),
    rootId: column(row, 'root_id'),
    sequence: column(row, 'sequence'),
    journalHash: column(row, 'journal_hash'),
    createdAt: column(row, 'created_at'),
  };
}

export function toEntry(row: Row): EntryRecord {
  const conflictOf = column<string | null>(row, 'conflict_of');
  const conflictPolicy = column<EntryRecord['conflictPolicy'] | null>(row, 'conflict_policy');
  return {
    spaceId: column(row, 'space_id'),
    entryId: column(row, 'entry_id'),
    parentId: column(row, 'parent_id'),
    name: column(row, 'name'),
    kind: column(row, 'kind'),
    sequence: column(row, 'sequence'),
    versionId: column(row, 'version_id'),
    executable: column(row, 'executable') === 1,
    modifiedAtUs: column(row, 'modified_at_us'),
    trashId: column(row, 'trash_item'),
    ...(conflictOf === null ? {} : { conflictOf: JSON.parse(conflictOf) as ConflictMark }),
    ...(conflictPolicy == null ? {} : { conflictPolicy }),
  };
}

export function toTrash(row: Row): TrashRecord {
  return {
    spaceId: column(row, 'space_id'),
    entryId: column(row, 'entry_id'),
    parentId: column(row, 'parent_id'),
    name: column(row, 'name'),
    path: column(row, 'path'),
    trashedAt: column(row, 'trashed_at'),
    deviceId: column(row, 'device_id'),
    sequence: column(row, 'sequence'),
  };
}

export function toVersion(row: Row): VersionRecord {
  const content = bytesOrNull(row, 'content');
  return {
    spaceId: column(row, 'space_id'),
    versionId: column(row, 'version_id'),
    entryId: column(row, 'entry_id'),
    sequence: column(row, 'sequence'),
    kind: column(row, 'kind'),
    sizeBytes: column(row, 'size_bytes'),
    content: content === null ? null : decodeContent(content),
    target: column(row, 'target'),
    executable: column(row, 'executable') === 1,
    modifiedAtUs: column(row, 'modified_at_us'),
    deviceId: column(row, 'device_id'),
    committedAt: column(row, 'committed_at'),
  };
}

/** A change as JSON, its content (which is most of it) apart in binary. */
export function splitChange(change: JournalChange): { json: string; content: Uint8Array | null } {
  if (change.entry?.kind !== 'file') return { json: JSON.stringify(change), content: null };
  return {
    json: JSON.stringify({ ...change, entry: { ...change.entry, content: null } }),
    content: encodeContent(change.entry.content),
  };
}

export function toJournal(row: Row): JournalRecord {
  const change = JSON.parse(column<string>(row, 'change')) as { entry: { content?: unknown } | null };
  const content = bytesOrNull(row, 'content');
  if (content !== null && change.entry !== null) change.entry.content = decodeContent(content);
  return {
    spaceId: column(row, 'space_id'),
    sequence: column(row, 'sequence'),
    hash: column(row, 'hash'),
    change: change as unknown as JournalChange,
  };
}

export function toBlock(row: Row): BlockRecord {
  const parts = bytesOrNull(row, 'parts');
  return {
    blockId: bytesToId(column<Uint8Array>(row, 'block_id')),
    kind: column(row, 'kind'),
    plainBytes: column(row, 'plain_bytes'),
    storedBytes: column(row, 'stored_bytes'),
    coveredBytes: column(row, 'covered_bytes'),
    depth: column(row, 'depth'),
    parts: parts === null ? null : decodeParts(parts),
    createdAt: column(row, 'created_at'),
  };
}

export function toUpload(row: Row): UploadRecord {
  return {
    uploadId: column(row, 'upload_id'),
    userId: column(row, 'user_id'),
    spaceId: column(row, 'space_id'),
    path: column(row, 'path'),
    sizeBytes: column(row, 'size_bytes'),
    partBytes: column(row, 'part_bytes'),
    sha256: column(row, 'sha256'),
    createdAt: column(row, 'created_at'),
    expiresAt: column(row, 'expires_at'),
  };
}

export function toUploadPart(row: Row): UploadPartRecord {
  return {
    uploadId: column(row, 'upload_id'),
    partNumber: column(row, 'part_number'),
    parts: decodeParts(column<Uint8Array>(row, 'parts')),
  };
}

export function toTombstone(row: Row): TombstoneRecord {
  return {
    blockId: bytesToId(column<Uint8Array>(row, 'block_id')),
    generation: column(row, 'generation'),
    storedBytes: column(row, 'stored_bytes'),
    deletedAt: column(row, 'deleted_at'),
    reclaimedAt: column(row, 'reclaimed_at'),
  };
}
