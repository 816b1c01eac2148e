import type { FileStatus } from '@cairn/filesystem';
import { CairnError, type EntryId, isCairnError } from '@cairn/model';
import type { LocalNode, Operation } from '@cairn/planner';
import { descendantsIn, foldersOfOtherNames, joinPath, observedFacts, parentPath } from '../local-tree.ts';
import { syncedFrom } from '../observe/follow.ts';
import { createMark } from './conflict-marks.ts';
import type { DownloadDeps, ExecuteDeps, TouchedFolders } from './deps.ts';
import { addNotice } from './notices.ts';

export type LocalOperation = Extract<
  Operation,
  { kind: 'make-folder' | 'make-link' | 'move-local' | 'set-attributes' | 'remove-local' | 'fork' }
>;

type ApplyDeps = Pick<
  ExecuteDeps,
  | 'filesystem'
  | 'trees'
  | 'local'
  | 'environment'
  | 'failures'
  | 'markDirty'
  | 'markMoved'
  | 'noteRemoved'
  | 'noteDone'
  | 'makeDurable'
  | 'createEntryId'
  | 'deviceName'
> &
  Pick<DownloadDeps, 'isIgnored' | 'folderMoved'>;

/**
 * Carries out one operation on the disk. What it finds to be different from the plan's premises is left alone
 * and scanned again.
 */
export async function applyLocally(
  deps: ApplyDeps,
  operation: LocalOperation,
  touched: TouchedFolders,
): Promise<void> {
  try {
    const before = deps.local.path(operation.entryId);
    await perform(deps, operation, touched);
    deps.failures.forget(operation.entryId);
    const after = deps.local.path(operation.entryId);
    const moved = before !== null && after !== null && before !== after;
    deps.noteDone(operation.kind, after ?? before ?? '', moved ? `from ${before}` : undefined);
  } catch (error) {
    if (isCairnError(error, 'root-missing', 'local-disk-full')) throw error;
    const path = deps.local.path(operation.entryId);
    if (path !== null) deps.markDirty(parentPath(path));
    const parentId = deps.trees.remote.get(operation.entryId)?.parentId;
    const remoteParent = parentId ? deps.local.path(parentId) : null;
    if (remoteParent !== null) deps.markDirty(remoteParent);
    deps.failures.record(operation.entryId, operation.kind, error);
  }
}

async function perform(deps: ApplyDeps, operation: LocalOperation, touched: TouchedFolders): Promise<void> {
  switch (operation.kind) {
    case 'make-folder':
      return makeFolder(deps, operation.entryId, touched);
    case 'make-link':
      return makeLink(deps, operation.entryId, operation.replace, touched);
    case 'move-local':
      return moveLocal(deps, operation, touched);
    case 'set-attributes':
      return setAttributes(deps, operation.entryId);
    case 'remove-local':
      return removeLocal(deps, operation.entryId, touched);
    case 'fork':
      return fork(deps, operation, touched);
  }
}

function requireNode(deps: ApplyDeps, entryId: EntryId): { node: LocalNode; path: string } {
  const node = deps.local.get(entryId);
  const path = deps.local.path(entryId);
  if (node === undefined || path === null) {
    throw new CairnError('local-changed', 'the item is not where it was; the folder is scanned again');
  }
  return { node, path };
}

async function makeFolder(deps: ApplyDeps, entryId: EntryId, touched: TouchedFolders): Promise<void> {
  const entry = deps.trees.remote.get(entryId);
  const folder = entry?.parentId ? deps.local.path(entry.parentId) : null;
  if (entry === undefined || folder === null || deps.local.get(entryId) !== undefined) return;
  const path = joinPath(folder, entry.name);
  if (deps.isIgnored(`${path}/`)) return;
  const status = await deps.filesystem.makeFolder(path);
  touched.add(folder);
  deps.local.put({
    entryId,
    parentId: entry.parentId,
    name: entry.name,
    kind: 'folder',
    ...observedFacts(status),
    fingerprint: '',
    content: null,
    state: 'known',
  });
  deps.trees.synced.put(syncedFrom(entry));
}

async function makeLink(
  deps: ApplyDeps,
  entryId: EntryId,
  replace: boolean,
  touched: TouchedFolders,
): Promise<void> {
  const entry = deps.trees.remote.get(entryId);
  if (entry === undefined || entry.kind !== 'link' || entry.parentId === null) return;
  const existing = deps.local.get(entryId);
  if (replace !== (existing !== undefined)) return;
  const folder = deps.local.path(entry.parentId);
  const path =
    existing === undefined
      ? folder === null
        ? null
        : joinPath(folder, entry.name)
      : deps.local.path(entryId);
  if (path === null || deps.isIgnored(path)) return;
  const expected =
    existing === undefined ? ({ absent: true } as const) : { fingerprint: existing.fingerprint };
  const made = await deps.filesystem.makeLink(path, entry.target, expected);
  touched.add(parentPath(path));
  const agreed = syncedFrom(entry);
  const old = replace ? deps.trees.synced.get(entryId) : undefined;
  const note = (status: FileStatus, modifiedAtUs: number): void => {
    deps.local.put({
      entryId,
      parentId: existing?.parentId ?? entry.parentId,
      name: existing?.name ?? entry.name,
      kind: 'link',
      ...observedFacts(status),
      modifiedAtUs,
      content: null,
      ...(existing?.conflictOf === undefined ? {} : { conflictOf: existing.conflictOf }),
      state: 'known',
    });
    const place = old === undefined ? {} : { parentId: old.parentId, name: old.name };
    deps.trees.synced.put({ ...agreed, ...place, modifiedAtUs });
  };
  // Noted before anything else can fail: a link that is not known as ours would be sent as the user's own later on.
  // If its time cannot be set it keeps the one that the disk gave it: a link's time alone is no difference.
  note(made, observedFacts(made).modifiedAtUs);
  const { modifiedAtUs } = entry;
  const attributes = { modifiedAtUs };
  note(
    await deps.filesystem.setAttributes(path, attributes, { fingerprint: made.fingerprint }),
    modifiedAtUs,
  );
}

async function moveLocal(
  deps: ApplyDeps,
  { entryId, parentId, name, notice, conflictOf, overruled }: Extract<Operation, { kind: 'move-local' }>,
  touched: TouchedFolders,
): Promise<void> {
  const { node, path } = requireNode(deps, entryId);
  const folder = deps.local.path(parentId);
  if (folder === null) throw new CairnError('local-changed', 'the folder to move into is not there yet');
  const to = joinPath(folder, name);
  const marked =
    conflictOf === undefined ? node : { ...node, conflictOf: createMark(deps, node, conflictOf) };
  await moveOnDisk(deps, marked, path, to, { parentId, name }, touched);
  if (node.kind === 'folder' && deps.folderMoved(entryId, path, to)) {
    // What was left alone in it went along.
    for (const id of descendantsIn(deps.local, entryId))
      if (deps.local.sketch(id)?.kind === 'folder') deps.markDirty(deps.local.path(id) ?? to);
    deps.markDirty(to);
  }
  if (notice !== undefined) addNotice(deps, notice, path, to);
  if (overruled !== undefined) addNotice(deps, overruled, path, to);
  const entry = deps.trees.remote.get(entryId);
  const synced = deps.trees.synced.get(entryId);
  if (entry?.parentId === parentId && entry.name === name && synced !== undefined) {
    deps.trees.synced.put({ ...synced, parentId, name });
  }
}

/** Renames and notes the new status; content stays known only if nothing but the name changed. */
async function moveOnDisk(
  deps: ApplyDeps,
  node: LocalNode,
  from: string,
  to: string,
  place: { readonly parentId: EntryId | null; readonly name: string },
  touched: TouchedFolders,
): Promise<void> {
  const before = await deps.filesystem.status(from);
  const isFolder = node.kind === 'folder';
  if (
    before === null ||
    before.identity !== node.identity ||
    (!isFolder && before.fingerprint !== node.fingerprint)
  ) {
    throw new CairnError(
      'local-changed',
      'the item changed before it could be moved; its folder is scanned again',
    );
  }
  const after = await deps.filesystem.move(from, to, node.identity);
  if (isFolder) deps.markMoved(from, to);
  for (const folder of [...touched]) {
    // What was done in a folder is made durable where it is now. To keep the old place, too, would double them with each move.
    if (folder !== from && !folder.startsWith(`${from}/`)) continue;
    touched.delete(folder);
    touched.add(to + folder.slice(from.length));
  }
  touched.add(parentPath(from));
  touched.add(parentPath(to));
  const untouched = after.sizeBytes === before.sizeBytes && after.modifiedAtNs === before.modifiedAtNs;
  const facts = observedFacts(after);
  deps.local.put({
    ...node,
    ...place,
    identity: facts.identity,
    fingerprint: isFolder ? '' : facts.fingerprint,
    content: untouched ? node.content : null,
    ...(untouched ? {} : { sizeBytes: facts.sizeBytes, modifiedAtUs: facts.modifiedAtUs }),
    // Set by a user in the moment before: with the new fingerprint, no scan would see it any more.
    ...(after.executable === before.executable ? {} : { executable: facts.executable }),
  });
}

async function setAttributes(deps: ApplyDeps, entryId: EntryId): Promise<void> {
  const { node, path } = requireNode(deps, entryId);
  const entry = deps.trees.remote.get(entryId);
  if (entry === undefined || entry.kind === 'folder' || node.kind === 'folder') return;
  const executable = entry.kind === 'file' && entry.executable;
  const { modifiedAtUs } = entry;
  const wanted = node.kind === 'file' ? { executable, modifiedAtUs } : { modifiedAtUs };
  const status = await deps.filesystem.setAttributes(path, wanted, { fingerprint: node.fingerprint });
  const changed = { ...node, fingerprint: status.fingerprint, executable, modifiedAtUs };
  deps.local.put(changed);
  for (const folder of foldersOfOtherNames(deps.local, changed)) deps.markDirty(folder);
  const synced = deps.trees.synced.get(entryId);
  if (synced !== undefined) deps.trees.synced.put({ ...synced, executable, modifiedAtUs });
}

async function removeLocal(deps: ApplyDeps, entryId: EntryId, touched: TouchedFolders): Promise<void> {
  const { node, path } = requireNode(deps, entryId);
  if (node.kind === 'folder') {
    // What was last seen in it is gone without us: where it went has to be seen first.
    for (const _child of deps.local.children(entryId)) {
      deps.markDirty(path);
      throw new CairnError(
        'local-changed',
        'the folder is not empty as far as is known; it is scanned again',
      );
    }
    try {
      await deps.filesystem.removeFolder(path);
    } catch (error) {
      // What the server still has was only to be let go of; what else lies in the folder is nobody's business.
      const letsGo = isCairnError(error, 'local-changed') && deps.trees.remote.get(entryId) !== undefined;
      if (!letsGo || (await deps.filesystem.list(path)).length === 0) throw error;
      deps.markDirty(parentPath(path));
    }
  } else await deps.filesystem.displace(path, { fingerprint: node.fingerprint });
  touched.add(parentPath(path));
  deps.local.delete(entryId);
  deps.trees.synced.delete(entryId);
  // What the server still has was only not selected.
  if (deps.trees.remote.get(entryId) === undefined) deps.noteRemoved('down', 1);
}

async function fork(
  deps: ApplyDeps,
  { entryId, name, notice, conflictOf, becomes }: Extract<Operation, { kind: 'fork' }>,
  touched: TouchedFolders,
): Promise<void> {
  const { node, path } = requireNode(deps, entryId);
  const to = joinPath(parentPath(path), name);
  // The new id comes first and durably: after a kill the renamed file must not look like the entry moved by the user.
  const newId = becomes ?? deps.createEntryId();
  if (deps.local.get(newId) !== undefined) return;
  const agreed = deps.trees.synced.get(entryId);
  const isMarked = conflictOf !== null && becomes === undefined;
  const mark = isMarked ? { conflictOf: createMark(deps, node, conflictOf) } : {};
  deps.local.rename(entryId, newId, mark);
  deps.trees.synced.delete(entryId);
  await deps.makeDurable();
  const renewed = { ...node, ...mark, entryId: newId };
  try {
    await moveOnDisk(deps, renewed, path, to, { parentId: node.parentId, name }, touched);
  } catch (error) {
    deps.local.rename(newId, entryId);
    deps.local.put(node);
    if (agreed !== undefined) deps.trees.synced.put(agreed);
    throw error;
  }
  addNotice(deps, notice, path, to);
}

export type BookkeepingOperation = Extract<Operation, { kind: 'adopt' | 'settle' | 'forget' | 'renew' }>;

/** Operations that only change what this device knows. */
export function keepBooks(
  { trees, local, createEntryId }: Pick<ExecuteDeps, 'trees' | 'local' | 'createEntryId'>,
  operation: BookkeepingOperation,
): void {
  switch (operation.kind) {
    case 'adopt':
      if (local.get(operation.remoteId) === undefined) local.rename(operation.localId, operation.remoteId);
      return;
    case 'forget':
      trees.synced.delete(operation.entryId);
      return;
    case 'renew':
      local.rename(operation.entryId, createEntryId());
      trees.synced.delete(operation.entryId);
      return;
    case 'settle': {
      const remote = trees.remote.get(operation.entryId);
      const there = local.get(operation.entryId) !== undefined;
      if (remote !== undefined && there) trees.synced.put(syncedFrom(remote));
      else if (remote === undefined && !there) trees.synced.delete(operation.entryId);
    }
  }
}
