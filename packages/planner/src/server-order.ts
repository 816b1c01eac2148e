import type { EntryId } from '@cairn/model';
import type { Draft, PushStep } from './draft.ts';
import { compareIds, type View } from './view.ts';

/**
 * Orders what goes to the server, in three batches: plain removes first, since they free names; then everything
 * that is created or changed, parents before children, so that no folder ever enters itself; last the removes
 * of folders that something moves out of. Swaps of names are the server's business: a changeset frees all names
 * before it takes any. A step whose place cannot be taken yet is left out.
 */
export interface OrderedPush {
  /** 0, 1 or 2. */
  readonly group: number;
  readonly step: PushStep;
}

export function orderPushes(view: View, draft: Draft): OrderedPush[] {
  const pushes = new Map<EntryId, PushStep>();
  const removes = new Map<EntryId, EntryId[]>();
  const depths = new Map<EntryId, number>();
  for (const id of [...draft.push.keys()].sort(compareIds)) {
    const step = draft.push.get(id) as PushStep;
    pushes.set(id, step);
    if (step.operation.kind === 'push-remove') removes.set(id, movedOut(view, id));
    else depths.set(id, localDepth(view, id));
  }
  const depthOf = (id: EntryId) => depths.get(id) ?? 0;
  const ids = [...pushes.keys()].sort((a, b) => depthOf(a) - depthOf(b) || compareIds(a, b));
  for (let changed = true; changed; ) {
    changed = false;
    for (const id of ids) {
      const step = pushes.get(id);
      if (step === undefined) continue;
      const reduced = reduce(view, pushes, removes, step);
      if (reduced === step) continue;
      changed = true;
      if (reduced === null) pushes.delete(id);
      else pushes.set(id, reduced);
    }
  }

  const needed = new Set<EntryId>();
  for (const step of pushes.values()) {
    for (const other of namesakes(view, step)) needed.add(removerOf(view, pushes, other) ?? other);
  }
  const ordered: OrderedPush[] = [];
  for (const [id, step] of pushes) {
    if (step.operation.kind !== 'push-remove') continue;
    const emptied = (removes.get(id) ?? []).length > 0;
    ordered.push({ group: emptied ? (needed.has(id) ? 1 : 2) : 0, step });
  }
  const changes = ids.filter((id) => pushes.has(id) && !removes.has(id));
  ordered.unshift(...changes.map((id) => ({ group: 1, step: pushes.get(id) as PushStep })));
  return ordered.sort((first, second) => first.group - second.group);
}

function takesPlace(step: PushStep): boolean {
  return (
    step.operation.kind === 'push-create' || (step.operation.kind === 'push-update' && step.operation.place)
  );
}

/** Remote entries that sit on the name that a step wants. */
function namesakes(view: View, step: PushStep): readonly EntryId[] {
  if (!takesPlace(step)) return [];
  const id = step.operation.entryId;
  const place = view.target(id);
  return view.remoteNamed(place.parentId, place.name).filter((other) => other !== id);
}

/** The step itself, what is left of it when its place must wait, or `null`. */
function reduce(
  view: View,
  pushes: ReadonlyMap<EntryId, PushStep>,
  removes: ReadonlyMap<EntryId, readonly EntryId[]>,
  step: PushStep,
): PushStep | null {
  const { operation } = step;
  if (operation.kind === 'push-remove') {
    const leaving = removes.get(operation.entryId) ?? [];
    return leaving.every((id) => isMoving(pushes, id)) ? step : null;
  }
  if (!takesPlace(step)) return step;
  const { parentId } = view.target(operation.entryId);
  const parentReady =
    parentId === view.trees.rootId ||
    view.remote(parentId) !== undefined ||
    pushes.get(parentId)?.operation.kind === 'push-create';
  const nameReady = namesakes(view, step).every(
    (other) => isMoving(pushes, other) || removerOf(view, pushes, other) !== null,
  );
  if (parentReady && nameReady) return step;
  if (operation.kind !== 'push-update' || view.remote(operation.entryId) === undefined) return null;
  if (!operation.content && !operation.attributes) return null;
  return { operation: { ...operation, place: false }, reason: step.reason };
}

function isMoving(pushes: ReadonlyMap<EntryId, PushStep>, id: EntryId): boolean {
  const operation = pushes.get(id)?.operation;
  return operation?.kind === 'push-update' && operation.place;
}

/** The planned remove that takes `id` with it. */
function removerOf(view: View, pushes: ReadonlyMap<EntryId, PushStep>, id: EntryId): EntryId | null {
  for (let at: EntryId | null = id; at !== null && at !== view.trees.rootId; ) {
    if (view.presence(at) !== 'goes') return null;
    if (pushes.get(at)?.operation.kind === 'push-remove') return at;
    at = view.remote(at)?.parentId ?? null;
  }
  return null;
}

/** Remote entries below `folderId` that the disk has elsewhere: they must leave before the folder goes. */
function movedOut(view: View, folderId: EntryId): EntryId[] {
  const found: EntryId[] = [];
  const stack: EntryId[] = [folderId];
  for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
    for (const child of view.trees.remote.children(at)) {
      if (view.local(child) !== undefined) found.push(child);
      else stack.push(child);
    }
  }
  return found;
}

function localDepth(view: View, id: EntryId): number {
  let depth = 0;
  for (let at = id; at !== view.trees.rootId; depth++) {
    const parentId = view.local(at)?.parentId;
    if (parentId === undefined || parentId === null) break;
    at = parentId;
  }
  return depth;
}
