import {
  CairnError,
  type ChangeConflict,
  type ChangesetId,
  createId,
  type Entry,
  type EntryId,
  formatCursor,
  isCairnError,
  type NewEntry,
  type UpdateChange,
} from '@cairn/model';
import type { LocalNode, SyncedNode } from '@cairn/planner';
import { findPath } from '../status.ts';
import type { ExecuteDeps } from './deps.ts';
import { readStable } from './inspect.ts';
import { forgetUploaded, noteCommit, type PreparedChange } from './note-commit.ts';
import { noteSent } from './sent-changesets.ts';

export type PushOperation = PreparedChange['operation'];

const MAX_ATTEMPTS = 4;

/**
 * Sends operations to the server as one changeset. Blocks that the server may lack go first. Changes that the
 * server refuses are taken out, with what depends on them, and the others committed; the refused ones come back
 * in a later plan, made with what the server has now.
 */
export async function pushOperations(
  deps: ExecuteDeps,
  operations: readonly PushOperation[],
  signal: AbortSignal,
): Promise<void> {
  // The history that the sequences in the changes are of; it may be another one by the time they are sent.
  let { cursor } = deps.trees;
  let prepared = await prepare(deps, operations, signal);
  for (let attempt = 0; prepared.length > 0 && attempt < MAX_ATTEMPTS; attempt++) {
    const changesetId = createId<ChangesetId>(deps.environment.random.bytes(16));
    noteSent(deps.trees, changesetId);
    await deps.makeDurable();
    try {
      const result = await deps.space.commit(
        {
          changesetId,
          ...(cursor === null ? {} : { cursor: formatCursor(cursor) }),
          changes: prepared.map((each) => each.change),
        },
        signal,
      );
      deps.counters.commits++;
      for (const { operation } of prepared) {
        const { entryId } = operation;
        deps.failures.forget(entryId);
        deps.noteDone(operation.kind, findPath(deps, entryId) ?? '');
      }
      noteCommit(deps, prepared, result);
      return;
    } catch (error) {
      if (isCairnError(error, 'conflict')) {
        deps.markRemoteDirty();
        const conflicts = (error.details['conflicts'] ?? []) as ChangeConflict[];
        if (conflicts.length === 0) throw error;
        prepared = withoutRefused(deps, prepared, conflicts);
      } else if (isCairnError(error, 'cursor-unknown')) {
        // Everything is compared with the new history before anything is sent to it.
        deps.markRemoteDirty();
        return;
      } else if (isCairnError(error, 'blocks-missing')) {
        for (const each of prepared) forgetUploaded(deps, each.node);
        cursor = deps.trees.cursor;
        prepared = await prepare(
          deps,
          prepared.map((each) => each.operation),
          signal,
        );
      } else if (isCairnError(error, 'bad-request', 'bad-name', 'too-large') && prepared.length > 1) {
        // One change that the server cannot take must not hold up the others: send them one by one.
        for (const each of prepared) await pushOperations(deps, [each.operation], signal);
        return;
      } else if (
        isCairnError(error, 'bad-request', 'bad-name', 'too-large', 'not-found', 'changeset-mismatch')
      ) {
        for (const each of prepared) deps.failures.record(each.operation.entryId, each.operation.kind, error);
        return;
      } else {
        throw error;
      }
    }
  }
  for (const each of prepared) {
    const error = new CairnError(
      'conflict',
      'the server keeps refusing this change; it will be planned anew',
    );
    deps.failures.record(each.operation.entryId, each.operation.kind, error);
  }
}

/** Builds the changes from the trees and makes sure the server has their blocks. */
async function prepare(
  deps: ExecuteDeps,
  operations: readonly PushOperation[],
  signal: AbortSignal,
): Promise<PreparedChange[]> {
  const prepared: PreparedChange[] = [];
  const needed: LocalNode[] = [];
  const leaving = new Set<EntryId>();
  for (const operation of operations) {
    const each = buildChange(deps, operation, leaving);
    if (each === null) continue;
    prepared.push(each);
    if (each.change.kind === 'update' && each.change.parentId !== undefined) leaving.add(operation.entryId);
    const sendsContent = operation.kind === 'push-create' || operation.kind === 'push-update';
    if (sendsContent && each.node?.content && !isOnServer(deps, each.node)) needed.push(each.node);
  }
  const failed = await uploadContents(deps, needed, signal);
  return failed.size === 0 ? prepared : dropWithDependents(prepared, failed);
}

function isOnServer(deps: ExecuteDeps, node: LocalNode): boolean {
  const contentId = node.content?.contentId;
  if (contentId === undefined || deps.uploaded.has(contentId)) return true;
  const remote = deps.trees.remote.get(node.entryId);
  return remote?.kind === 'file' && remote.content.contentId === contentId;
}

/** Uploads what an earlier run or a failed transfer left undone; returns the entries that could not be. */
async function uploadContents(
  deps: ExecuteDeps,
  nodes: readonly LocalNode[],
  signal: AbortSignal,
): Promise<Set<EntryId>> {
  const failed = new Set<EntryId>();
  if (nodes.length === 0) return failed;
  const session = deps.space.createUpload({ signal });
  try {
    const sent: LocalNode[] = [];
    for (const node of nodes) {
      const content = await readStable(deps, node, node.content?.manifest.profile ?? null, session, signal);
      if (content === null || content.contentId !== node.content?.contentId) {
        const now = deps.local.get(node.entryId);
        // The bytes are not what was noted: forget it, so that the file is read again.
        if (now !== undefined && now.fingerprint === node.fingerprint)
          deps.local.put({ ...now, content: null });
        failed.add(node.entryId);
      } else {
        sent.push(node);
      }
    }
    await session.flush();
    for (const node of sent) if (node.content) deps.uploaded.add(node.content.contentId);
    deps.counters.uploadedFiles += sent.length;
    deps.counters.uploadedBytes += session.sentBytes;
  } catch (error) {
    session.abort();
    throw error;
  }
  return failed;
}

/**
 * Whether the server still has something below the folder that is here, elsewhere: its move has not been
 * committed and is not part of this changeset, so removing the folder now would take it along.
 */
function stillHoldsSomethingOfOurs(
  deps: ExecuteDeps,
  entryId: EntryId,
  leaving: ReadonlySet<EntryId>,
): boolean {
  const { remote } = deps.trees;
  const open: EntryId[] = [entryId];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (leaving.has(id)) continue;
    if (deps.local.get(id) !== undefined) return true;
    open.push(...remote.children(id));
  }
  return false;
}

/** @param leaving entries that earlier changes of the same changeset move */
function buildChange(
  deps: ExecuteDeps,
  operation: PushOperation,
  leaving: ReadonlySet<EntryId>,
): PreparedChange | null {
  const { local, trees } = deps;
  const { entryId } = operation;
  if (operation.kind === 'push-remove') {
    const baseSequence = trees.cursor?.sequence;
    if (baseSequence === undefined || trees.remote.get(entryId) === undefined) return null;
    if (stillHoldsSomethingOfOurs(deps, entryId, leaving)) return null;
    return { operation, change: { kind: 'remove', entryId, baseSequence }, node: null };
  }
  const remote = trees.remote.get(entryId);
  if (operation.kind === 'push-rename') {
    if (remote === undefined || remote.parentId === null) return null;
    const place = { parentId: remote.parentId, name: operation.name };
    return {
      operation,
      change: { kind: 'update', entryId, baseSequence: remote.sequence, ...place },
      node: null,
    };
  }
  const node = local.get(entryId);
  if (node === undefined || node.parentId === null) return null;
  if (operation.kind === 'push-create') {
    const entry = newEntry(node);
    if (entry === null) return null;
    return {
      operation,
      change: { kind: 'create', entryId, parentId: node.parentId, name: node.name, entry },
      node,
    };
  }
  const synced = trees.synced.get(entryId);
  const baseSequence = remote?.sequence ?? synced?.sequence;
  if (baseSequence === undefined) return null;
  // Not on the server any more: this takes it back from the trash, whole.
  const revives = remote === undefined;
  const content = operation.content || revives;
  if (content && node.kind === 'file' && node.content === null) return null;
  const changed = operation.attributes ? changedAttributes(node, remote, synced) : {};
  const change: UpdateChange = {
    kind: 'update',
    entryId,
    baseSequence,
    ...(operation.place || revives ? { parentId: node.parentId, name: node.name } : {}),
    ...(content && node.content !== null ? { content: node.content } : {}),
    ...(content && node.content !== null && !bitIsTheirs(node, remote, synced)
      ? { executable: node.executable }
      : {}),
    ...(content && node.kind === 'link' && node.target !== null ? { target: node.target } : {}),
    ...(content && node.kind !== 'folder' ? { modifiedAtUs: node.modifiedAtUs } : {}),
    ...(content ? {} : changed),
    ...markToSend(operation, node, remote),
  };
  return { operation, change, node };
}

/** With its new name the server learns what the entry is a conflict copy of, unless it knows. */
function markToSend(
  operation: Extract<PushOperation, { kind: 'push-update' }>,
  { conflictOf, kind }: LocalNode,
  remote: Entry | undefined,
): Pick<UpdateChange, 'conflictOf'> {
  if (conflictOf === undefined || kind === 'folder') return {};
  // What comes back from the trash is told whole.
  if (remote === undefined) return { conflictOf };
  return !operation.place || remote.kind === 'folder' || remote.conflictOf !== undefined
    ? {}
    : { conflictOf };
}

/** Whether the executable bit was changed on the server and not here: an edit must not take that back. */
function bitIsTheirs(node: LocalNode, remote: Entry | undefined, synced: SyncedNode | undefined): boolean {
  if (remote?.kind !== 'file' || synced === undefined) return false;
  return node.executable === synced.executable && node.executable !== remote.executable;
}

/** Attributes that were changed here and not on the server. */
function changedAttributes(
  node: LocalNode,
  remote: Entry | undefined,
  synced: SyncedNode | undefined,
): Pick<UpdateChange, 'executable' | 'modifiedAtUs'> {
  if (node.kind === 'folder' || remote === undefined || remote.kind === 'folder') return {};
  const executable = remote.kind === 'file' && remote.executable;
  const bitIsOurs = node.executable !== executable && executable === (synced?.executable ?? executable);
  const timeIsOurs =
    node.modifiedAtUs !== remote.modifiedAtUs &&
    remote.modifiedAtUs === (synced?.modifiedAtUs ?? remote.modifiedAtUs);
  return {
    ...(bitIsOurs && node.kind === 'file' ? { executable: node.executable } : {}),
    ...(timeIsOurs ? { modifiedAtUs: node.modifiedAtUs } : {}),
  };
}

function newEntry(node: LocalNode): NewEntry | null {
  if (node.kind === 'folder') return { kind: 'folder' };
  const { content, target, executable, modifiedAtUs, conflictOf } = node;
  const mark = conflictOf === undefined ? {} : { conflictOf };
  if (node.kind === 'link') return target === null ? null : { kind: 'link', target, modifiedAtUs, ...mark };
  return content === null ? null : { kind: 'file', content, executable, modifiedAtUs, ...mark };
}

/** Takes refused changes out and deals with ids that cannot be used any more. */
function withoutRefused(
  deps: ExecuteDeps,
  prepared: readonly PreparedChange[],
  conflicts: readonly ChangeConflict[],
): PreparedChange[] {
  const refused = new Set<EntryId>();
  for (const conflict of conflicts) {
    const each = prepared[conflict.index];
    if (each === undefined) continue;
    const { entryId } = each.operation;
    refused.add(entryId);
    const revival = conflict.reason === 'entry-missing' || conflict.reason === 'stale-base';
    const unusableId =
      (each.operation.kind === 'push-create' && conflict.reason === 'entry-exists') ||
      (each.operation.kind === 'push-update' && revival && conflict.current === null);
    if (unusableId && deps.trees.remote.get(entryId) === undefined && deps.local.get(entryId) !== undefined) {
      deps.trees.synced.delete(entryId);
      deps.local.rename(entryId, deps.createEntryId());
    } else {
      const error = new CairnError(
        'conflict',
        `the server refused the change (${conflict.reason}); it is planned anew`,
      );
      deps.failures.record(entryId, each.operation.kind, error);
    }
  }
  return dropWithDependents(prepared, refused);
}

/** Leaves out the given entries and whatever is to be created or moved inside them. */
function dropWithDependents(prepared: readonly PreparedChange[], dropped: Set<EntryId>): PreparedChange[] {
  const kept: PreparedChange[] = [];
  for (const each of prepared) {
    const parentId =
      each.change.kind === 'remove' || each.change.kind === 'restore' ? undefined : each.change.parentId;
    if (dropped.has(each.operation.entryId) || (parentId !== undefined && dropped.has(parentId))) {
      dropped.add(each.operation.entryId);
    } else {
      kept.push(each);
    }
  }
  return kept;
}
