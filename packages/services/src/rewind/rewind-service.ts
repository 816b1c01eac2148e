import type { Entry, EntryId, EntryKind } from '@cairn/model';
import type { Principal } from '../authorisation/principal.ts';

/** One thing of a folder as it was. */
export interface PastEntry {
  readonly entry: Entry;
  /** As of then. */
  readonly path: string;
  /** Whether the version that it had is still kept. */
  readonly kept: boolean;
}

export interface PastFolder {
  readonly at: number;
  /** The last change that is part of it. */
  readonly sequence: number;
  /** Folders before what is in them. */
  readonly entries: readonly PastEntry[];
  /** Whether that is all. */
  readonly complete: boolean;
}

export const REWIND_KINDS = ['restore', 'revert', 'move-back', 'remove', 'lost'] as const;
/**
 * `restore`: comes back; `revert`: earlier content; `move-back`: earlier place or name (and content, where that differs,
 * too); `remove`: appeared later, goes to the trash; `lost`: its content is no longer kept, so nothing is done.
 */
export type RewindKind = (typeof REWIND_KINDS)[number];

/** What happens to one thing. */
export interface RewindStep {
  readonly kind: RewindKind;
  readonly entryId: EntryId;
  readonly entryKind: EntryKind;
  /** Where it will be; of what is removed: where it is. */
  readonly path: string;
  readonly fromPath?: string;
  readonly sizeBytes?: number;
}

export interface RewindPreview {
  readonly at: number;
  readonly sequence: number;
  readonly steps: readonly RewindStep[];
  /** Place of the next page. */
  readonly next: number | null;
  readonly counts: Readonly<Record<RewindKind, number>>;
}

export interface RewindDone {
  readonly changed: number;
  readonly sequence: number;
  /** Rewinding to this instant undoes it … */
  readonly undoAt: number;
  /** … with only these, or all (`null`). */
  readonly undoOnly: readonly EntryId[] | null;
}

/** Folders as they were, read from the journal, and making them so again. `at` is in milliseconds since 1970. */
export interface RewindService {
  /**
   * @param deep all that is below instead of one level
   * @throws CairnError `horizon-passed` (details.oldestAt) when the folder was not there then, `not-found`, `not-a-folder`
   */
  look(principal: Principal, folderId: EntryId, at: number, deep: boolean): Promise<PastFolder>;
  /** What {@link apply} would do. */
  preview(
    principal: Principal,
    folderId: EntryId,
    at: number,
    page: { readonly after: number; readonly limit: number },
  ): Promise<RewindPreview>;
  /**
   * Makes the folder as it was, by new changes: nothing is lost, what appeared later goes to the trash. One changeset where
   * that is possible.
   * @param only ids of a preview's steps: only these, and the folders that they need
   * @throws CairnError `too-large` for folders of more than 250,000 entries, `conflict` when others were faster each time
   */
  apply(
    principal: Principal,
    folderId: EntryId,
    at: number,
    only: readonly EntryId[] | null,
  ): Promise<RewindDone>;
}
