import type { BlockId, EntryId, FileContent, SpaceId, VersionId } from '@cairn/model';
import type { RetentionRecord, SpaceRecord, TrashRecord } from './records.ts';

/** One file or link, with how many versions it has. */
export interface VersionedEntry {
  readonly spaceId: SpaceId;
  readonly entryId: EntryId;
  readonly versions: number;
}

/** What a space refers to of one block. */
export interface ReferenceCount {
  readonly count: number;
  /** Whether another space refers to it too. */
  readonly elsewhere: boolean;
  readonly storedBytes: number;
}

/** Contents as their owners see them (each file's full length), and what is stored for them. */
export interface SpaceMeasure {
  /** Current versions of live files. */
  readonly live: { readonly files: number; readonly bytes: number };
  /** Older versions of live files. */
  readonly versions: { readonly versions: number; readonly bytes: number };
  /** All versions of files in the trash. */
  readonly trash: { readonly files: number; readonly bytes: number };
  /** Blocks that all these refer to, each once. */
  readonly stored: { readonly blocks: number; readonly bytes: number };
}

/** What retention and accounting read. */
export interface RetentionReader {
  /** By id. */
  pageSpaces(after: SpaceId | null, limit: number): Promise<SpaceRecord[]>;
  getRetention(spaceId: SpaceId): Promise<RetentionRecord | undefined>;
  /** Entries of all spaces that have versions, by space and entry. */
  pageVersionedEntries(
    after: Pick<VersionedEntry, 'spaceId' | 'entryId'> | null,
    limit: number,
  ): Promise<VersionedEntry[]>;
  /** Trash items after a sequence, oldest first. */
  pageTrash(spaceId: SpaceId, afterSequence: number, limit: number): Promise<TrashRecord[]>;
  /** Same order; a block that the space does not refer to has the count 0. */
  countReferences(spaceId: SpaceId, blockIds: readonly BlockId[]): Promise<ReferenceCount[]>;
  /** Contents of all versions of the entries. */
  listContents(spaceId: SpaceId, entryIds: readonly EntryId[]): Promise<FileContent[]>;
  /** One space, or all for `null`. Walks all of it. */
  measure(spaceId: SpaceId | null): Promise<SpaceMeasure>;
}

export interface RetentionTransaction extends RetentionReader {
  /** `null`: what the server says. */
  setRetention(spaceId: SpaceId, retention: RetentionRecord | null): Promise<void>;
  /** Removes versions; a current one is refused. The caller releases what they referred to. */
  deleteVersions(spaceId: SpaceId, versionIds: readonly VersionId[]): Promise<void>;
  /**
   * Removes entries of the trash item with all their versions, and the item with its top. What is below them must go
   * with them or before. The caller releases what their versions referred to.
   */
  deleteTrashed(spaceId: SpaceId, trashId: EntryId, entryIds: readonly EntryId[]): Promise<void>;
}
