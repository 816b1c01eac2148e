import type { ChunkProfile, EntryId, ReservedNames } from '@cairn/model';

/**
 * What the engine should do next. The engine executes what it can, observes the result and plans again, until a
 * plan is empty; so a plan need not contain everything, but following it must always lead closer to the end.
 * Operations are listed in an order in which they can be executed one after the other; those of one `batch`
 * number do not depend on each other and may run at once, except that the pushes of one batch go to the server
 * in the listed order, in one changeset where its size allows (names may be swapped within a changeset).
 * Any operation may be left out or fail: what needed it is then planned again.
 *
 * **The synced tree moves with every operation**, in the same transaction as the tree that the operation
 * changed; otherwise what another device or the user does in the next moment looks like a conflict. What an
 * operation made equal is recorded and nothing else; each kind says below what that is ("synced: …").
 */
export interface Plan {
  readonly operations: readonly PlannedOperation[];
  /** Entries that cannot be synced now, and why; they need no operation. */
  readonly issues: readonly PlanIssue[];
  /**
   * Set when the plan would delete too much; `operations` then has none of these deletes. If both directions
   * are held, this names `up`, and `down` comes up once `up` is confirmed.
   */
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
  /**
   * The local node is the remote entry `remoteId` under another id: give it that id; its local children follow.
   * Synced: unchanged for both ids.
   */
  | { readonly kind: 'adopt'; readonly localId: EntryId; readonly remoteId: EntryId }
  /** Local and remote agree (or are both gone): make the synced tree say so (the remote's node, or none). */
  | { readonly kind: 'settle'; readonly entryId: EntryId }
  /**
   * Drop the synced node: the entry lies in a folder that was removed here but moved on the server, so its
   * absence here must not count as a delete once that folder is back.
   */
  | { readonly kind: 'forget'; readonly entryId: EntryId }
  /**
   * Give the local folder a fresh id, so that it is created anew: the server removed it, but something in it is
   * kept. Its local children follow and keep their ids. Synced: the old id is dropped. Also what the engine does
   * by itself when the server refuses to revive an entry (see push-update) or to create under a used id.
   */
  | { readonly kind: 'renew'; readonly entryId: EntryId }
  /**
   * Local content loses its name to the remote: rename it on disk to `name` (same folder) and give it a fresh
   * id, so that it becomes a new entry; the old id then has no local node. Files and links only.
   * `conflictOf`: the remote entry whose conflict copy it becomes and is marked as; `null`: it is none.
   * `becomes`: the server has this conflict copy already, from another device and not here yet: it takes that entry's
   * id and name instead.
   * Synced: the old id is dropped.
   */
  | {
      readonly kind: 'fork';
      readonly entryId: EntryId;
      readonly name: string;
      readonly notice: NoticeKind;
      readonly conflictOf: EntryId | null;
      readonly becomes?: EntryId;
    }
  // towards the server; the engine builds the change from the trees
  /** Synced: becomes what was committed. */
  | { readonly kind: 'push-create'; readonly entryId: EntryId }
  /**
   * Send what changed here, on the base of the *remote* node's sequence (the merge has taken it into account).
   * `place`: parent and name. `content`: content or link target, with modification time and executable bit.
   * `attributes`: those of the two in which local differs from synced while remote does not.
   * Synced: exactly the fields sent.
   * When the entry is not in the remote tree this revives it from the trash, with everything and on the base of
   * the synced node's sequence; if the server refuses that, the engine gives the node a fresh id (renew).
   */
  | {
      readonly kind: 'push-update';
      readonly entryId: EntryId;
      readonly place: boolean;
      readonly content: boolean;
      readonly attributes: boolean;
      /** The content replaces one of another device that this one had not seen; it stays among the versions. */
      readonly notice?: NoticeKind;
    }
  /**
   * Remove the entry and everything below it from the server. The planner has checked that nothing below it on
   * the server differs from the synced tree, but for what pushes of this or an earlier batch move out of it: leave it
   * out while the remote tree still has below it something that the local tree has too (and that this changeset
   * does not move). Base: the sequence up to which the remote tree was folded when *this plan* was made,
   * not a later one.
   * Synced: the entry and everything below it is dropped.
   */
  | { readonly kind: 'push-remove'; readonly entryId: EntryId }
  /**
   * Rename a remote file or link on the server (its folder stays): a folder of this device needs the name.
   * Base: the remote node's sequence. Synced: unchanged.
   */
  | {
      readonly kind: 'push-rename';
      readonly entryId: EntryId;
      readonly name: string;
      readonly notice: NoticeKind;
    }
  // towards the disk
  /** Synced: becomes the remote node as placed. */
  | { readonly kind: 'make-folder'; readonly entryId: EntryId }
  /** `replace`: the link is there; only its target changes. Synced: as for download. */
  | { readonly kind: 'make-link'; readonly entryId: EntryId; readonly replace: boolean }
  /**
   * Fetch the remote content and place it at the remote's parent and name; `replace`: a local file of this id is
   * there and unchanged: it is replaced where it is now. Synced: the remote node as placed; with `replace` only
   * content and attributes.
   */
  | { readonly kind: 'download'; readonly entryId: EntryId; readonly replace: boolean }
  /**
   * Rename on disk to this parent and name: the remote's (synced: the place), a temporary name that breaks a
   * cycle, or with `notice` a name that is free because the remote has taken its own (synced: unchanged).
   */
  | {
      readonly kind: 'move-local';
      readonly entryId: EntryId;
      readonly parentId: EntryId;
      readonly name: string;
      readonly notice?: NoticeKind;
      /** With `notice`: the remote entry whose conflict copy it becomes and is marked as. */
      readonly conflictOf?: EntryId;
      /** The user's own move of it gives way: it came later than the server's, or would go round with that. */
      readonly overruled?: 'move-overruled' | 'move-refused';
    }
  /** Give the local file the remote's executable bit and modification time. Synced: those. */
  | { readonly kind: 'set-attributes'; readonly entryId: EntryId }
  /** Remove an unchanged file or link, or a folder that is empty by then. Synced: dropped. */
  | { readonly kind: 'remove-local'; readonly entryId: EntryId };

export type NoticeKind =
  | 'conflict-copy'
  | 'case-conflict'
  | 'type-conflict'
  | 'last-write-wins'
  | 'move-overruled'
  | 'move-refused'
  | 'rescued';

/** Why an operation is planned. Kept stable: `cairn why` and tests name them. */
export type ReasonCode =
  | 'content-unknown'
  | 'same-place-same-thing'
  | 'same-conflict-copy'
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
  | 'move-goes-round'
  | 'last-write-wins'
  | 'name-taken'
  | 'names-differ-only-by-case'
  | 'kinds-differ'
  | 'breaks-name-cycle'
  | 'not-selected'
  | 'not-possible-here'
  | 'left-alone-here';

export interface PlanIssue {
  readonly entryId: EntryId;
  readonly code:
    | 'unreadable'
    | 'parent-unreadable'
    | 'bad-local-name'
    | 'too-deep'
    | 'waiting-for-parent'
    | 'waiting-for-name'
    | 'name-not-possible-here'
    | 'not-selected-but-changed';
}

/**
 * Why this device does not hold a place: `ignored` by rules, so that what lies there on disk is nobody's business,
 * or `not-selected`, so that what is on disk goes once the server certainly has it, or `not-possible`, because the disk
 * cannot have such names: as not selected, but what is new here gets to the server first.
 */
export type LeftOut = 'ignored' | 'not-selected' | 'not-possible';

export interface HeldDeletes {
  /** `down`: the server's deletes would reach this disk. `up`: this disk's deletes would reach the server. */
  readonly direction: 'up' | 'down';
  readonly count: number;
  /** Entries in the synced tree. */
  readonly total: number;
  /** Bytes of the files concerned, on disk (`down`) or on the server (`up`). */
  readonly sizeBytes: number;
  /** At most ten, smallest ids first. */
  readonly examples: readonly EntryId[];
}

export interface PlanOptions {
  readonly deviceName: string;
  /** `YYYY-MM-DD`, for names of conflict copies. */
  readonly date: string;
  /** The disk does *not* tell `a` from `A` or NFC from NFD; names that differ only by Unicode form are one. */
  readonly foldsNames: boolean;
  /** Names that the disk refuses; none when not given. */
  readonly reservedNames?: ReservedNames;
  /** More deletes than `max(count, share × size of the synced tree)` in one direction are held. */
  readonly brake: {
    readonly count: number;
    readonly share: number;
    /** Deletes of the last moments that count as if they were in this plan; none when not given. */
    readonly recent?: { readonly up: number; readonly down: number };
  };
  /** Deletes that the user has confirmed are not held. */
  readonly confirmed: ReadonlySet<'up' | 'down'>;
  /**
   * Places that this device leaves out, by path in the merged tree (`/` between names), with all that is below
   * them. What it lacks there is never taken for removed. None when not given.
   */
  readonly leavesOut?: (path: string, isFolder: boolean) => LeftOut | null;
}
