import type {
  BlockId,
  ChangesetId,
  CommitResult,
  ConflictMark,
  ConflictPolicy,
  DeviceId,
  EntryId,
  EntryKind,
  FileContent,
  JournalChange,
  ManifestPart,
  SpaceId,
  UploadId,
  UserId,
  VersionId,
} from '@cairn/model';

/** Instants are milliseconds since 1970, server clock, unless a unit says otherwise. */
export interface UserRecord {
  readonly userId: UserId;
  readonly username: string;
  /** `foldName(username)`; unique. */
  readonly foldedUsername: string;
  /** PHC string of Argon2id. */
  readonly passwordHash: string;
  readonly role: 'administrator' | 'member';
  readonly personalSpaceId: SpaceId;
  readonly createdAt: number;
}

export interface DeviceRecord {
  readonly deviceId: DeviceId;
  readonly userId: UserId;
  readonly name: string;
  readonly createdAt: number;
  readonly lastSeenAt: number;
  readonly revokedAt: number | null;
}

/**
 * One refresh token of a device's family, by hash. A rotation makes the presented one `previous` and inserts a
 * `current`; a `previous` one is honoured until its successor is used (a lost answer must not sign anybody out);
 * a `dead` one that turns up means theft and ends the family.
 */
export interface RefreshTokenRecord {
  /** SHA-256 of the token, hex. */
  readonly tokenHash: string;
  readonly deviceId: DeviceId;
  readonly state: 'current' | 'previous' | 'dead';
  readonly issuedAt: number;
  readonly expiresAt: number;
}

export interface SpaceRecord {
  readonly spaceId: SpaceId;
  readonly kind: 'personal';
  readonly ownerId: UserId;
  readonly rootId: EntryId;
  /** Last journal sequence; 0 while the journal is empty. */
  readonly sequence: number;
  /** Chained hash of the journal at `sequence`, hex (64 digits). */
  readonly journalHash: string;
  readonly createdAt: number;
}

export type MemberRole = 'owner' | 'editor' | 'viewer';

/** An entry row. `trashId` is `null` while the entry is live, else the entry that it was trashed with. */
export interface EntryRecord {
  readonly spaceId: SpaceId;
  readonly entryId: EntryId;
  /** `null` for a space's root and for an entry that was itself moved to the trash. */
  readonly parentId: EntryId | null;
  readonly name: string;
  readonly kind: EntryKind;
  readonly sequence: number;
  readonly versionId: VersionId | null;
  readonly executable: boolean;
  readonly modifiedAtUs: number;
  readonly trashId: EntryId | null;
  /** Files and links: see `FileEntry.conflictOf`. */
  readonly conflictOf?: ConflictMark;
  /** Folders: see `FolderEntry.conflictPolicy`. */
  readonly conflictPolicy?: ConflictPolicy;
}

/** What the trash remembers of an entry that was moved there (not of what was below it). */
export interface TrashRecord {
  readonly spaceId: SpaceId;
  readonly entryId: EntryId;
  readonly parentId: EntryId;
  readonly name: string;
  /** Path at the time, for people. */
  readonly path: string;
  readonly trashedAt: number;
  readonly deviceId: DeviceId;
  readonly sequence: number;
}

export interface VersionRecord {
  readonly spaceId: SpaceId;
  readonly versionId: VersionId;
  readonly entryId: EntryId;
  readonly sequence: number;
  readonly kind: 'file' | 'link';
  readonly sizeBytes: number;
  /** JSON-ready manifest root, `null` for links. */
  readonly content: FileContent | null;
  readonly target: string | null;
  readonly executable: boolean;
  readonly modifiedAtUs: number;
  readonly deviceId: DeviceId;
  readonly committedAt: number;
}

export interface JournalRecord {
  readonly spaceId: SpaceId;
  readonly sequence: number;
  /** Chained: SHA-256(previous hash, then the row's canonical JSON), hex. */
  readonly hash: string;
  readonly change: JournalChange;
}

export interface ChangesetRecord {
  readonly spaceId: SpaceId;
  readonly changesetId: ChangesetId;
  /** SHA-256 of the request's canonical JSON: the same id with other content is an error. */
  readonly requestHash: string;
  readonly result: CommitResult;
  readonly committedAt: number;
}

/** A block that the block store holds, as metadata knows it. References never need its bytes. */
export interface BlockRecord {
  readonly blockId: BlockId;
  readonly kind: 'chunk' | 'manifest';
  readonly plainBytes: number;
  readonly storedBytes: number;
  /** Chunks: `plainBytes`. Manifest blocks: file bytes covered by everything below. */
  readonly coveredBytes: number;
  /** 0 for chunks; for manifest blocks one more than the depth of their parts. */
  readonly depth: number;
  /** Manifest blocks: what they list. `null` for chunks. */
  readonly parts: readonly ManifestPart[] | null;
  readonly createdAt: number;
}

/** A resumable upload of a plain HTTP client. */
export interface UploadRecord {
  readonly uploadId: UploadId;
  readonly userId: UserId;
  readonly spaceId: SpaceId;
  readonly path: string;
  readonly sizeBytes: number;
  readonly partBytes: number;
  /** SHA-256 of the whole file in hex, if the client named it. */
  readonly sha256: string | null;
  readonly createdAt: number;
  readonly expiresAt: number;
}

export interface UploadPartRecord {
  readonly uploadId: UploadId;
  readonly partNumber: number;
  /** The part's bytes as chunks. */
  readonly parts: readonly ManifestPart[];
}

/** How long a space keeps what is no longer current. */
export interface RetentionRecord {
  /**
   * `thinned`: all versions for `allDays`, then the last one of each day until they are `dailyDays` old, then the last one
   * of each week.
   */
  readonly versions:
    | { readonly keep: 'all' }
    | { readonly keep: 'thinned'; readonly allDays: number; readonly dailyDays: number };
  readonly trash: { readonly keep: 'all' } | { readonly keep: 'days'; readonly days: number };
}
