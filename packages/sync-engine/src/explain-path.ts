import type { Clock } from '@cairn/environment';
import type { EntryId } from '@cairn/model';
import type { LocalNode, PlanOptions, RemoteNode, SyncedNode, TreeReader } from '@cairn/planner';
import { describeReason, explainEntry } from '@cairn/planner';
import type { TreeStore } from '@cairn/tree-store';
import type { ReceivingFile } from './execute/receive-ahead.ts';
import type { Failures } from './failures.ts';
import { type LocalTree, pathIn } from './local-tree.ts';
import type { UnsyncedReason } from './observe/collect.ts';
import type { IgnoreRules } from './observe/ignore-rules.ts';
import type { SyncState, SyncStatus } from './status.ts';
import { treesAgree } from './trees-agree.ts';

/** Paths below a folder that are listed. */
const MAX_BELOW = 10;
const MIB = 1024 * 1024;

export type Verdict =
  | 'in-sync'
  | 'pending'
  | 'ignored'
  | 'not-selected'
  | 'unsyncable'
  | 'problem'
  | 'unknown-path';

/** What one tree says about an entry. */
export interface TreeFacts {
  readonly kind: string;
  readonly path: string | null;
  readonly contentId: string | null;
  readonly sizeBytes: number | null;
  /** Microseconds since 1970; `null` for folders. */
  readonly modifiedAtUs: number | null;
  readonly executable: boolean;
  readonly target: string | null;
  /** The entry's sequence in the server's journal; `null` for what was seen on disk. */
  readonly sequence: number | null;
}

/** The answer to "why": facts first, then what happens next, as sentences and as data. */
export interface Explanation {
  readonly path: string;
  readonly entryId: EntryId | null;
  readonly verdict: Verdict;
  readonly lines: readonly string[];
  readonly trees: {
    readonly remote: TreeFacts | null;
    readonly local: TreeFacts | null;
    readonly synced: TreeFacts | null;
  };
  readonly planned: readonly { readonly operation: string; readonly reason: string; readonly text: string }[];
  /** What was tried last and failed; `null` when nothing did. */
  readonly attempt: {
    readonly operation: string;
    readonly attempts: number;
    readonly code: string;
    readonly message: string;
    readonly lastAt: number;
    readonly nextAttemptAt: number;
  } | null;
  /** Why what is planned does not happen at this moment. */
  readonly waits: readonly string[];
  /** For a folder: what is not in sync somewhere below it. */
  readonly below: { readonly count: number; readonly paths: readonly string[] };
}

export interface ExplainDeps {
  readonly trees: TreeStore;
  readonly local: LocalTree;
  readonly failures: Failures;
  readonly rules: IgnoreRules;
  readonly unsynced: ReadonlyMap<string, UnsyncedReason>;
  readonly options: PlanOptions;
  readonly state: SyncState;
  readonly trouble: SyncStatus['trouble'];
  readonly clock: Clock;
  /** On the monotonic clock, from now; `null` when the engine as a whole does not wait. */
  readonly nextRetryMs: number | null;
  /** Whether this device leaves the entry out. */
  isLeftOut(entryId: EntryId): boolean;
  isTransferring(entryId: EntryId): boolean;
  /** Files that other devices still send, of which something is here already. */
  readonly receivingAhead: readonly ReceivingFile[];
}

const UNSYNCED_TEXTS: Record<UnsyncedReason, string> = {
  ignored: 'It matches a rule of .cairnignore, so it stays on this device only.',
  'not-selected':
    'It lies in a place that is not selected for this device, so it is neither sent nor touched. Select the place ("cairn sync select --include"), or move it elsewhere, to sync it.',
  'special-file': 'It is a pipe, socket or device file; those cannot be synced. It is left as it is.',
  'name-not-unicode': 'Its name is not valid UTF-8. Rename it and it will be synced.',
  'bad-name':
    'Its name cannot be used in a space (reserved, or longer than 255 bytes). Rename it and it will be synced.',
  'other-filesystem':
    'Another filesystem is mounted there; only the disk of the synced folder itself is synced.',
  'too-deep': 'It lies too many folders deep.',
  unreadable:
    'It cannot be read (permissions or a disk error). Nothing is concluded from that; it is tried again.',
};

const NOTHING = {
  trees: { remote: null, local: null, synced: null },
  planned: [],
  attempt: null,
  waits: [],
  below: { count: 0, paths: [] },
} as const;

/**
 * @param path relative to the synced folder, `/` between names
 */
export function explainPath(deps: ExplainDeps, path: string): Explanation {
  const { trees, local } = deps;
  const { rootId } = local;
  const entryId =
    local.findByPath(path)?.entryId ??
    findIn(trees.remote, rootId, path) ??
    findIn(trees.synced, rootId, path);
  if (entryId === null || entryId === undefined) return explainUnknown(deps, path);

  const view = { rootId, remote: trees.remote, local: trees.local, synced: trees.synced };
  const touched = [...trees.touched()];
  const explained = explainEntry(view, entryId, deps.options, [...touched, entryId]);
  const lines = [...explained.sentences];
  const unsynced = deps.unsynced.get(path === '' ? '/' : path);
  if (unsynced !== undefined) lines.push(UNSYNCED_TEXTS[unsynced]);

  const attempt = describeAttempt(deps, entryId);
  if (attempt !== null) {
    lines.push(
      `The last attempt (${attempt.operation}, ${attempt.attempts} so far) failed: ${attempt.message} [${attempt.code}]. It is tried again by itself${describeWait(attempt.nextAttemptAt - deps.clock.now())}.`,
    );
  }
  const planned = explained.operations.map(({ operation, reason }) => ({
    operation: operation.kind,
    reason,
    text: describeReason(reason),
  }));
  const looks = deps.state !== 'stopped' && deps.state !== 'paused';
  const waits = looks && planned.length === 0 && explained.inSync ? [] : describeWaits(deps, entryId);
  lines.push(...waits);
  const ahead = describeAhead(deps, path);
  if (ahead !== null) lines.push(ahead);
  const below = findBelow(deps, touched, path, entryId);
  if (below.count > 0)
    lines.push(
      `Not in sync below it: ${below.count}, for instance "${below.paths.slice(0, 3).join('", "')}".`,
    );

  const agrees = treesAgree(view, entryId);
  const leftOut = trees.local.get(entryId) === undefined && deps.isLeftOut(entryId);
  const verdict: Verdict =
    attempt !== null
      ? 'problem'
      : unsynced !== undefined
        ? unsynced === 'ignored' || unsynced === 'not-selected'
          ? unsynced
          : 'unsyncable'
        : leftOut
          ? deps.rules.findRule(path, false) === null && deps.rules.findRule(path, true) === null
            ? 'not-selected'
            : 'ignored'
          : explained.issues.length > 0
            ? 'problem'
            : agrees && planned.length === 0
              ? 'in-sync'
              : 'pending';
  return {
    path,
    entryId,
    verdict,
    lines,
    trees: {
      remote: factsOf(explained.remote, pathIn(trees.remote, rootId, entryId)),
      local: factsOf(explained.local, pathIn(trees.local, rootId, entryId)),
      synced: factsOf(explained.synced, pathIn(trees.synced, rootId, entryId)),
    },
    planned,
    attempt,
    waits,
    below,
  };
}

function explainUnknown(deps: ExplainDeps, path: string): Explanation {
  const { rules, unsynced, state, options } = deps;
  const reason = unsynced.get(path);
  const rule = rules.findRule(path, false) ?? rules.findRule(path, true);
  if (rule !== null || reason === 'ignored') {
    const which = rule === null ? '' : ` (rule "${rule}")`;
    const lines = [`${UNSYNCED_TEXTS.ignored.slice(0, -1)}${which}.`];
    return { path, entryId: null, verdict: 'ignored', lines, ...NOTHING };
  }
  if (reason === 'not-selected' || options.leavesOut?.(path, false) === 'not-selected')
    return {
      path,
      entryId: null,
      verdict: 'not-selected',
      lines: [UNSYNCED_TEXTS['not-selected']],
      ...NOTHING,
    };
  if (reason !== undefined)
    return { path, entryId: null, verdict: 'unsyncable', lines: [UNSYNCED_TEXTS[reason]], ...NOTHING };
  const ahead = describeAhead(deps, path);
  if (ahead !== null) return { path, entryId: null, verdict: 'pending', lines: [ahead], ...NOTHING };
  const lines = ['Neither this device nor the server has anything at this path.'];
  if (state !== 'in-sync') lines.push('The folder is still being compared; ask again when it is in sync.');
  return { path, entryId: null, verdict: 'unknown-path', lines, ...NOTHING };
}

/** What another device still sends to this path, and that nobody sees yet; `null` for nothing. */
function describeAhead({ receivingAhead }: ExplainDeps, path: string): string | null {
  const file = receivingAhead.find((each) => each.path === path);
  if (file === undefined) return null;
  const [received, size] = [file.receivedBytes, file.sizeBytes].map((bytes) => (bytes / MIB).toFixed(1));
  return `Another device is sending it now: ${received} of ${size} MiB have been received ahead. It is here once that device has sent it all.`;
}

function describeAttempt({ failures, clock }: ExplainDeps, entryId: EntryId): Explanation['attempt'] {
  const failure = failures.get(entryId);
  if (failure === undefined) return null;
  const { operation, attempts, code, message, lastAt, nextAttemptMs } = failure;
  const nextAttemptAt = Math.round(clock.now() + Math.max(0, nextAttemptMs - clock.monotonicMs()));
  return { operation, attempts, code, message, lastAt, nextAttemptAt };
}

/** What holds up the engine as a whole, or this entry. */
function describeWaits(deps: ExplainDeps, entryId: EntryId): string[] {
  const { state, trouble, nextRetryMs } = deps;
  const waits: string[] = [];
  const again = nextRetryMs === null ? '' : ` It is tried again${describeWait(nextRetryMs)}.`;
  if (state === 'paused')
    waits.push('Sync is paused, so later changes are not known; "cairn sync resume" goes on.');
  if (state === 'stopped')
    waits.push('The sync daemon is stopped, so this is what was known last; "cairn sync start" goes on.');
  if (state === 'starting') waits.push('Sync is just starting.');
  if (state === 'offline')
    waits.push(`The server cannot be used: ${trouble?.message ?? 'no answer'}.${again}`);
  else if (trouble !== null) waits.push(`${trouble.message}.${again}`);
  if (deps.isTransferring(entryId)) waits.push('It is being transferred now.');
  return waits;
}

function describeWait(durationMs: number): string {
  if (durationMs <= 0) return ' at once';
  const seconds = Math.ceil(durationMs / 1000);
  return seconds < 120 ? ` in ${seconds} s` : ` in ${Math.round(seconds / 60)} min`;
}

/** What differs between the trees below a folder, other than what is left out. */
function findBelow(
  deps: ExplainDeps,
  touched: readonly EntryId[],
  path: string,
  entryId: EntryId,
): Explanation['below'] {
  const { trees, local } = deps;
  const prefix = path === '' ? '' : `${path}/`;
  const paths: string[] = [];
  let count = 0;
  for (const id of touched) {
    if (id === entryId || id === local.rootId) continue;
    const at =
      local.path(id) ?? pathIn(trees.remote, local.rootId, id) ?? pathIn(trees.synced, local.rootId, id);
    if (at === null || !at.startsWith(prefix)) continue;
    const view = { rootId: local.rootId, remote: trees.remote, local: trees.local, synced: trees.synced };
    if (treesAgree(view, id) || (trees.local.get(id) === undefined && deps.isLeftOut(id))) continue;
    count++;
    if (paths.length < MAX_BELOW) paths.push(at);
  }
  return { count, paths };
}

function factsOf(node: RemoteNode | LocalNode | SyncedNode | null, path: string | null): TreeFacts | null {
  if (node === null) return null;
  const content = 'content' in node ? (node.content ?? null) : null;
  const contentId = 'contentId' in node ? node.contentId : (content?.contentId ?? null);
  return {
    kind: node.kind,
    path,
    contentId,
    sizeBytes: 'sizeBytes' in node ? node.sizeBytes : (content?.sizeBytes ?? null),
    modifiedAtUs: node.kind === 'folder' ? null : node.modifiedAtUs,
    executable: 'executable' in node && node.executable,
    target: 'target' in node ? node.target : null,
    sequence: 'sequence' in node ? node.sequence : null,
  };
}

function findIn(
  tree: TreeReader<{ readonly entryId: EntryId; readonly name: string }>,
  rootId: EntryId,
  path: string,
): EntryId | null {
  let id = rootId;
  if (path === '') return id;
  for (const name of path.split('/')) {
    let next: EntryId | null = null;
    for (const childId of tree.children(id)) if (tree.get(childId)?.name === name) next = childId;
    if (next === null) return null;
    id = next;
  }
  return id;
}
