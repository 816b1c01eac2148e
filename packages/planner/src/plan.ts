import type { ChunkProfile, EntryId } from '@cairn/model';

/**
 * What the engine should do next. The engine executes what it can, observes the result and plans again, until a
 * plan is empty; so a plan need not contain everything, but following it must always lead closer to the end.
 * Operations are listed in an order in which they can be executed one after the other; those of one `batch`
 * number do not depend on each other and may run at once.
 */
export interface Plan {
  readonly operations: readonly PlannedOperation[];
  /** Entries that cannot be synced now, and why; they need no operation. */
  readonly issues: readonly PlanIssue[];
  /** Set when the plan would delete too much; `operations` then has none of these deletes. */
  readonly held: HeldDeletes | null;
}

export interface PlannedOperation {
  readonly batch: number;
  readonly operation: Operation;
  /** Why, as a stable code with a sentence in `describeReason`. */
  readonly reason: ReasonCode;
}

export type Operation =
  // learn
  /** Read the local file and record its content. `uploadExpected`: its bytes will most likely be pushed. */
  | {
      readonly kind: 'inspect';
      readonly entryId: EntryId;
      readonly profile: ChunkProfile | null;
      readonly uploadExpected: boolean;
    }
  // bookkeeping
  /** The local node is the remote entry `remoteId` under another id: give it that id. */
  | { readonly kind: 'adopt'; readonly localId: EntryId; readonly remoteId: EntryId }
  /** Local and remote agree (or are both gone): make the synced tree say so. */
  | { readonly kind: 'settle'; readonly entryId: EntryId }
  /**
   * Local content loses its name to the remote: rename it on disk to `name` and give it a fresh id, so that it
   * becomes a new entry; the old id then has no local node.
   */
  | { readonly kind: 'fork'; readonly entryId: EntryId; readonly name: string; readonly notice: NoticeKind }
  // towards the server; the engine builds the change from the trees
  | { readonly kind: 'push-create'; readonly entryId: EntryId }
  | {
      readonly kind: 'push-update';
      readonly entryId: EntryId;
      readonly place: boolean;
      readonly content: boolean;
      readonly attributes: boolean;
    }
  /**
   * Remove the entry and everything below it from the server. The planner has checked that nothing below it on
   * the server differs from the synced tree.
   */
  | { readonly kind: 'push-remove'; readonly entryId: EntryId }
  // towards the disk
  | { readonly kind: 'make-folder'; readonly entryId: EntryId }
  | { readonly kind: 'make-link'; readonly entryId: EntryId; readonly replace: boolean }
  /** Fetch the remote content and place it; `replace` when a local file of this id is there and unchanged. */
  | { readonly kind: 'download'; readonly entryId: EntryId; readonly replace: boolean }
  /** Rename on disk to this parent and name (the remote's, or a temporary name that breaks a cycle). */
  | {
      readonly kind: 'move-local';
      readonly entryId: EntryId;
      readonly parentId: EntryId;
      readonly name: string;
    }
  | { readonly kind: 'set-attributes'; readonly entryId: EntryId }
  | { readonly kind: 'remove-local'; readonly entryId: EntryId };

export type NoticeKind = 'conflict-copy' | 'case-conflict' | 'type-conflict' | 'rescued';

/** Why an operation is planned. Kept stable: `cairn why` and tests name them. */
export type ReasonCode =
  | 'content-unknown'
  | 'same-place-same-thing'
  | 'already-equal'
  | 'gone-on-both-sides'
  | 'new-on-this-device'
  | 'edited-on-this-device'
  | 'moved-on-this-device'
  | 'attributes-changed-on-this-device'
  | 'removed-on-this-device'
  | 'kept-because-edited-here'
  | 'new-on-server'
  | 'edited-on-server'
  | 'moved-on-server'
  | 'attributes-changed-on-server'
  | 'removed-on-server'
  | 'kept-because-edited-on-server'
  | 'parent-of-kept-entry'
  | 'both-edited'
  | 'both-created'
  | 'both-moved'
  | 'name-taken'
  | 'names-differ-only-by-case'
  | 'kinds-differ'
  | 'breaks-name-cycle';

export interface PlanIssue {
  readonly entryId: EntryId;
  readonly code: 'unreadable' | 'parent-unreadable' | 'bad-local-name' | 'too-deep' | 'waiting-for-parent';
}

export interface HeldDeletes {
  /** `down`: the server's deletes would reach this disk. `up`: this disk's deletes would reach the server. */
  readonly direction: 'up' | 'down';
  readonly count: number;
  readonly total: number;
  readonly examples: readonly EntryId[];
}

export interface PlanOptions {
  readonly deviceName: string;
  /** `YYYY-MM-DD`, for names of conflict copies. */
  readonly date: string;
  /** The disk tells `a` from `A` and NFC from NFD. */
  readonly foldsNames: boolean;
  /** More deletes than `max(count, share × size of the synced tree)` in one direction are held. */
  readonly brake: { readonly count: number; readonly share: number };
  /** Deletes that the user has confirmed are not held. */
  readonly confirmed: ReadonlySet<'up' | 'down'>;
}
