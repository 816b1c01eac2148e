import type { EntryId } from '@cairn/model';
import { compareAttributes, compareContents, sameAttributes, samePlace } from './differences.ts';
import type { Draft, LocalStep } from './draft.ts';
import type { FreeNames } from './free-names.ts';
import { STEPPED_ASIDE } from './local-order.ts';
import { becomeCopy, claimName, mayChangeId } from './matching.ts';
import type { Operation, ReasonCode } from './plan.ts';
import type { LocalNode, RemoteNode, SyncedNode } from './trees.ts';
import type { Target, View } from './view.ts';

/** Decides about one entry by which of the trees have it. See the table in make-plan.ts. */
export function decide(view: View, draft: Draft, names: FreeNames, id: EntryId): void {
  const remote = view.remote(id);
  const local = view.local(id);
  const synced = view.synced(id);
  if (local !== undefined && view.blocked(id) !== null) {
    const settled = remote !== undefined && synced !== undefined && agrees(view, remote, local, synced);
    const code = view.blocked(id);
    if (code !== null && (!settled || code === 'unreadable')) draft.issues.set(id, code);
    return;
  }
  const leftOut = view.leftOut(id);
  if (leftOut === 'not-possible') decideNotPossible(view, draft, names, id);
  else if (leftOut !== null) decideLeftOut(view, draft, id);
  else if (remote !== undefined && local !== undefined) decideBoth(view, draft, names, remote, local, synced);
  else if (remote !== undefined) decideRemoteOnly(view, draft, remote, synced);
  else if (local !== undefined) decideLocalOnly(view, draft, names, local, synced);
  else if (synced !== undefined) first(draft, { kind: 'settle', entryId: id }, 'gone-on-both-sides');
}

function first(draft: Draft, operation: Operation & { entryId: EntryId }, reason: ReasonCode): void {
  draft.first.set(operation.entryId, { operation, reason });
}

function agrees(view: View, remote: RemoteNode, local: LocalNode, synced: SyncedNode | undefined): boolean {
  return (
    synced !== undefined &&
    synced.sequence === remote.sequence &&
    samePlace(remote, local, view.options.foldsNames) &&
    // What was agreed has the server's spelling, whatever the disk makes of it.
    samePlace(remote, synced, false) &&
    compareContents(remote, synced) === 'same' &&
    compareContents(remote, local) === 'same' &&
    sameAttributes(remote, synced) &&
    sameAttributes(remote, local)
  );
}

function decideBoth(
  view: View,
  draft: Draft,
  names: FreeNames,
  remote: RemoteNode,
  local: LocalNode,
  synced: SyncedNode | undefined,
): void {
  if (agrees(view, remote, local, synced)) return;
  const entryId = remote.entryId;
  const target = view.target(entryId);
  let pushPlace = false;
  if (target.side === 'up') pushPlace = claimName(view, draft, names, entryId);
  else if (target.side === 'down') {
    draft.local.set(entryId, moveToRemotePlace(view, target, local, synced));
  }

  const contents = compareContents(remote, local);
  const attributes = compareAttributes(remote, local, synced);
  let pushContent = false;
  let overwrites = false;
  let pushAttributes = attributes.push;
  if (contents === 'unknown') {
    const profile = remote.kind === 'file' ? remote.content.manifest.profile : null;
    const uploadExpected =
      (synced !== undefined && compareContents(remote, synced) === 'same') ||
      view.lastWriteWins(target.parentId);
    first(draft, { kind: 'inspect', entryId, profile, uploadExpected }, 'content-unknown');
    pushAttributes = false;
  } else if (contents === 'different') {
    if (synced !== undefined && compareContents(remote, synced) === 'same') pushContent = true;
    else if (synced !== undefined && compareContents(local, synced) === 'same') {
      if (!attributes.push) refreshContent(draft, remote);
    } else if (view.lastWriteWins(target.parentId)) {
      pushContent = true;
      overwrites = true;
    } else {
      pushAttributes = false;
      if (target.side === 'agreed') {
        draft.local.set(entryId, {
          operation: becomeCopy(view, draft, names, local, entryId),
          reason: synced === undefined ? 'both-created' : 'both-edited',
        });
      }
    }
  } else if (attributes.pull && !attributes.push) {
    draft.refresh.set(entryId, {
      operation: { kind: 'set-attributes', entryId },
      reason: 'attributes-changed-on-server',
    });
  }
  if (pushPlace || pushContent || pushAttributes) {
    draft.push.set(entryId, {
      operation: {
        kind: 'push-update',
        entryId,
        place: pushPlace,
        content: pushContent,
        attributes: pushAttributes,
        ...(overwrites ? { notice: 'last-write-wins' } : {}),
      },
      reason: overwrites
        ? 'last-write-wins'
        : pushContent
          ? 'edited-on-this-device'
          : pushPlace
            ? 'moved-on-this-device'
            : 'attributes-changed-on-this-device',
    });
  }
  if (target.side === 'agreed' && contents === 'same' && !attributes.push && !attributes.pull) {
    first(draft, { kind: 'settle', entryId }, 'already-equal');
  }
}

/** The server's place for an entry that is elsewhere here. */
function moveToRemotePlace(
  view: View,
  target: Target,
  local: LocalNode,
  synced: SyncedNode | undefined,
): LocalStep {
  const { entryId } = local;
  const { parentId, name } = target;
  const operation = { kind: 'move-local', entryId, parentId, name } as const;
  if (view.yields(entryId)) {
    return { operation: { ...operation, overruled: 'move-refused' }, reason: 'move-goes-round' };
  }
  const movedHere = synced !== undefined && !samePlace(local, synced, view.options.foldsNames);
  if (!movedHere) return { operation, reason: 'moved-on-server' };
  // What only stepped aside for a moment was not moved by the user.
  if (local.name.startsWith(`${STEPPED_ASIDE}${entryId}`)) return { operation, reason: 'both-moved' };
  return { operation: { ...operation, overruled: 'move-overruled' }, reason: 'both-moved' };
}

function refreshContent(draft: Draft, remote: RemoteNode): void {
  const entryId = remote.entryId;
  const kind = remote.kind === 'link' ? 'make-link' : 'download';
  draft.refresh.set(entryId, {
    operation: { kind, entryId, replace: true },
    reason: 'edited-on-server',
  });
}

function decideRemoteOnly(
  view: View,
  draft: Draft,
  remote: RemoteNode,
  synced: SyncedNode | undefined,
): void {
  const entryId = remote.entryId;
  const presence = view.presence(entryId);
  if (presence === 'undecided') {
    if (!view.absenceIsKnown(entryId)) draft.issues.set(entryId, 'parent-unreadable');
    return;
  }
  if (presence === 'goes') {
    // Only the top-most: the server removes what is below with it.
    const parentId = remote.parentId ?? view.trees.rootId;
    if (view.presence(parentId) === 'goes' && view.local(parentId) === undefined) return;
    draft.push.set(entryId, {
      operation: { kind: 'push-remove', entryId },
      reason: 'removed-on-this-device',
    });
    return;
  }
  let reason: ReasonCode = 'new-on-server';
  let carries = true;
  if (synced !== undefined) {
    const movedThere = !samePlace(remote, synced, view.options.foldsNames);
    const changed = movedThere || compareContents(remote, synced) !== 'same';
    reason = changed ? 'kept-because-edited-on-server' : 'parent-of-kept-entry';
    carries = movedThere;
    if (view.carriedByRemoteMove(entryId)) {
      first(draft, { kind: 'forget', entryId }, 'kept-because-edited-on-server');
      return;
    }
  }
  if (remote.kind === 'folder' && carries && hasUnforgotten(view, entryId)) return;
  const operation: LocalStep['operation'] =
    remote.kind === 'folder'
      ? { kind: 'make-folder', entryId }
      : remote.kind === 'link'
        ? { kind: 'make-link', entryId, replace: false }
        : { kind: 'download', entryId, replace: false };
  draft.local.set(entryId, { operation, reason });
}

/** A moved folder comes back only when nothing in it can be mistaken for removed any more. */
function hasUnforgotten(view: View, folderId: EntryId): boolean {
  for (const child of view.trees.synced.children(folderId)) {
    if (view.local(child) === undefined && view.remote(child)?.parentId === folderId) return true;
  }
  return false;
}

function decideLocalOnly(
  view: View,
  draft: Draft,
  names: FreeNames,
  local: LocalNode,
  synced: SyncedNode | undefined,
): void {
  const entryId = local.entryId;
  const presence = view.presence(entryId);
  if (presence === 'goes') {
    draft.local.set(entryId, {
      operation: { kind: 'remove-local', entryId },
      reason: 'removed-on-server',
    });
    return;
  }
  const unread = local.kind === 'file' && local.content === null;
  if (presence === 'undecided') {
    if (unread) {
      first(draft, { kind: 'inspect', entryId, profile: null, uploadExpected: false }, 'content-unknown');
    }
    return;
  }
  if (local.kind === 'folder' && synced !== undefined && !mayChangeId(view, entryId)) return;
  if (!claimName(view, draft, names, entryId)) return;
  if (local.kind === 'folder' && synced !== undefined) {
    const movedHere = !samePlace(local, synced, view.options.foldsNames);
    const reason = movedHere ? 'kept-because-edited-here' : 'parent-of-kept-entry';
    first(draft, { kind: 'renew', entryId }, reason);
    return;
  }
  if (unread) {
    first(draft, { kind: 'inspect', entryId, profile: null, uploadExpected: true }, 'content-unknown');
    return;
  }
  draft.push.set(
    entryId,
    synced === undefined
      ? { operation: { kind: 'push-create', entryId }, reason: 'new-on-this-device' }
      : {
          operation: { kind: 'push-update', entryId, place: true, content: true, attributes: true },
          reason: 'kept-because-edited-here',
        },
  );
}

/**
 * An entry whose place this device leaves out. What it lacks is not removed but only not here. What it still holds
 * goes when the server has it, or had it as a version; changes of its content get there first. Anything else stays.
 */
function decideLeftOut(view: View, draft: Draft, entryId: EntryId): void {
  const remote = view.remote(entryId);
  const local = view.local(entryId);
  const synced = view.synced(entryId);
  if (local === undefined) {
    if (synced !== undefined) first(draft, { kind: 'forget', entryId }, 'left-alone-here');
    return;
  }
  const remove = (reason: ReasonCode) =>
    draft.local.set(entryId, { operation: { kind: 'remove-local', entryId }, reason });
  const stay = () => draft.issues.set(entryId, 'not-selected-but-changed');
  const unread = local.kind === 'file' && local.content === null;
  if (unread) {
    const profile = remote?.kind === 'file' ? remote.content.manifest.profile : null;
    first(draft, { kind: 'inspect', entryId, profile, uploadExpected: false }, 'content-unknown');
    return;
  }
  if (remote === undefined) {
    if (view.presence(entryId) === 'goes') remove('removed-on-server');
    else stay();
    return;
  }
  if (view.target(entryId).side === 'up' || remote.kind !== local.kind) return void stay();
  const attributes = compareAttributes(remote, local, synced);
  const isOurs = synced !== undefined && compareContents(remote, synced) === 'same';
  const isNews = compareContents(remote, local) === 'different';
  const isOld = synced !== undefined && compareContents(local, synced) === 'same';
  if (isNews && !isOurs && !isOld) stay();
  else if ((isNews && isOurs) || attributes.push) {
    const operation = { kind: 'push-update', entryId, place: false, content: isNews && isOurs } as const;
    draft.push.set(entryId, {
      operation: { ...operation, attributes: attributes.push },
      reason: isNews ? 'edited-on-this-device' : 'attributes-changed-on-this-device',
    });
  } else remove(view.leftOut(entryId) === 'not-possible' ? 'not-possible-here' : 'not-selected');
}

/**
 * An entry that this disk cannot have where the server has it. What is on disk goes once the server has it; what the
 * server lacks gets there first, as from anywhere else.
 */
function decideNotPossible(view: View, draft: Draft, names: FreeNames, entryId: EntryId): void {
  const remote = view.remote(entryId);
  const local = view.local(entryId);
  const synced = view.synced(entryId);
  if (remote === undefined) {
    if (local !== undefined) decideLocalOnly(view, draft, names, local, synced);
    else if (synced !== undefined) first(draft, { kind: 'settle', entryId }, 'gone-on-both-sides');
    return;
  }
  draft.issues.set(entryId, 'name-not-possible-here');
  if (local === undefined) {
    decideLeftOut(view, draft, entryId);
    return;
  }
  const { side } = view.target(entryId);
  const differ = compareContents(remote, local) === 'different';
  const onlyOneSide =
    synced !== undefined &&
    (compareContents(remote, synced) === 'same' || compareContents(local, synced) === 'same');
  if (side === 'up' || (differ && !onlyOneSide && side === 'agreed')) {
    decideBoth(view, draft, names, remote, local, synced);
  } else if (differ && !onlyOneSide) {
    const name = names.conflictCopy(local.parentId ?? view.trees.rootId, local.name);
    draft.local.set(entryId, {
      operation: { kind: 'fork', entryId, name, notice: 'conflict-copy', conflictOf: entryId },
      reason: synced === undefined ? 'both-created' : 'both-edited',
    });
  } else decideLeftOut(view, draft, entryId);
}
