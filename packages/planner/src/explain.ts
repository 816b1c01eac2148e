import { type EntryId, findReservedName } from '@cairn/model';
import { compareContents, sameAttributes, samePlace } from './differences.ts';
import { plan } from './make-plan.ts';
import type { LeftOut, PlanIssue, PlannedOperation, PlanOptions } from './plan.ts';
import { describeReason } from './reasons.ts';
import type { LocalNode, RemoteNode, SyncedNode, Trees } from './trees.ts';
import { createView } from './view.ts';

/** The exact state of one entry, for `cairn why`. */
export interface Explanation {
  readonly entryId: EntryId;
  readonly remote: RemoteNode | null;
  readonly local: LocalNode | null;
  readonly synced: SyncedNode | null;
  /** Nothing to do: the three trees agree. */
  readonly inSync: boolean;
  /** What happens next to this entry. */
  readonly operations: readonly PlannedOperation[];
  readonly issues: readonly PlanIssue[];
  /** The same in plain words, one sentence each. */
  readonly sentences: readonly string[];
}

const ISSUE_SENTENCES: Record<PlanIssue['code'], string> = {
  'not-selected-but-changed':
    'It is not selected for this device, but the server does not have it as it is here, so it stays. Select it, or move it elsewhere to sync it.',
  'name-not-possible-here':
    'This disk cannot have its name, or that of a folder around it, so it is not synced here; it stays on the server. Rename it there.',
  unreadable: 'It cannot be read on this device; make it readable and it syncs again.',
  'parent-unreadable':
    'It belongs into a folder that cannot be read on this device; nothing is concluded until it can.',
  'bad-local-name': 'Its name cannot be synced; rename it on this device.',
  'too-deep': 'It lies in too many folders inside each other; move it further up.',
  'waiting-for-parent': 'A folder around it must be synced first.',
  'waiting-for-name': 'Something that cannot be synced now sits on its name.',
};

const LEFT_OUT_SENTENCES: Record<Exclude<LeftOut, 'not-possible'>, string> = {
  ignored: 'The rules of this folder leave it alone, so it is not brought here.',
  'not-selected': 'It is not selected for this device, so it is only on the server.',
};

/** A sentence for a person: what is wrong and what to do. */
export function describeIssue(code: PlanIssue['code']): string {
  return ISSUE_SENTENCES[code];
}

/** Says which trees have the entry, how they differ, what is planned for it and why. Works on any id. */
export function explainEntry(
  trees: Trees,
  entryId: EntryId,
  options: PlanOptions,
  /** As of `plan`; everything when not given. */
  candidates?: Iterable<EntryId>,
): Explanation {
  const view = createView(trees, options);
  const remote = view.remote(entryId);
  const local = view.local(entryId);
  const synced = view.synced(entryId);
  const made = plan(trees, options, candidates);
  const operations = made.operations.filter(({ operation }) =>
    operation.kind === 'adopt'
      ? operation.localId === entryId || operation.remoteId === entryId
      : operation.entryId === entryId,
  );
  const issues = made.issues.filter((issue) => issue.entryId === entryId);
  const sentences = [describePresence(remote, local, synced)];
  sentences.push(...describeChanges('on the server', remote, synced, options));
  sentences.push(...describeChanges('on this device', local, synced, options));
  for (const { operation, reason } of operations) {
    sentences.push(`Next: ${operation.kind}. ${describeReason(reason)}`);
  }
  for (const { code } of issues) sentences.push(describeIssue(code));
  const removal = synced !== undefined && (remote === undefined) !== (local === undefined);
  if (removal && operations.length === 0 && made.held !== null) {
    sentences.push('Too many deletes at once: they wait until you confirm them.');
  }
  const known = remote !== undefined || local !== undefined || synced !== undefined;
  const left = view.leftOut(entryId);
  if (left === 'not-possible') sentences.push(...describeReservedNames(trees, entryId, options));
  else if (left !== null && local === undefined) sentences.push(LEFT_OUT_SENTENCES[left]);
  const idle = known && operations.length === 0 && issues.length === 0 && !removal;
  if (idle) sentences.push('Nothing to do.');
  const inSync = idle && remote !== undefined && local !== undefined && synced !== undefined;
  return {
    entryId,
    remote: remote ?? null,
    local: local ?? null,
    synced: synced ?? null,
    inSync,
    operations,
    issues,
    sentences,
  };
}

/** Which names on an entry's path on the server this disk cannot have. */
function describeReservedNames(trees: Trees, entryId: EntryId, options: PlanOptions): string[] {
  const sentences: string[] = [];
  let at: EntryId | null = entryId;
  for (let steps = 0; at !== null && steps <= trees.remote.size; steps++) {
    const node: RemoteNode | undefined = trees.remote.get(at);
    if (node === undefined) break;
    const problem = findReservedName(node.name, options.reservedNames ?? 'none');
    if (problem !== null) sentences.push(`"${node.name}": ${problem}.`);
    at = node.parentId;
  }
  return sentences;
}

function describePresence(
  remote: RemoteNode | undefined,
  local: LocalNode | undefined,
  synced: SyncedNode | undefined,
): string {
  if (remote === undefined && local === undefined && synced === undefined) {
    return 'Neither this device nor the server knows it.';
  }
  const where =
    remote !== undefined && local !== undefined
      ? 'It is on the server and on this device'
      : remote !== undefined
        ? 'It is on the server but not on this device'
        : local !== undefined
          ? 'It is on this device but not on the server'
          : 'It is neither on the server nor on this device';
  return synced === undefined ? `${where}, and was never in sync.` : `${where}, and was in sync before.`;
}

function describeChanges(
  where: string,
  node: RemoteNode | LocalNode | undefined,
  synced: SyncedNode | undefined,
  options: PlanOptions,
): string[] {
  if (node === undefined || synced === undefined) return [];
  const sentences: string[] = [];
  if (!samePlace(node, synced, options.foldsNames)) {
    sentences.push(`Since then it was moved or renamed ${where}, to "${node.name}".`);
  }
  const contents = compareContents(node, synced);
  if (contents === 'different') sentences.push(`Since then it was edited ${where}.`);
  if (contents === 'unknown') sentences.push(`Its content ${where} has not been read yet.`);
  if (!sameAttributes(node, synced)) {
    sentences.push(`Since then its modification time or executable bit changed ${where}.`);
  }
  return sentences;
}
