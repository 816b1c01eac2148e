import type { ReservedNames } from '@cairn/model';

/**
 * The filesystem port: one folder of one device, seen through the eyes of the sync engine. Every path is
 * relative to that root, with `/` between names and `''` for the root itself; no call ever follows a symbolic
 * link or touches anything outside the root. `.cairn` in the root holds the marker, temporary files and
 * displaced bytes; `list('')` does not show it.
 *
 * Absence is only ever reported when the parent folder could be read and does not have the name. Everything
 * that could not be determined throws `local-io` ("unknown is not absent").
 */

export type FileKind = 'file' | 'folder' | 'link' | 'other';

/** One `lstat`. Times are nanoseconds since 1970. */
export interface FileStatus {
  readonly kind: FileKind;
  /**
   * Which object this is: device, inode and birth time. Survives renames; a new file never has an old one's, but on
   * disks without birth times.
   */
  readonly identity: string;
  /** Changes whenever content or metadata may have changed: inode, size, mtime, ctime. */
  readonly fingerprint: string;
  readonly sizeBytes: number;
  readonly modifiedAtNs: bigint;
  readonly changedAtNs: bigint;
  readonly executable: boolean;
  /** Device number of the filesystem the object is on; differs from the root's below a mount point. */
  readonly device: string;
  /** Text of a symbolic link, `null` for other kinds. */
  readonly target: string | null;
}

export interface FolderItem {
  /** The name; when its bytes are not UTF-8, a printable stand-in and `unrepresentable` is true. */
  readonly name: string;
  readonly unrepresentable: boolean;
  /** `null` when it vanished between listing and `lstat`. */
  readonly status: FileStatus | null;
}

export interface ReadHandle {
  /** Status of the open file itself. */
  status(): Promise<FileStatus>;
  /** Reads up to `into.length` bytes at `position`; 0 at the end. */
  read(into: Uint8Array, position: number): Promise<number>;
  close(): Promise<void>;
}

/** A private file on the root's filesystem that nobody sees until it is placed. */
export interface TemporaryFile {
  /** Bytes already there when a temporary of this name was left by an earlier run. */
  readonly existingBytes: number;
  read(into: Uint8Array, position: number): Promise<number>;
  write(bytes: Uint8Array, position: number): Promise<void>;
  truncate(sizeBytes: number): Promise<void>;
  /**
   * Makes the bytes durable (fdatasync). An error here is final for this temporary. With the attributes that it
   * will be placed with they become durable too, and placing has less to do.
   */
  sync(attributes?: Attributes): Promise<void>;
  /** Gives it the name of another temporary, whose bytes are lost; throws when that is open. */
  rename(name: string): Promise<void>;
  /** Closes and keeps the file, so that a later run can go on. */
  close(): Promise<void>;
  /** Closes and deletes the file. */
  discard(): Promise<void>;
}

/** What must be at a path for a change to go ahead: nothing, or exactly this (by fingerprint). */
export type Expectation = { readonly absent: true } | { readonly fingerprint: string };

export interface Attributes {
  readonly executable?: boolean;
  /** Microseconds since 1970. */
  readonly modifiedAtUs?: number;
}

export interface FilesystemCapabilities {
  /** `a` and `A` are two names. */
  readonly caseSensitive: boolean;
  /** NFC and NFD spellings are two names. */
  readonly unicodeSensitive: boolean;
  readonly symbolicLinks: boolean;
  readonly executableBit: boolean;
  /** Objects know when they were made; without that, a new one may have a deleted one's identity. */
  readonly birthTimes: boolean;
  /** Names that the disk refuses although they can name an entry. */
  readonly reservedNames: ReservedNames;
}

/** One displaced file or link in the rescue area. */
export interface RescuedItem {
  /** Name inside the rescue area (`.cairn/rescue`). */
  readonly name: string;
  /** The name it had, shortened where that was very long. */
  readonly originalName: string;
  /** Milliseconds since 1970. */
  readonly rescuedAt: number;
  readonly sizeBytes: number;
  /**
   * Somebody who had it open went on writing to it after it was displaced, so it holds bytes that nobody else has.
   * Such items are never deleted by `removeOldRescued`.
   */
  readonly writtenLate: boolean;
}

export type WatchHint =
  /** Something may have changed directly inside this folder. */
  | { readonly kind: 'folder'; readonly path: string }
  /** Anything may have changed; scan everything. */
  | { readonly kind: 'everything'; readonly reason: string }
  /** Events were or may have been lost; the folders that are hinted at besides are not all. */
  | { readonly kind: 'lost'; readonly reason: string }
  /** From now on hints can, or cannot, be relied on to come; `reason` says why not and what to do. */
  | { readonly kind: 'watching'; readonly works: boolean; readonly reason: string | null };

/** Something may just have changed directly inside these folders (a few). */
export type OnStir = (paths: ReadonlySet<string>) => void;

export interface FolderWatch {
  /** Something changed that no hint told: finds out whether hints still come, and tells when they do not. */
  probe?(): void;
  close(): void;
}

/** One item of a folder that was listed ahead: enough to tell that nothing about it changed. */
export interface ListedItem
  extends Pick<FileStatus, 'kind' | 'identity' | 'fingerprint' | 'sizeBytes' | 'device'> {
  readonly name: string;
}

/** A folder as it was a while ago, and what was in it then. */
export interface ListedFolder {
  /** Of the folder itself, from before its names were read. */
  readonly identity: string;
  readonly fingerprint: string;
  /** As `list` would have told of them, without the private folder. */
  items(): ListedItem[];
}

/**
 * A look at all folders that was begun before anybody asked. What it tells is old: it proves that a folder is as it is
 * known, provided that its own status is still the listed one and no hint of it came since; it never proves a change, and
 * never an absence.
 */
export interface ListingAhead {
  /** Milliseconds since 1970, before the first folder was listed; when it was made, until it has begun. */
  readonly startedAtMs: number;
  /** Begins to list. What it takes to do so got ready since the listing was made. */
  begin(): void;
  /**
   * The folder, once; waits for it while the look goes on. `null` for what was not listed, cannot be told of (a name that is
   * not UTF-8, an item that vanished meanwhile), or was taken already.
   */
  take(path: string): Promise<ListedFolder | null>;
  /** Ends the look and forgets what it found. */
  close(): void;
}

export interface Filesystem {
  readonly capabilities: FilesystemCapabilities;

  /** Items of a folder with their status, in no particular order. Throws `local-io` if any part is unreadable, `not-found` if the folder is certainly gone. */
  list(path: string): Promise<FolderItem[]>;
  /** Status without following links; `null` only for certain absence. */
  status(path: string): Promise<FileStatus | null>;
  /** Opens a regular file for reading, never through a link, never blocking on a FIFO. */
  openRead(path: string): Promise<ReadHandle>;

  /**
   * A temporary file with a caller-chosen stable name (letters, digits, `-`), so an interrupted download can be
   * resumed. Opening one that is open already throws.
   */
  openTemporary(name: string): Promise<TemporaryFile>;
  /** Deletes temporaries that nobody has open and that are older than `olderThanMs`; with a prefix, only those named so. */
  removeOldTemporaries(olderThanMs: number, prefix?: string): Promise<void>;
  /** Bytes that can still be written to this disk; `null` where that cannot be told. */
  freeBytes(): Promise<number | null>;

  /**
   * Moves a synced temporary to `path` atomically, with the given attributes. With `absent` it never replaces
   * anything. With a fingerprint the old bytes are kept in the rescue area first. Throws `local-changed` (and
   * changes nothing) when the expectation does not hold.
   */
  place(
    temporary: TemporaryFile,
    path: string,
    expected: Expectation,
    attributes: Attributes,
  ): Promise<FileStatus>;
  makeFolder(path: string): Promise<FileStatus>;
  /** Creates or replaces a symbolic link; `target` is stored as it is and never resolved. */
  makeLink(path: string, target: string, expected: Expectation): Promise<FileStatus>;
  /** Renames within the root; never replaces anything. The object at `from` must have this identity. */
  move(from: string, to: string, expectedIdentity: string): Promise<FileStatus>;
  /** Takes a file or link away from its path; its bytes stay in the rescue area. */
  displace(path: string, expected: { readonly fingerprint: string }): Promise<void>;
  /** Removes an empty folder; throws `local-changed` when it is not empty. */
  removeFolder(path: string): Promise<void>;
  setAttributes(
    path: string,
    attributes: Attributes,
    expected: { readonly fingerprint: string },
  ): Promise<FileStatus>;

  /** Makes the names in these folders durable (fsync of each folder). */
  syncFolders(paths: Iterable<string>): Promise<void>;

  /** What the rescue area holds, oldest first. */
  listRescued(): Promise<RescuedItem[]>;
  /**
   * Deletes rescued items that are older than `olderThanMs`, oldest first, until the area holds at most
   * `keepBytes`. Slow on purpose. Nothing else ever deletes displaced bytes: call it only for what the history
   * of the space has, too.
   */
  removeOldRescued(
    olderThanMs: number,
    keepBytes: number,
  ): Promise<{ readonly removedItems: number; readonly removedBytes: number; readonly keptBytes: number }>;

  /** The marker that proves this is the root it was: its text, or `null` when there is none. */
  readMarker(): Promise<string | null>;
  writeMarker(text: string): Promise<void>;
  /**
   * Writes the marker only where it is `expected` now, and only into that very folder, whatever is mounted in its
   * place meanwhile: an empty mount point never gets one. Returns whether it did.
   */
  replaceMarker(expected: string, text: string): Promise<boolean>;

  /**
   * Starts hinting at changes. Hints may be lost, late and repeated; a scan is the truth.
   * @param onStir is told at once where the first few changes after a quiet time are; the hints of them follow, when what
   *   belongs to them has had time to happen
   */
  watch(onHint: (hint: WatchHint) => void, onStir?: OnStir): Promise<FolderWatch>;

  /**
   * Gets ready to list all folders beside whoever else works; where the adapter can. Bounded: of very many folders, the last
   * are not listed. `watch` must run before it begins, or changes meanwhile go unnoticed: see `startAhead`.
   */
  listAhead?(): ListingAhead;
  /** What `startAhead` began, for the first look at everything; `null` ever after. Whoever takes it closes it. */
  takeAhead?(): ListingAhead | null;

  close(): Promise<void>;
}
