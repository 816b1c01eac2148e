import { type EntryId, foldName } from '@cairn/model';
import { compareContents } from './differences.ts';
import type { Draft } from './draft.ts';
import { findEqualCopy } from './equal-copies.ts';
import type { FreeNames } from './free-names.ts';
import type { NoticeKind, Operation, ReasonCode } from './plan.ts';
import type { LocalNode, RemoteNode } from './trees.ts';
import { compareIds, type View } from './view.ts';

/**
 * Who gets a name that the disk wants for one entry: nobody else wants it (`free`), or the entry is the same
 * thing as a remote one (adopt), or the remote keeps the name and the local entry gets another.
 * Only the first to commit has a right to a name, so against the remote tree the local side always yields,
 * except that a folder keeps its name against a file.
 *
 * Returns whether the name is free, so that the entry can be pushed.
 */
export function claimName(view: View, draft: Draft, names: FreeNames, id: EntryId): boolean {
  const node = view.local(id) as LocalNode;
  const parentId = node.parentId ?? view.trees.rootId;
  const isNew = view.remote(id) === undefined;
  const neverSynced = isNew && view.synced(id) === undefined;
  const equalCopy =
    neverSynced && node.conflictOf !== undefined
      ? findEqualCopy(view, draft, node, node.conflictOf.entryId)
      : null;
  if (equalCopy !== null) {
    draft.adopted.add(equalCopy.entryId);
    draft.first.set(id, {
      operation: { kind: 'adopt', localId: id, remoteId: equalCopy.entryId },
      reason: 'same-conflict-copy',
    });
    return false;
  }

  for (const rivalId of view.remoteNamed(parentId, node.name)) {
    if (rivalId === id) continue;
    const rival = view.remote(rivalId) as RemoteNode;
    if (view.target(rivalId).side === 'up') continue; // moves away with us
    // The move that gave the file this second name takes the first away.
    if (isSecondName(view, id, rivalId)) return false;
    if (view.local(rivalId) === undefined && view.leftOut(rivalId) !== null) {
      giveOtherName(view, draft, names, node, rival);
      return false;
    }
    if (view.local(rivalId) === undefined && rival.kind === node.kind && isNew) {
      const presence = view.presence(rivalId);
      // Removed and made again under the same name: the same entry, with its history.
      if (presence === 'goes' ? neverSynced : presence === 'stays') {
        return meetSameKind(view, draft, names, node, rival, presence === 'goes');
      }
    }
    if (view.presence(rivalId) === 'goes') continue;
    if (view.presence(rivalId) === 'undecided' && view.local(rivalId) === undefined) {
      draft.issues.set(id, 'waiting-for-name');
      return false;
    }
    if (isNew && node.kind === 'folder' && rival.kind !== 'folder' && !isNeighbour(view, rivalId, node)) {
      const name = names.conflictCopy(parentId, rival.name);
      draft.push.set(rivalId, {
        operation: { kind: 'push-rename', entryId: rivalId, name, notice: 'type-conflict' },
        reason: 'kinds-differ',
      });
      return false;
    }
    giveOtherName(view, draft, names, node, rival);
    return false;
  }

  const rival = view
    .localNamed(parentId, node.name)
    .find((other) => other !== id && claimsBefore(view, other, id));
  if (rival === undefined) return true;
  giveOtherName(view, draft, names, node, view.local(rival) as LocalNode);
  return false;
}

/**
 * Whether a new local node is only a second name of the file that belongs at its place: the device was killed in the
 * middle of moving it there.
 */
export function isSecondName(view: View, id: EntryId, moverId: EntryId): boolean {
  const node = view.local(id);
  const mover = view.local(moverId);
  if (node === undefined || mover === undefined || id === moverId) return false;
  if (node.kind === 'folder' || node.identity !== mover.identity) return false;
  if (view.remote(id) !== undefined || view.synced(id) !== undefined) return false;
  const { side, parentId, name } = view.target(moverId);
  return side === 'down' && parentId === node.parentId && name === node.name;
}

/** Whether both lie side by side on this disk: then their names differ in case or form only, and the later one yields. */
function isNeighbour(view: View, otherId: EntryId, node: LocalNode): boolean {
  const other = view.local(otherId);
  return (
    other !== undefined && other.parentId === node.parentId && foldName(other.name) === foldName(node.name)
  );
}

/** Among local entries whose names differ only by case: known ones first, then the smaller id. */
function claimsBefore(view: View, other: EntryId, id: EntryId): boolean {
  if (view.blocked(other) !== null) return false;
  const target = view.target(other);
  if (target.side === 'down' || target.side === 'blocked' || view.presence(other) !== 'stays') return false;
  const rank = (each: EntryId) =>
    view.target(each).side === 'agreed' ? 0 : view.synced(each) !== undefined ? 1 : 2;
  return rank(other) < rank(id) || (rank(other) === rank(id) && compareIds(other, id) < 0);
}

function meetSameKind(
  view: View,
  draft: Draft,
  names: FreeNames,
  node: LocalNode,
  rival: RemoteNode,
  replaces: boolean,
): false {
  const id = node.entryId;
  const profile = rival.kind === 'file' ? rival.content.manifest.profile : null;
  const lastWins = view.lastWriteWins(node.parentId ?? view.trees.rootId);
  const contents = replaces ? 'same' : compareContents(node, rival);
  if (contents === 'unknown') {
    draft.first.set(id, {
      operation: { kind: 'inspect', entryId: id, profile, uploadExpected: lastWins },
      reason: 'content-unknown',
    });
  } else if (contents === 'different' && !lastWins) {
    giveOtherName(view, draft, names, node, rival);
  } else if (!draft.adopted.has(rival.entryId) && mayChangeId(view, id)) {
    draft.adopted.add(rival.entryId);
    draft.first.set(id, {
      operation: { kind: 'adopt', localId: id, remoteId: rival.entryId },
      reason: replaces
        ? 'edited-on-this-device'
        : contents === 'different'
          ? 'last-write-wins'
          : 'same-place-same-thing',
    });
  }
  return false;
}

/**
 * Whether a folder's id may change now. What is still to be removed from it must be gone first: under another
 * parent it would look moved, and moved things are kept.
 */
export function mayChangeId(view: View, id: EntryId): boolean {
  if (view.synced(id) === undefined || view.local(id)?.kind !== 'folder') return true;
  for (const child of view.trees.local.children(id)) {
    if (view.target(child).parentId !== id) continue; // leaves by the server's doing
    if (view.blocked(child) !== null) continue;
    if (view.presence(child) !== 'stays') return false;
    // Folders inside first: one under a new parent would look moved, with all that is in it.
    const awaitsNewId = view.remote(child) === undefined && view.synced(child) !== undefined;
    if (awaitsNewId && view.local(child)?.kind === 'folder') return false;
  }
  return true;
}

/** The fork by which a file or link loses its name to `originalId`; draws on a conflict copy that is there already. */
export function becomeCopy(
  view: View,
  draft: Draft,
  names: FreeNames,
  node: LocalNode,
  originalId: EntryId,
): Extract<Operation, { kind: 'fork' }> {
  const fork = {
    kind: 'fork',
    entryId: node.entryId,
    notice: 'conflict-copy',
    conflictOf: originalId,
  } as const;
  const equal = findEqualCopy(view, draft, node, originalId);
  if (equal === null) {
    return { ...fork, name: names.conflictCopy(node.parentId ?? view.trees.rootId, node.name) };
  }
  draft.adopted.add(equal.entryId);
  return { ...fork, name: equal.name, becomes: equal.entryId };
}

function giveOtherName(
  view: View,
  draft: Draft,
  names: FreeNames,
  node: LocalNode,
  rival: RemoteNode | LocalNode,
): void {
  const id = node.entryId;
  const parentId = node.parentId ?? view.trees.rootId;
  const sameText = rival.name === node.name;
  const notice: NoticeKind = !sameText
    ? 'case-conflict'
    : rival.kind !== node.kind
      ? 'type-conflict'
      : 'conflict-copy';
  const neverSynced = view.remote(id) === undefined && view.synced(id) === undefined;
  const reason: ReasonCode = !sameText
    ? 'names-differ-only-by-case'
    : rival.kind !== node.kind
      ? 'kinds-differ'
      : neverSynced
        ? 'both-created'
        : 'name-taken';
  const isCopy =
    notice === 'conflict-copy' && node.kind !== 'folder' && view.remote(rival.entryId) !== undefined;
  if (neverSynced && isCopy) {
    draft.local.set(id, { operation: becomeCopy(view, draft, names, node, rival.entryId), reason });
    return;
  }
  const name = sameText ? names.conflictCopy(parentId, node.name) : names.caseConflict(parentId, node.name);
  if (neverSynced && node.kind !== 'folder') {
    draft.local.set(id, { operation: { kind: 'fork', entryId: id, name, notice, conflictOf: null }, reason });
  } else {
    const mark = isCopy ? { conflictOf: rival.entryId } : {};
    draft.local.set(id, {
      operation: { kind: 'move-local', entryId: id, parentId, name, notice, ...mark },
      reason,
    });
  }
}
