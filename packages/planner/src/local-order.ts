import { type EntryId, foldName } from '@cairn/model';
import type { Draft, LocalStep } from './draft.ts';
import { isSecondName, mayChangeId } from './matching.ts';
import type { Operation } from './plan.ts';
import { compareIds, type View } from './view.ts';

/** Beginning of the temporary name of what steps aside; its id follows. */
export const STEPPED_ASIDE = '.moving-';

/**
 * Orders what changes names and places on disk. A step waits for three kinds of others:
 * its parent must be there (and a folder moves only after the folders above its new place, so that it never
 * enters itself), its name must be free, and a folder is removed only when it is empty. Steps that wait for
 * something that this plan does not do are left out. Where steps wait for each other in a circle (a ↔ b), one of
 * them first moves out of the way, to a temporary name in the root. So does what keeps a folder from being emptied although
 * its own way leads through that folder's name.
 */
export interface OrderedStep {
  readonly level: number;
  readonly step: LocalStep;
}

interface Pending {
  readonly step: LocalStep;
  /** Steps that this one waits for; `vacates`: only until that entry has left its present place. */
  readonly waits: Map<EntryId, 'parent' | 'vacates'>;
  level: number;
  /** The folder by whose name this step is stopped, and which waits until some folder in it is gone. */
  stoppedBy: EntryId | null;
}

export function orderLocalSteps(view: View, draft: Draft): OrderedStep[] {
  const pending = new Map<EntryId, Pending>();
  for (const id of [...draft.local.keys()].sort(compareIds)) {
    const step = draft.local.get(id) as LocalStep;
    pending.set(id, { step, waits: new Map(), level: 0, stoppedBy: null });
  }
  const dropped: EntryId[] = [];
  for (const [id, item] of pending) {
    if (!collectWaits(view, draft, id, item)) dropped.push(id);
  }
  const waiters = new Map<EntryId, EntryId[]>();
  for (const [id, item] of pending) {
    for (const other of item.waits.keys()) {
      const list = waiters.get(other);
      if (list === undefined) waiters.set(other, [id]);
      else list.push(id);
    }
  }
  const aside: OrderedStep[] = [];
  for (let id = dropped.pop(); id !== undefined; id = dropped.pop()) {
    const item = pending.get(id);
    if (item === undefined) continue;
    pending.delete(id);
    if (leavesTheFolder(view, draft, id, item)) aside.push({ level: 0, step: temporaryMove(view, id) });
    for (const waiterId of waiters.get(id) ?? []) {
      const waiter = pending.get(waiterId);
      passIssueOn(draft, id, waiter?.waits.get(id), waiterId);
      if (waiter !== undefined) waiter.stoppedBy ??= item.stoppedBy;
      dropped.push(waiterId);
    }
  }
  return [...aside, ...release(view, pending, waiters)];
}

/**
 * Whether a move that cannot be done now ends in the new place of the folder that it leaves, which in turn waits for what
 * moves away to be gone from a folder that is to be removed.
 */
function leavesTheFolder(view: View, draft: Draft, id: EntryId, { step, stoppedBy }: Pending): boolean {
  const { operation } = step;
  if (stoppedBy === null || operation.kind !== 'move-local' || operation.notice !== undefined) return false;
  const from = view.local(id)?.parentId ?? null;
  if (from === null || draft.local.get(from)?.operation.kind !== 'remove-local') return false;
  for (let at: EntryId | null = from; at !== null; at = view.local(at)?.parentId ?? null)
    if (at === stoppedBy) return true;
  return false;
}

/** What waits for something that cannot be done now cannot be done either. */
function passIssueOn(
  { issues }: Draft,
  id: EntryId,
  waitsFor: 'parent' | 'vacates' | undefined,
  waiter: EntryId,
): void {
  if (!issues.has(id) || issues.has(waiter) || waitsFor === undefined) return;
  issues.set(waiter, waitsFor === 'parent' ? 'waiting-for-parent' : 'waiting-for-name');
}

function release(
  view: View,
  pending: Map<EntryId, Pending>,
  waiters: ReadonlyMap<EntryId, readonly EntryId[]>,
): OrderedStep[] {
  const ordered: OrderedStep[] = [];
  let ready = [...pending].filter(([, item]) => item.waits.size === 0).map(([id]) => id);
  const free = (waiterId: EntryId, id: EntryId, level: number) => {
    const waiter = pending.get(waiterId);
    if (waiter === undefined || !waiter.waits.delete(id)) return;
    waiter.level = Math.max(waiter.level, level + 1);
    if (waiter.waits.size === 0) ready.push(waiterId);
  };
  const displaced = new Set<EntryId>();
  while (pending.size > 0) {
    if (ready.length === 0) {
      const id = findBreak(pending, displaced);
      if (id === null) break; // cannot happen: every circle has a step that waits for a move
      displaced.add(id);
      const item = pending.get(id) as Pending;
      ordered.push({ level: 0, step: temporaryMove(view, id) });
      item.level = Math.max(item.level, 1);
      for (const waiter of waiters.get(id) ?? []) {
        if (pending.get(waiter)?.waits.get(id) === 'vacates') free(waiter, id, 0);
      }
      continue;
    }
    const batch = ready.sort(compareIds);
    ready = [];
    for (const id of batch) {
      const item = pending.get(id) as Pending;
      pending.delete(id);
      ordered.push({ level: item.level, step: item.step });
      for (const waiter of waiters.get(id) ?? []) free(waiter, id, item.level);
    }
  }
  return ordered.sort((first, second) => first.level - second.level);
}

/** Follows a circle from the smallest waiting step and chooses the smallest move on it that others wait out. */
function findBreak(pending: ReadonlyMap<EntryId, Pending>, displaced: ReadonlySet<EntryId>): EntryId | null {
  const start = [...pending.keys()].sort(compareIds)[0] as EntryId;
  const path: EntryId[] = [];
  const position = new Map<EntryId, number>();
  let at = start;
  while (!position.has(at)) {
    position.set(at, path.length);
    path.push(at);
    at = [...(pending.get(at) as Pending).waits.keys()].sort(compareIds)[0] as EntryId;
  }
  const circle = path.slice(position.get(at));
  const movable = circle.filter((id, index) => {
    const before = circle[(index + circle.length - 1) % circle.length] as EntryId;
    return (
      pending.get(before)?.waits.get(id) === 'vacates' &&
      pending.get(id)?.step.operation.kind === 'move-local' &&
      !displaced.has(id)
    );
  });
  return movable.sort(compareIds)[0] ?? null;
}

function temporaryMove(view: View, entryId: EntryId): LocalStep {
  const { rootId } = view.trees;
  let name = `${STEPPED_ASIDE}${entryId}`;
  for (let counter = 2; view.localNamed(rootId, name).length > 0; counter++) {
    name = `${STEPPED_ASIDE}${entryId}-${counter}`;
  }
  return {
    operation: { kind: 'move-local', entryId, parentId: rootId, name },
    reason: 'breaks-name-cycle',
  };
}

/** Fills in what a step waits for; `false` when it waits for something that this plan does not do. */
function collectWaits(view: View, draft: Draft, id: EntryId, item: Pending): boolean {
  const { operation } = item.step;
  if (operation.kind === 'fork') return true;
  if (operation.kind === 'remove-local') return collectContents(view, draft, id, item);
  if (operation.kind === 'move-local' && operation.notice !== undefined) return true;
  const place = placeOf(view, operation);
  if (place.parentId !== view.trees.rootId) {
    if (view.local(place.parentId) === undefined) {
      if (draft.local.get(place.parentId)?.operation.kind !== 'make-folder') {
        return waitFor(draft, id, 'waiting-for-parent');
      }
      item.waits.set(place.parentId, 'parent');
    } else if (operation.kind === 'move-local' && view.local(id)?.kind === 'folder') {
      const above = nearestMoving(view, draft, place.parentId);
      if (above !== null) item.waits.set(above, 'parent');
    }
  }
  if (!view.seesInto(existingAncestor(view, place.parentId))) return waitFor(draft, id, 'parent-unreadable');
  for (const other of view.localNamed(place.parentId, place.name)) {
    if (other === id || isSecondName(view, other, id)) continue;
    const step = draft.local.get(other)?.operation;
    if (step === undefined || !vacates(view, step, other)) {
      if (step === undefined && awaitsNewId(view, other)) item.stoppedBy = other;
      const stuck = view.blocked(other) !== null || draft.issues.has(other);
      if (stuck) draft.issues.set(id, 'waiting-for-name');
      return false;
    }
    item.waits.set(other, 'vacates');
  }
  return true;
}

/** Whether the folder will become another entry, or a new one, as soon as nothing in it is to be removed any more. */
function awaitsNewId(view: View, id: EntryId): boolean {
  if (view.local(id)?.kind !== 'folder' || view.remote(id) !== undefined) return false;
  return view.blocked(id) === null && view.presence(id) === 'stays' && !mayChangeId(view, id);
}

function waitFor(draft: Draft, id: EntryId, code: 'waiting-for-parent' | 'parent-unreadable'): false {
  if (code === 'parent-unreadable') draft.issues.set(id, code);
  return false;
}

function collectContents(view: View, draft: Draft, id: EntryId, item: Pending): boolean {
  for (const child of view.trees.local.children(id)) {
    const step = draft.local.get(child)?.operation;
    const leaves = step?.kind === 'remove-local' || (step?.kind === 'move-local' && step.parentId !== id);
    if (!leaves) return false;
    item.waits.set(child, 'vacates');
  }
  return true;
}

function placeOf(
  view: View,
  operation: Operation & { entryId: EntryId },
): { parentId: EntryId; name: string } {
  if (operation.kind === 'move-local') return operation;
  const remote = view.remote(operation.entryId);
  return { parentId: remote?.parentId ?? view.trees.rootId, name: remote?.name ?? '' };
}

function vacates(view: View, step: LocalStep['operation'], id: EntryId): boolean {
  if (step.kind === 'fork' || step.kind === 'remove-local') return true;
  if (step.kind !== 'move-local') return false;
  const node = view.local(id);
  return (
    node !== undefined && (node.parentId !== step.parentId || foldName(node.name) !== foldName(step.name))
  );
}

/** The closest folder at or above `folderId` in the merged tree that this plan makes or moves. */
function nearestMoving(view: View, draft: Draft, folderId: EntryId): EntryId | null {
  for (let at = folderId; at !== view.trees.rootId; at = view.target(at).parentId) {
    const step = draft.local.get(at)?.operation;
    if (step?.kind === 'make-folder') return at;
    if (step?.kind === 'move-local' && step.notice === undefined) return at;
  }
  return null;
}

/** The folder itself when it is on disk, else the closest one above it on the server that is. */
function existingAncestor(view: View, folderId: EntryId): EntryId {
  let at = folderId;
  while (at !== view.trees.rootId && view.local(at) === undefined) {
    at = view.remote(at)?.parentId ?? view.trees.rootId;
  }
  return at;
}
