import type { ConflictMark, ContentId, Entry, EntryId, EntryKind, FileContent } from '@cairn/model';

/** The server's tree as last folded from the journal: entries as they are. */
export type RemoteNode = Entry;

/**
 * What was last seen on disk. `id` is the entry's id; something new on disk gets a fresh id at its first
 * observation and creates its entry under it.
 */
export interface LocalNode {
  readonly entryId: EntryId;
  readonly parentId: EntryId | null;
  readonly name: string;
  readonly kind: EntryKind;
  /** Which object on disk (device, inode, birth time). */
  readonly identity: string;
  /** Status at the observation; see FileStatus.fingerprint. */
  readonly fingerprint: string;
  readonly sizeBytes: number;
  readonly executable: boolean;
  readonly modifiedAtUs: number;
  /** Files: what the bytes were at this fingerprint; `null` until somebody has read them. Folders, links: `null`. */
  readonly content: FileContent | null;
  readonly target: string | null;
  /**
   * `unknown`: it is there but could not be read (permissions, I/O error, a file that keeps changing), or it is
   * inside a folder that could not be read. Nothing may be concluded from it, least of all absence.
   */
  readonly state: 'known' | 'unknown';
  /** Set when it lost its name (`fork`), until the server knows it: what it is a conflict copy of. */
  readonly conflictOf?: ConflictMark;
}

/** What both sides last agreed on: the merge base. */
export interface SyncedNode {
  readonly entryId: EntryId;
  readonly parentId: EntryId | null;
  readonly name: string;
  readonly kind: EntryKind;
  /** The remote entry's sequence when they agreed. */
  readonly sequence: number;
  readonly contentId: ContentId | null;
  readonly target: string | null;
  readonly executable: boolean;
  readonly modifiedAtUs: number;
}

export interface TreeReader<Node> {
  get(entryId: EntryId): Node | undefined;
  /** Ids of the nodes whose parent is `parentId`. */
  children(parentId: EntryId): Iterable<EntryId>;
  /**
   * Ids of the children whose name folds (`foldName`) to `foldedName`. Optional: without it the planner indexes
   * the children of a folder itself, which is slow only for a single change in a very large folder.
   */
  childrenNamed?(parentId: EntryId, foldedName: string): Iterable<EntryId>;
  /** Every node, in no particular order. */
  values(): Iterable<Node>;
  readonly size: number;
}

export interface Trees {
  readonly rootId: EntryId;
  readonly remote: TreeReader<RemoteNode>;
  readonly local: TreeReader<LocalNode>;
  readonly synced: TreeReader<SyncedNode>;
}
