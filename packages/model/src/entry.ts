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

export interface FolderEntry extends EntryCommon {
  readonly kind: 'folder';
}

export interface FileEntry extends EntryCommon {
  readonly kind: 'file';
  readonly versionId: VersionId;
  readonly content: FileContent;
  readonly executable: boolean;
  /** Modification time in microseconds since 1970 (integer; may be negative). */
  readonly modifiedAtUs: number;
}

export interface LinkEntry extends EntryCommon {
  readonly kind: 'link';
  readonly versionId: VersionId;
  /** The link's text, exactly as stored on disk; never followed by us. */
  readonly target: string;
  readonly modifiedAtUs: number;
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
