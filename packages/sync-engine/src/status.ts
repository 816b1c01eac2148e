import type { Clock } from '@cairn/environment';
import type { EntryId } from '@cairn/model';
import { describeIssue, type HeldDeletes, type Plan, type PlanIssue } from '@cairn/planner';
import type { Notice, TreeStore } from '@cairn/tree-store';
import type { TransferCounters } from './execute/deps.ts';
import type { ReceivingFile } from './execute/receive-ahead.ts';
import { classOf } from './execute/select-operations.ts';
import type { Failures } from './failures.ts';
import { type LocalTree, pathIn } from './local-tree.ts';
import type { UnsyncedReason } from './observe/collect.ts';
import type { WatchState } from './scan-schedule.ts';
import type { SelectionMark } from './selection.ts';

/** Name of the value in the tree store that says when the trees were last equal. */
export const LAST_IN_SYNC = 'lastInSyncAt';
/** Lists in a status stop at this many items; the counts go on. */
const MAX_LISTED = 100;

export type SyncState =
  | 'starting'
  | 'syncing'
  | 'in-sync'
  /** Everything that can be done is done; some items wait (see `problems`). */
  | 'waiting'
  | 'held'
  | 'offline'
  | 'paused'
  | 'stopped';

export interface Problem {
  readonly path: string;
  readonly code: string;
  readonly message: string;
  readonly attempts: number;
  /** Milliseconds since 1970. */
  readonly nextAttemptAt: number;
}

/** A picture of the engine at one moment, ready for JSON. */
export interface SyncStatus {
  readonly state: SyncState;
  readonly connection: 'live' | 'polling' | 'offline';
  /** Why the server cannot be reached, or what stopped the engine; `null` when all is well. */
  readonly trouble: { readonly code: string; readonly message: string } | null;
  readonly files: number;
  readonly folders: number;
  /** Journal sequence that the remote tree stands at. */
  readonly sequence: number;
  /** What the last plan still has to do, in items. */
  readonly pending: { readonly up: number; readonly down: number; readonly inspect: number };
  /** Paths of large transfers under way. */
  readonly transfers: readonly string[];
  /** Large files that other devices are sending, received before they are committed. */
  readonly receivingAhead: readonly ReceivingFile[];
  readonly held: (HeldDeletes & { readonly paths: readonly string[] }) | null;
  readonly problems: readonly Problem[];
  readonly issues: readonly {
    readonly path: string;
    readonly code: PlanIssue['code'];
    readonly text: string;
  }[];
  readonly unsynced: readonly { readonly path: string; readonly reason: UnsyncedReason }[];
  /** How changes on this disk are noticed. */
  readonly watch: WatchState;
  /** What this device holds of the space, as the user chose; empty for everything. */
  readonly selection: readonly SelectionMark[];
  /** Entries on which the trees do not agree, other than what is left out; at most that many while syncing. */
  readonly differing: number;
  /** Milliseconds since 1970 when what waits as a whole (the server, a full disk) is tried next. */
  readonly nextAttemptAt: number | null;
  readonly notices: readonly Notice[];
  readonly counters: Readonly<TransferCounters>;
  /** Milliseconds since 1970 when the trees were last equal; `null` if not since the start. */
  readonly lastInSyncAt: number | null;
}

/** What the loop keeps about itself. */
export interface EngineFacts {
  state: SyncState;
  connection: SyncStatus['connection'];
  trouble: SyncStatus['trouble'];
  lastInSyncAt: number | null;
}

interface StatusSources {
  readonly trees: TreeStore;
  readonly local: LocalTree;
  readonly plan: Plan | null;
  readonly failures: Failures;
  readonly unsynced: ReadonlyMap<string, UnsyncedReason>;
  readonly transfers: readonly EntryId[];
  readonly receivingAhead: readonly ReceivingFile[];
  readonly counters: Readonly<TransferCounters>;
  readonly watch: WatchState;
  readonly selection: readonly SelectionMark[];
  readonly differing: number;
  readonly clock: Clock;
  readonly nextRetryMs: number | null;
}

export function describeStatus(facts: EngineFacts, sources: StatusSources): SyncStatus {
  const { trees, local, plan, failures, unsynced, transfers, counters, clock, nextRetryMs } = sources;
  const atInstant = (inMs: number) => Math.round(clock.now() + inMs);
  const pathOf = (id: EntryId) => findPath(sources, id) ?? id;
  const { files, folders } = countSynced(trees, local.rootId);
  const pending = { up: 0, down: 0, inspect: 0 };
  for (const { operation } of plan?.operations ?? []) {
    const group = classOf(operation);
    if (group === 'push') pending.up++;
    else if (group === 'download' || group === 'local') pending.down++;
    else if (group === 'inspect') pending.inspect++;
  }
  const held = plan?.held ?? null;
  return {
    ...facts,
    files,
    folders,
    sequence: trees.cursor?.sequence ?? 0,
    pending,
    transfers: transfers.map(pathOf),
    receivingAhead: sources.receivingAhead,
    held: held === null ? null : { ...held, paths: held.examples.map(pathOf) },
    problems: failures
      .list()
      .slice(0, MAX_LISTED)
      .map(({ entryId, code, message, attempts, nextAttemptMs }) => ({
        path: pathOf(entryId),
        code,
        message,
        attempts,
        nextAttemptAt: atInstant(Math.max(0, nextAttemptMs - clock.monotonicMs())),
      })),
    issues: (plan?.issues ?? [])
      .slice(0, MAX_LISTED)
      .map(({ entryId, code }) => ({ path: pathOf(entryId), code, text: describeIssue(code) })),
    unsynced: [...unsynced].slice(0, MAX_LISTED).map(([path, reason]) => ({ path, reason })),
    watch: sources.watch,
    selection: sources.selection,
    differing: sources.differing,
    nextAttemptAt: nextRetryMs === null ? null : atInstant(nextRetryMs),
    notices: trees
      .listNotices(1000)
      .filter(({ kind, path }) => kind !== 'conflict-copy' || isUndecided(sources, path))
      .slice(0, 20),
    counters: { ...counters },
  };
}

interface Counted {
  readonly size: number;
  readonly files: number;
  readonly folders: number;
}
const lastCounts = new WeakMap<TreeStore, Counted>();

/** Files (links included) and folders that both sides agree on; counted anew only when their number changed. */
function countSynced(trees: TreeStore, rootId: EntryId): Counted {
  const { synced } = trees;
  const last = lastCounts.get(trees);
  if (last?.size === synced.size) return last;
  let folders = 0;
  let files = 0;
  for (const { kind } of synced.sketches()) {
    if (kind === 'folder') folders++;
    else files++;
  }
  if (synced.get(rootId) !== undefined) folders--;
  const counted = { size: synced.size, files, folders };
  lastCounts.set(trees, counted);
  return counted;
}

/** An entry's path where it is now, else where the server has it, else where it last was. */
export function findPath(
  { trees, local }: Pick<StatusSources, 'trees' | 'local'>,
  entryId: EntryId,
): string | null {
  return (
    local.path(entryId) ??
    pathIn(trees.remote, local.rootId, entryId) ??
    pathIn(trees.synced, local.rootId, entryId)
  );
}

/** When the trees were last equal, in milliseconds since 1970, as far as was stored; `null` when never. */
export function readLastInSync(trees: TreeStore): number | null {
  const text = trees.getValue(LAST_IN_SYNC);
  return text === null ? null : Number(text);
}

/** Whether a conflict copy still waits for its user: it is there, and was not made an ordinary file. */
function isUndecided({ trees, local }: Pick<StatusSources, 'trees' | 'local'>, path: string): boolean {
  const node = local.findByPath(path);
  if (node === undefined) return false;
  const entry = trees.remote.get(node.entryId);
  if (entry === undefined || entry.kind === 'folder') return true;
  return entry.conflictOf !== undefined || node.conflictOf !== undefined;
}
