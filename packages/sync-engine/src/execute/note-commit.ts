import {
  type Change,
  type ChangeResult,
  type CommitResult,
  type Cursor,
  type Entry,
  formatCursor,
  parseCursor,
  type UpdateChange,
} from '@cairn/model';
import type { LocalNode, Operation, SyncedNode } from '@cairn/planner';
import { descendantsIn, joinPath, pathIn } from '../local-tree.ts';
import { syncedFrom } from '../observe/follow.ts';
import { forgetMark } from './conflict-marks.ts';
import type { ExecuteDeps } from './deps.ts';
import { addNotice } from './notices.ts';

/** A change on its way to the server. */
export interface PreparedChange {
  readonly operation: Extract<
    Operation,
    { kind: 'push-create' | 'push-update' | 'push-remove' | 'push-rename' }
  >;
  readonly change: Change;
  /** The node the change was built from; `null` for removals. */
  readonly node: LocalNode | null;
}

/** From here on it is not known, or the remote tree says, that the server has the content. */
export function forgetUploaded({ uploaded }: Pick<ExecuteDeps, 'uploaded'>, node: LocalNode | null): void {
  if (node?.content) uploaded.delete(node.content.contentId);
}

/**
 * Notes what a commit agreed on. Where the journal shows that nothing of others came between what the remote tree
 * holds and the commit, its rows are known without reading them: the remote tree, the synced tree and the cursor take
 * them at once, just as folding them would. Otherwise (a removal by others must meet what it met there) the journal is
 * followed, and its rows say what was agreed (`settleOwnRow`). The synced tree is never ahead of the cursor: a server
 * that comes back from a backup made in between knows the cursor and not the commit, and what was agreed on with
 * a history that is gone would look like deleted there.
 */
export function noteCommit(
  deps: ExecuteDeps,
  prepared: readonly PreparedChange[],
  result: CommitResult,
): void {
  const before = prepared.map(({ change }) =>
    change.kind === 'update' ? deps.trees.remote.get(change.entryId) : undefined,
  );
  const entries = prepared.map(({ change, node }, index) => {
    const outcome = result.results[index];
    return outcome === undefined ? null : committedEntry(change, node, before[index], outcome);
  });
  const exact = prepared.every(({ change }, index) => isExact(change, before[index], entries[index] ?? null));
  const cursor = exact ? cursorAfter(deps.trees.cursor, prepared, result) : null;
  for (const [index, each] of prepared.entries()) {
    if (result.results[index] === undefined) continue;
    tellOf(deps, each, before[index], entries[index] ?? null);
    if (cursor !== null) noteAgreed(deps, each, entries[index] ?? null);
  }
  deps.noteCommitted(Math.max(0, ...result.results.map(({ sequence }) => sequence)));
  if (cursor === null) {
    deps.markRemoteDirty();
    return;
  }
  const { remote } = deps.trees;
  for (const [index, entry] of entries.entries()) {
    if (entry !== null) {
      remote.put(entry);
      continue;
    }
    const entryId = prepared[index]?.operation.entryId;
    if (entryId === undefined) continue;
    for (const id of descendantsIn(remote, entryId).reverse()) remote.delete(id);
    remote.delete(entryId);
  }
  deps.trees.cursor = cursor;
}

/** Whether what the journal will say of a change is known: of what came back from the trash the server knows more. */
function isExact(change: Change, before: Entry | undefined, entry: Entry | null): boolean {
  if (change.kind === 'remove') return true;
  return entry !== null && (change.kind === 'create' || (change.kind === 'update' && before !== undefined));
}

/**
 * Where the remote tree stands once it holds the committed entries; `null` when the journal has more to tell: others
 * came in between, or it is another history.
 */
function cursorAfter(
  cursor: Cursor | null,
  prepared: readonly PreparedChange[],
  { journal, sequence, results }: CommitResult,
): Cursor | null {
  if (cursor === null || journal.before !== formatCursor(cursor)) return null;
  if (results.length !== prepared.length) return null;
  // Two changes of one entry would each have been made from the state before both.
  if (new Set(prepared.map(({ change }) => change.entryId)).size !== prepared.length) return null;
  let last = cursor.sequence;
  for (const [index, { change }] of prepared.entries()) {
    const row = results[index]?.sequence ?? 0;
    if (row === last + 1) last = row;
    // Nothing was to be changed any more: no row of its own.
    else if (row > last || change.kind === 'remove') return null;
  }
  const after = parseCursor(journal.after);
  return last === sequence && after?.sequence === last && after.epoch === cursor.epoch ? after : null;
}

/** What the user is told, and what is not needed any more. */
function tellOf(
  deps: ExecuteDeps,
  { operation, change, node }: PreparedChange,
  before: Entry | undefined,
  entry: Entry | null,
): void {
  const { entryId } = operation;
  if (change.kind === 'remove') {
    deps.noteRemoved('up', 1 + descendantsIn(deps.trees.synced, entryId).length);
    return;
  }
  if (entry === null) return;
  if (operation.kind === 'push-rename') {
    const folder =
      entry.parentId === null ? null : pathIn(deps.trees.remote, deps.local.rootId, entry.parentId);
    const pathOf = (name: string) => joinPath(folder ?? '', name);
    addNotice(deps, operation.notice, pathOf(before?.name ?? ''), pathOf(entry.name));
    return;
  }
  const notice = operation.kind === 'push-update' ? operation.notice : undefined;
  const path = deps.local.path(entryId);
  if (notice !== undefined && path !== null) addNotice(deps, notice, path, path);
  forgetMark(deps, entry);
  forgetUploaded(deps, node);
}

/** Notes exactly the fields sent as what both sides agreed on. */
function noteAgreed(deps: ExecuteDeps, { operation, change }: PreparedChange, entry: Entry | null): void {
  const { synced } = deps.trees;
  const { entryId } = operation;
  if (change.kind === 'remove') {
    for (const id of descendantsIn(synced, entryId).reverse()) synced.delete(id);
    synced.delete(entryId);
    return;
  }
  if (entry === null || operation.kind === 'push-rename') return;
  const agreed = syncedFrom(entry);
  const old = synced.get(entryId);
  synced.put(
    change.kind === 'update' && old !== undefined ? { ...old, ...sentFields(change, agreed) } : agreed,
  );
}

/** The entry as the server has it after the commit. */
function committedEntry(
  change: Change,
  node: LocalNode | null,
  before: Entry | undefined,
  { sequence, versionId }: ChangeResult,
): Entry | null {
  if (change.kind === 'create') {
    const { entryId, parentId, name, entry } = change;
    if (entry.kind === 'folder') return { entryId, parentId, name, sequence, kind: 'folder' };
    return versionId === null ? null : { entryId, parentId, name, sequence, versionId, ...entry };
  }
  if (change.kind !== 'update') return null;
  const { entryId, kind: _kind, baseSequence: _base, ...sent } = change;
  if (before !== undefined) {
    const version = versionId !== null && before.kind !== 'folder' ? { versionId } : {};
    const { conflictOf, conflictPolicy, ...entry }: Record<string, unknown> = { ...before, ...sent };
    // A mark that the change takes away is absent.
    const marks = {
      ...(conflictOf == null ? {} : { conflictOf }),
      ...(conflictPolicy == null ? {} : { conflictPolicy }),
    };
    return { ...entry, ...marks, ...version, sequence } as unknown as Entry;
  }
  // It was revived with everything it has.
  const { parentId, name, content, target, executable, modifiedAtUs } = sent;
  if (
    node === null ||
    parentId === undefined ||
    name === undefined ||
    modifiedAtUs === undefined ||
    versionId === null
  )
    return null;
  const common = { entryId, parentId, name, sequence, versionId, modifiedAtUs };
  if (content !== undefined && executable !== undefined)
    return { ...common, kind: 'file', content, executable };
  return target === undefined ? null : { ...common, kind: 'link', target };
}

/** What an update agreed on: the fields that were sent. */
function sentFields(change: UpdateChange, agreed: SyncedNode): Partial<SyncedNode> {
  return {
    sequence: agreed.sequence,
    ...(change.name === undefined ? {} : { parentId: agreed.parentId, name: agreed.name }),
    ...(change.content === undefined ? {} : { contentId: agreed.contentId }),
    ...(change.target === undefined ? {} : { target: agreed.target }),
    ...(change.executable === undefined ? {} : { executable: agreed.executable }),
    ...(change.modifiedAtUs === undefined ? {} : { modifiedAtUs: agreed.modifiedAtUs }),
  };
}
