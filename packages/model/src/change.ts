import type { ConflictMark, ConflictPolicy, Entry, EntryKind, FileContent } from './entry.ts';
import type { ChangesetId, DeviceId, EntryId, VersionId } from './ids.ts';

/**
 * What a device asks the server to do to one entry. The device chooses the id of what it creates, so a folder
 * and its contents travel in one changeset. `baseSequence` is the entry's sequence that the change was made on.
 */
export type Change = CreateChange | UpdateChange | RemoveChange | RestoreChange;

export type NewEntry =
  | { readonly kind: 'folder' }
  | {
      readonly kind: 'file';
      readonly content: FileContent;
      readonly executable: boolean;
      readonly modifiedAtUs: number;
      readonly conflictOf?: ConflictMark;
    }
  | {
      readonly kind: 'link';
      readonly target: string;
      readonly modifiedAtUs: number;
      readonly conflictOf?: ConflictMark;
    };

export interface CreateChange {
  readonly kind: 'create';
  readonly entryId: EntryId;
  readonly parentId: EntryId;
  readonly name: string;
  readonly entry: NewEntry;
}

/**
 * Changes what it names and leaves the rest. Naming `parentId` and `name` on a file or link that is in the trash
 * brings that one entry back (without the rest of the folder it was trashed with). A folder does not come back so: it
 * would come empty, and what a device still has in it would count as removed. It is created anew, or restored.
 */
export interface UpdateChange {
  readonly kind: 'update';
  readonly entryId: EntryId;
  readonly baseSequence: number;
  readonly parentId?: EntryId;
  readonly name?: string;
  readonly content?: FileContent;
  readonly target?: string;
  readonly executable?: boolean;
  readonly modifiedAtUs?: number;
  /** Files and links; `null`: it is an ordinary file from now on. */
  readonly conflictOf?: ConflictMark | null;
  /** Folders, the root too; `null`: what the folder around it says. */
  readonly conflictPolicy?: ConflictPolicy | null;
}

/**
 * Moves an entry, with everything below it, to the trash. Refused when anything in the subtree changed after
 * `baseSequence`, which here is the journal sequence up to which the device had seen the whole space.
 */
export interface RemoveChange {
  readonly kind: 'remove';
  readonly entryId: EntryId;
  readonly baseSequence: number;
}

/** Brings a trashed entry and what was trashed with it back under `parentId`/`name`. */
export interface RestoreChange {
  readonly kind: 'restore';
  readonly entryId: EntryId;
  readonly parentId: EntryId;
  readonly name: string;
}

export interface Changeset {
  /** Random; also the idempotency key: the same id always has the same answer. */
  readonly changesetId: ChangesetId;
  /**
   * Text of the cursor of the state that the changes were made from. Sequences mean nothing in another history: a
   * server that was restored may have given the same ones to something else, and refuses with `cursor-unknown`.
   */
  readonly cursor?: string;
  readonly changes: readonly Change[];
}

/** Limits on one changeset. */
export const CHANGESET_LIMITS = { maxChanges: 2000 } as const;

export interface ChangeResult {
  readonly entryId: EntryId;
  readonly sequence: number;
  readonly versionId: VersionId | null;
}

export interface CommitResult {
  readonly changesetId: ChangesetId;
  /** The space's last sequence after the commit. */
  readonly sequence: number;
  /** Cursor texts right before and after the commit: the journal's rows between them are this changeset's alone. */
  readonly journal: { readonly before: string; readonly after: string };
  readonly results: readonly ChangeResult[];
}

/** Why one change of a refused changeset cannot be applied, and the entry as the server has it now. */
export interface ChangeConflict {
  /** Index into the changeset's `changes`. */
  readonly index: number;
  readonly entryId: EntryId;
  readonly reason: ConflictReason;
  readonly current: Entry | null;
}

export type ConflictReason =
  /** The entry (or something below it) changed after the base. */
  | 'stale-base'
  /** No such entry, or it is in the trash and the change cannot bring it back. */
  | 'entry-missing'
  /** The parent is missing, in the trash, or not a folder. */
  | 'parent-missing'
  /** A sibling already has this name under NFC and case folding. */
  | 'name-taken'
  /** The move would put a folder inside itself. */
  | 'cycle'
  /** An entry with this id exists already. */
  | 'entry-exists'
  /** The change does not fit the entry's kind, or touches the root. */
  | 'not-allowed';

/** One line of a space's journal: what changed and the entry as it was right after. Folding these is idempotent. */
export interface JournalChange {
  readonly sequence: number;
  readonly changesetId: ChangesetId;
  readonly deviceId: DeviceId;
  /** Milliseconds since 1970, server clock. */
  readonly committedAt: number;
  readonly kind: Change['kind'];
  readonly entryId: EntryId;
  readonly entryKind: EntryKind;
  /** `null` when the entry, with everything below it, left the live tree. */
  readonly entry: Entry | null;
}
