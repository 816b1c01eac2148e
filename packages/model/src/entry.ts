import type { ContentId, DeviceId, EntryId, VersionId } from './ids.ts';
import type { ManifestRoot } from './manifest.ts';

export type EntryKind = 'folder' | 'file' | 'link';

/** What a file holds. `contentId` is derived from `manifest`, so equal ids mean equal bytes. */
export interface FileContent {
  readonly contentId: ContentId;
  readonly sizeBytes: number;
  readonly manifest: ManifestRoot;
}

/**
 * A file, folder or symbolic link with a stable id; its path is an attribute (parent and name).
 * `sequence` is the journal sequence of the entry's last change and serves as the base of optimistic commits.
 */
interface EntryCommon {
  readonly entryId: EntryId;
  /** `null` only for the root folder of a space. */
  readonly parentId: EntryId | null;
  readonly name: string;
  readonly sequence: number;
}

/** What happens to two different edits of one file, here and in every folder below that does not say otherwise. */
export type ConflictPolicy = 'keep-both' | 'last-write-wins';

/** Says of a file or link that it is a conflict copy: what lost its name to another content of the same entry. */
export interface ConflictMark {
  /** The entry that kept the name. */
  readonly entryId: EntryId;
  /** Sequence of that entry that the copy was made from; `null` when both were made without knowing of each other. */
  readonly baseSequence: number | null;
  /** Device on which the copy was written, as it was called then. */
  readonly deviceName: string;
  /** Milliseconds since 1970, that device's clock. */
  readonly at: number;
}

export interface FolderEntry extends EntryCommon {
  readonly kind: 'folder';
  /** Absent: what the folder around it says; `keep-both` at the root. */
  readonly conflictPolicy?: ConflictPolicy;
}

export interface FileEntry extends EntryCommon {
  readonly kind: 'file';
  readonly versionId: VersionId;
  readonly content: FileContent;
  readonly executable: boolean;
  /** Modification time in microseconds since 1970 (integer; may be negative). */
  readonly modifiedAtUs: number;
  /** Present while the conflict is not resolved. */
  readonly conflictOf?: ConflictMark;
}

export interface LinkEntry extends EntryCommon {
  readonly kind: 'link';
  readonly versionId: VersionId;
  /** The link's text, exactly as stored on disk; never followed by us. */
  readonly target: string;
  readonly modifiedAtUs: number;
  readonly conflictOf?: ConflictMark;
}

export type Entry = FolderEntry | FileEntry | LinkEntry;

/** A saved content of a file or link. */
export interface Version {
  readonly versionId: VersionId;
  readonly entryId: EntryId;
  /** Journal sequence of the change that saved it. */
  readonly sequence: number;
  readonly kind: 'file' | 'link';
  readonly content: FileContent | null;
  readonly target: string | null;
  readonly executable: boolean;
  readonly modifiedAtUs: number;
  readonly deviceId: DeviceId;
  /** Milliseconds since 1970, server clock. */
  readonly committedAt: number;
}
