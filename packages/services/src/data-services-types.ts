import type { ReadMemory } from '@cairn/block-store';
import type { DeltaBlock, StoredBlock } from '@cairn/content';
import type { RetentionRecord } from '@cairn/metadata-store';
import type {
  Announcement,
  BlockId,
  Changeset,
  CommitResult,
  ConflictMark,
  ConflictPolicy,
  ContentId,
  DeviceId,
  Entry,
  EntryId,
  EntryKind,
  FileEntry,
  FolderEntry,
  JournalChange,
  LinkEntry,
  SpaceId,
  UploadId,
  Version,
  VersionId,
} from '@cairn/model';
import type { ActivityService } from './activity/activity-service.ts';
import type { ArchivesService } from './archives/archives-service.ts';
import type { Principal } from './authorisation/principal.ts';
import type { EntryWithPath } from './files/entry-with-path.ts';
import type { PreviewsService } from './previews/previews-service.ts';
import type { RewindService } from './rewind/rewind-service.ts';
import type { SearchService } from './search/search-service.ts';
import type { UsageService } from './usage/usage-service.ts';
import type { NamedVersion } from './versions/device-names.ts';

/** What our own clients sync with. Every call throws `not-found` for a space that is absent or not the principal's. */
export interface SpacesService {
  /**
   * Applies all changes or none. The same changeset id with the same changes always has the same answer.
   * @throws CairnError `conflict` (details.conflicts: ChangeConflict[]), `blocks-missing` (details.blocks:
   * BlockId[]), `changeset-mismatch`, `bad-request`, `bad-name`, `session-revoked`
   */
  commitChangeset(principal: Principal, spaceId: SpaceId, changeset: Changeset): Promise<CommitResult>;
  /**
   * Journal rows after the cursor, oldest first.
   * @param cursorText text form of a cursor, see `formatCursor`
   * @param limit rows, 1 to 2000
   * @returns `cursor` in text form; it names the place right after the last row returned
   * @throws CairnError `cursor-unknown` when the cursor names another history or one that this server does not hold
   */
  readChanges(
    principal: Principal,
    spaceId: SpaceId,
    cursorText: string,
    limit: number,
  ): Promise<ChangesPage>;
  /** Live entries by id, the root included. Follow the journal from the FIRST page's cursor. */
  readSnapshot(
    principal: Principal,
    spaceId: SpaceId,
    after: EntryId | null,
    limit: number,
  ): Promise<SnapshotPage>;
  /** The space's last journal sequence. */
  currentSequence(principal: Principal, spaceId: SpaceId): Promise<number>;
  /** Tells the other devices of this account, as a hint, which chunks of a file on its way can be read by now. */
  announceTransfer(principal: Principal, spaceId: SpaceId, announcement: Announcement): Promise<void>;
}

export interface ChangesPage {
  readonly changes: readonly JournalChange[];
  readonly cursor: string;
  readonly more: boolean;
}

export interface SnapshotPage {
  readonly entries: readonly Entry[];
  readonly cursor: string;
  readonly next: EntryId | null;
}

/** Blocks of our own clients. What other accounts hold changes no answer. */
export interface BlocksService {
  /** Which of the blocks this user has to send, in the order asked; the others are kept for 48 hours at least. */
  findMissingBlocks(
    principal: Principal,
    spaceId: SpaceId,
    blockIds: readonly BlockId[],
  ): Promise<readonly BlockId[]>;
  /**
   * Verifies and stores blocks; durable when it resolves. What a manifest block lists must be in the same call or
   * reachable by the user. So must be what a delta is made from; the block that it makes is what is stored.
   * @returns how many blocks were given
   * @throws CairnError `block-wrong`, `blocks-missing` (details.blocks), `storage-full`, `too-large`
   */
  storeBlocks(
    principal: Principal,
    spaceId: SpaceId,
    blocks: readonly (StoredBlock | DeltaBlock)[],
  ): Promise<number>;
  /**
   * Blocks in the order asked. Rejects with `not-found` before the first one when any is not reachable.
   * @param memory as for `BlockStore.getMany`: a payload then stays as it is only until the next block is asked for
   */
  readBlocks(
    principal: Principal,
    spaceId: SpaceId,
    blockIds: readonly BlockId[],
    memory?: ReadMemory,
  ): Promise<AsyncIterable<StoredBlock>>;
  /**
   * The signatures of blocks, in the order asked, as they travel.
   * @param spanBytes length of the spans that are signed
   * @throws CairnError `not-found` when any is not reachable, `too-large` when they are too much together
   */
  signBlocks(
    principal: Principal,
    spaceId: SpaceId,
    blockIds: readonly BlockId[],
    spanBytes: number,
  ): Promise<Uint8Array>;
  /**
   * As `readBlocks`, but as a delta where that is shorter. Bases that the user cannot reach are passed over, like
   * such that nobody has.
   */
  readDeltas(
    principal: Principal,
    spaceId: SpaceId,
    wanted: readonly WantedDelta[],
  ): Promise<AsyncIterable<StoredBlock | DeltaBlock>>;
}

/** A block, and blocks that the caller has already. */
export interface WantedDelta {
  readonly blockId: BlockId;
  /** At most 4. */
  readonly bases: readonly BlockId[];
}

export type { EntryWithPath };

export interface PutFileOptions {
  readonly executable?: boolean;
  /** Microseconds since 1970; the time of the call when absent. */
  readonly modifiedAtUs?: number;
  /** The content the caller believes is there; `null`: no file may be there. Otherwise `precondition-failed`. */
  readonly ifMatch?: ContentId | null;
  /** Length of what will come, if known: it is checked, and chunks are chosen to suit it. */
  readonly sizeBytes?: number;
  readonly signal?: AbortSignal;
}

export interface OpenedFile {
  readonly entry: FileEntry;
  readonly version: Version;
  readonly sizeBytes: number;
  /**
   * Reads bytes `start` (inclusive) to `end` (exclusive), the whole file without a range.
   * @throws CairnError `range-wrong` at once for a range outside the file
   */
  read(range?: { readonly start: number; readonly end: number }): AsyncIterable<Uint8Array>;
}

export interface EntryUpdate {
  readonly parentId?: EntryId;
  /** New full path in the same space, instead of `parentId` and `name`; its folder must exist. */
  readonly path?: string;
  readonly name?: string;
  readonly executable?: boolean;
  readonly modifiedAtUs?: number;
  /** Folders, the root too; `null`: what the folder around it says. */
  readonly conflictPolicy?: ConflictPolicy | null;
}

/** Files by path or id, for scripts and browsers. `spaceId` null is the personal space. */
export interface FilesService {
  getByPath(principal: Principal, spaceId: SpaceId | null, path: string): Promise<EntryWithPath>;
  get(principal: Principal, entryId: EntryId): Promise<EntryWithPath>;
  /** Children by folded name; `after` and `next` are folded names. `not-a-folder` for anything else. */
  listFolder(
    principal: Principal,
    entryId: EntryId,
    page: { readonly after: string | null; readonly limit: number },
  ): Promise<{ readonly entries: readonly Entry[]; readonly next: string | null }>;
  /** With `parents`, missing folders on the way are made and an existing folder is fine. */
  createFolder(
    principal: Principal,
    path: string,
    options: { readonly parents: boolean },
  ): Promise<FolderEntry>;
  /** Saves a file's content as a new version, making missing folders on the way. Memory is bounded. */
  putFile(
    principal: Principal,
    path: string,
    source: AsyncIterable<Uint8Array>,
    options?: PutFileOptions,
  ): Promise<FileEntry>;
  openFile(
    principal: Principal,
    entryId: EntryId,
    options?: { readonly versionId?: VersionId },
  ): Promise<OpenedFile>;
  /** Renames, moves or changes attributes. `already-exists` when the name is taken. */
  update(principal: Principal, entryId: EntryId, update: EntryUpdate): Promise<Entry>;
  /**
   * Makes a copy with everything below, without copying a byte of content; versions stay behind. One changeset where that fits.
   * @throws CairnError `not-found`, `not-a-folder`, `already-exists`, `bad-name`, `too-large` for more than 100,000 entries
   */
  copy(
    principal: Principal,
    entryId: EntryId,
    place: { readonly parentId: EntryId; readonly name: string },
  ): Promise<EntryWithPath>;
  /** Moves to the trash with everything below. */
  remove(principal: Principal, entryId: EntryId): Promise<void>;
  /** Newest first. */
  listVersions(principal: Principal, entryId: EntryId, limit?: number): Promise<readonly NamedVersion[]>;
  /** Saves an old version's content as the newest version. */
  revert(principal: Principal, entryId: EntryId, versionId: VersionId): Promise<FileEntry>;
}

/** One of the two contents of a conflict, with the version that saved it. */
export interface ConflictSide {
  readonly entry: FileEntry | LinkEntry;
  readonly path: string;
  readonly version: NamedVersion;
}

export interface Conflict {
  readonly conflictOf: ConflictMark;
  readonly copy: ConflictSide;
  /** What kept the name; `null` when it is gone. */
  readonly original: ConflictSide | null;
  /** The version that both were made from; `null` when there is none. */
  readonly base: NamedVersion | null;
}

export interface ConflictsPage {
  readonly conflicts: readonly Conflict[];
  /** `after` of the next page. */
  readonly next: EntryId | null;
}

export interface ConflictChoice {
  /**
   * `mine`: the copy's content becomes current and the other one stays among the versions; `theirs`: the copy goes to
   * the trash; `both`: the copy stays as an ordinary file.
   */
  readonly keep: 'mine' | 'theirs' | 'both';
  /** Sequences of what the chooser saw. */
  readonly copySequence: number;
  readonly originalSequence: number | null;
}

export interface ConflictsService {
  /** Live conflict copies by id. `null` is the personal space. */
  list(
    principal: Principal,
    spaceId: SpaceId | null,
    page: { readonly after: EntryId | null; readonly limit: number },
  ): Promise<ConflictsPage>;
  /**
   * Decides about a conflict copy, in one changeset.
   * @throws CairnError `not-found`, `bad-request` (no conflict copy, or the original is gone),
   * `precondition-failed` when either has another sequence by now
   */
  resolve(principal: Principal, spaceId: SpaceId, entryId: EntryId, choice: ConflictChoice): Promise<void>;
}

export interface TrashItem {
  readonly entryId: EntryId;
  readonly kind: EntryKind;
  readonly name: string;
  /** Path at the time it was trashed. */
  readonly path: string;
  /** Milliseconds since 1970, server clock. */
  readonly trashedAt: number;
  readonly deviceId: DeviceId;
  readonly deviceName: string;
  readonly sizeBytes: number | null;
  /** When the clean-up may remove it; `null`: it is kept. */
  readonly expiresAt: number | null;
}

export interface TrashPage {
  readonly items: readonly TrashItem[];
  /** `offset` of the next page. */
  readonly next: number | null;
  /** How long this trash is kept. */
  readonly retention: RetentionRecord['trash'];
}

export interface TrashService {
  /** Newest first; `next` is the offset of the next page. */
  list(
    principal: Principal,
    spaceId: SpaceId | null,
    page: { readonly offset: number; readonly limit: number },
  ): Promise<TrashPage>;
  /** Restores where it was, or to `path`; folders that are gone are made again, a taken name gets ` (restored)`. */
  restore(principal: Principal, entryId: EntryId, path?: string): Promise<EntryWithPath>;
  /** Removes one item for good. @throws CairnError `not-found` */
  purge(principal: Principal, entryId: EntryId): Promise<void>;
  /** Removes all items that are in the trash now for good; the answer says how many, and how many entries. */
  empty(
    principal: Principal,
    spaceId: SpaceId | null,
    signal?: AbortSignal,
  ): Promise<{ readonly items: number; readonly entries: number }>;
}

export interface UploadStatus {
  readonly uploadId: UploadId;
  readonly path: string;
  readonly sizeBytes: number;
  /** Every part but the last has this length. */
  readonly partBytes: number;
  /** Part numbers, from 1, that have not arrived. */
  readonly missingParts: readonly number[];
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

/** Resumable uploads for plain HTTP clients. */
export interface UploadsService {
  create(
    principal: Principal,
    file: { readonly path: string; readonly sizeBytes: number; readonly sha256?: string },
  ): Promise<UploadStatus>;
  get(principal: Principal, uploadId: UploadId): Promise<UploadStatus>;
  /** Stores one part (numbers start at 1); repeating it replaces it. `bad-request` for a wrong number or length. */
  putPart(
    principal: Principal,
    uploadId: UploadId,
    partNumber: number,
    source: AsyncIterable<Uint8Array>,
  ): Promise<void>;
  complete(
    principal: Principal,
    uploadId: UploadId,
    options?: Pick<PutFileOptions, 'executable' | 'modifiedAtUs' | 'ifMatch' | 'signal'>,
  ): Promise<FileEntry>;
}

export interface DataServices {
  readonly spaces: SpacesService;
  readonly blocks: BlocksService;
  readonly files: FilesService;
  readonly conflicts: ConflictsService;
  readonly trash: TrashService;
  readonly uploads: UploadsService;
  readonly search: SearchService;
  readonly archives: ArchivesService;
  readonly activity: ActivityService;
  readonly rewind: RewindService;
  readonly previews: PreviewsService;
  readonly usage: UsageService;
}
