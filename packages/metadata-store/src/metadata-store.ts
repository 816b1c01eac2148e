import type {
  BlockId,
  ChangesetId,
  DeviceId,
  EntryId,
  SpaceId,
  UploadId,
  UserId,
  VersionId,
} from '@cairn/model';
import type { ClusterReader, ClusterTransaction } from './cluster-port.ts';
import type { CollectionReader, CollectionTransaction, PutResult } from './collection-port.ts';
import type { HistoryReader, HistoryTransaction } from './history-port.ts';
import type { InvalidStateError } from './invalid-state.ts';
import type { LocationReader, LocationTransaction } from './location-port.ts';
import type {
  BlockRecord,
  ChangesetRecord,
  DeviceRecord,
  EntryRecord,
  JournalRecord,
  MemberRole,
  RefreshTokenRecord,
  SpaceRecord,
  TrashRecord,
  UploadPartRecord,
  UploadRecord,
  UserRecord,
  VersionRecord,
} from './records.ts';
import type { RetentionReader, RetentionTransaction } from './retention-port.ts';

/**
 * The one truth of a server: accounts, spaces, entries, versions, journals and block references. Readers see one
 * consistent snapshot; transactions are serialised, durable when they resolve, and leave no trace when their
 * work throws. `work` may run more than once (a database may ask for a retry), so it must have no effect
 * outside the transaction. A state that breaks a rule of the schema throws {@link InvalidStateError}, at the latest
 * when the transaction would be committed. A transaction inside another one throws at once. Lists come back in the order asked for, with `undefined` where there is nothing.
 */
export interface MetadataStore {
  /**
   * @param options.sees `durable` (unless told): it resolves when all that the snapshot had is durable, which may be a
   *   flush later. `latest`: at once, for what only decides whether to go on, and is asked again in a transaction or
   *   tells nobody anything.
   */
  read<Result>(
    work: (reader: MetadataReader) => Promise<Result>,
    options?: { readonly sees?: 'durable' | 'latest' },
  ): Promise<Result>;
  transact<Result>(work: (transaction: MetadataTransaction) => Promise<Result>): Promise<Result>;
  /** Throws `unavailable` when the database cannot be used. */
  checkHealth(): Promise<void>;
  close(): Promise<void>;
}

export interface MetadataReader
  extends ClusterReader,
    CollectionReader,
    HistoryReader,
    LocationReader,
    RetentionReader {
  /** Server-wide named texts (epoch, schema). */
  getValue(name: string): Promise<string | undefined>;
  countUsers(): Promise<number>;

  getUser(userId: UserId): Promise<UserRecord | undefined>;
  getUserByName(foldedUsername: string): Promise<UserRecord | undefined>;
  getDevice(deviceId: DeviceId): Promise<DeviceRecord | undefined>;
  listDevices(userId: UserId): Promise<DeviceRecord[]>;
  getRefreshToken(tokenHash: string): Promise<RefreshTokenRecord | undefined>;

  getSpace(spaceId: SpaceId): Promise<SpaceRecord | undefined>;
  listSpaces(userId: UserId): Promise<SpaceRecord[]>;
  /** The user's role in the space, `undefined` when no member. */
  getMemberRole(spaceId: SpaceId, userId: UserId): Promise<MemberRole | undefined>;

  getEntries(spaceId: SpaceId, entryIds: readonly EntryId[]): Promise<(EntryRecord | undefined)[]>;
  /** Live child whose `foldName(name)` is this. */
  findChild(spaceId: SpaceId, parentId: EntryId, foldedName: string): Promise<EntryRecord | undefined>;
  /** Live children ordered by folded name, after the given folded name. */
  listChildren(
    spaceId: SpaceId,
    parentId: EntryId,
    after: string | null,
    limit: number,
  ): Promise<EntryRecord[]>;
  /** Live entries ordered by id (the root included), for snapshots. */
  pageEntries(spaceId: SpaceId, after: EntryId | null, limit: number): Promise<EntryRecord[]>;
  /** Live entries that are marked as conflict copies, ordered by id. */
  listConflicts(spaceId: SpaceId, after: EntryId | null, limit: number): Promise<EntryRecord[]>;
  /** The entry and everything below it that shares its `trashId` (live or trashed), parents before children. */
  listSubtree(spaceId: SpaceId, entryId: EntryId): Promise<EntryRecord[]>;
  /** The live entry's ancestors from its parent up to the root. */
  listAncestors(spaceId: SpaceId, entryId: EntryId): Promise<EntryRecord[]>;
  getTrash(spaceId: SpaceId, entryId: EntryId): Promise<TrashRecord | undefined>;
  /** Newest first. */
  listTrash(spaceId: SpaceId, limit: number, offset: number): Promise<TrashRecord[]>;

  getVersions(spaceId: SpaceId, versionIds: readonly VersionId[]): Promise<(VersionRecord | undefined)[]>;
  /** The entry's newest version of this sequence or an older one. */
  findVersionAt(spaceId: SpaceId, entryId: EntryId, sequence: number): Promise<VersionRecord | undefined>;
  /** Newest first. */
  listVersions(spaceId: SpaceId, entryId: EntryId, limit: number): Promise<VersionRecord[]>;

  /** Rows with `sequence > after`, ascending. */
  readJournal(spaceId: SpaceId, after: number, limit: number): Promise<JournalRecord[]>;
  /** Hash of the journal at a sequence; `undefined` when there is no such row. Sequence 0 is the space's genesis hash. */
  getJournalHash(spaceId: SpaceId, sequence: number): Promise<string | undefined>;
  getChangeset(spaceId: SpaceId, changesetId: ChangesetId): Promise<ChangesetRecord | undefined>;

  getBlocks(blockIds: readonly BlockId[]): Promise<(BlockRecord | undefined)[]>;
  /** Which of the blocks this space references, same order. */
  hasReferences(spaceId: SpaceId, blockIds: readonly BlockId[]): Promise<boolean[]>;
  /** Which of the blocks this user may already use: referenced by a space they are a member of, or leased to them at `now`. */
  canReach(userId: UserId, blockIds: readonly BlockId[], now: number): Promise<boolean[]>;

  getUpload(uploadId: UploadId): Promise<UploadRecord | undefined>;
  listUploadParts(uploadId: UploadId): Promise<UploadPartRecord[]>;

  /** Counts for metrics and health. */
  countAll(): Promise<{ users: number; devices: number; entries: number; versions: number; blocks: number }>;
}

export interface MetadataTransaction
  extends MetadataReader,
    ClusterTransaction,
    CollectionTransaction,
    HistoryTransaction,
    LocationTransaction,
    RetentionTransaction {
  setValue(name: string, value: string): Promise<void>;

  /** Throws `name-taken` when the folded username exists. */
  insertUser(user: UserRecord): Promise<void>;
  setPasswordHash(userId: UserId, passwordHash: string): Promise<void>;
  insertDevice(device: DeviceRecord): Promise<void>;
  updateDevice(
    deviceId: DeviceId,
    changes: Partial<Pick<DeviceRecord, 'name' | 'lastSeenAt' | 'revokedAt'>>,
  ): Promise<void>;
  insertRefreshToken(token: RefreshTokenRecord): Promise<void>;
  setRefreshTokenState(tokenHash: string, state: RefreshTokenRecord['state']): Promise<void>;
  /** Sets every `current` and `previous` token of the device to `dead`. */
  killRefreshTokens(deviceId: DeviceId): Promise<void>;
  /** Removes at most `limit` refresh tokens, leases and uploads each that are over. Returns how many. */
  deleteExpired(now: number, limit: number): Promise<number>;

  /** Inserts the space, its root folder entry (sequence 0, empty name) and the owner's membership. */
  insertSpace(space: SpaceRecord): Promise<void>;
  /** Sets the space's last sequence and journal hash; the row lock that orders commits. */
  advanceSpace(spaceId: SpaceId, sequence: number, journalHash: string): Promise<void>;

  insertEntries(entries: readonly EntryRecord[]): Promise<void>;
  /** Replaces rows by (space, entry). See `transact` for what is refused. */
  updateEntries(entries: readonly EntryRecord[]): Promise<void>;
  /**
   * Gives the entries unique placeholder names until they are next updated, so that swaps and rotations of
   * names within one changeset never collide on the way.
   */
  vacateNames(spaceId: SpaceId, entryIds: readonly EntryId[]): Promise<void>;
  /** Marks the live entry and all below it as trashed with it (its parent becomes `null`) and records it. */
  trashSubtree(trash: TrashRecord): Promise<void>;
  /** The reverse: entry and all that was trashed with it live again under the parent and name. */
  restoreSubtree(
    spaceId: SpaceId,
    entryId: EntryId,
    parentId: EntryId,
    name: string,
    sequence: number,
  ): Promise<void>;
  insertVersions(versions: readonly VersionRecord[]): Promise<void>;
  appendJournal(rows: readonly JournalRecord[]): Promise<void>;
  insertChangeset(record: ChangesetRecord): Promise<void>;

  /**
   * Inserts what is not there yet; existing rows stay as they are, and are no longer condemned. Inserts nothing when
   * the delete of any of them may be on its way: then it returns those, each with the generation above which the
   * caller must put it again. Empty when all are there.
   */
  insertBlocks(blocks: readonly BlockRecord[], put: PutResult): Promise<ReadonlyMap<BlockId, number>>;
  /** Grants the user the blocks until `expiresAt` (extends an earlier lease). */
  leaseBlocks(userId: UserId, blockIds: readonly BlockId[], expiresAt: number): Promise<void>;
  /**
   * Adds one reference from the space to each block (an id may occur more than once). Returns the ids whose
   * count was zero before: the caller goes on with their parts.
   */
  addReferences(spaceId: SpaceId, blockIds: readonly BlockId[]): Promise<BlockId[]>;

  insertUpload(upload: UploadRecord): Promise<void>;
  putUploadPart(part: UploadPartRecord): Promise<void>;
  deleteUpload(uploadId: UploadId): Promise<void>;
}
