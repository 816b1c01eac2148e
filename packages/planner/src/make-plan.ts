import type { EntryId } from '@cairn/model';
import { applyBrake } from './brake.ts';
import { decide } from './decide.ts';
import { createDraft, type Draft, type Step } from './draft.ts';
import { createFreeNames } from './free-names.ts';
import { orderLocalSteps } from './local-order.ts';
import type { Plan, PlannedOperation, PlanOptions } from './plan.ts';
import { orderPushes } from './server-order.ts';
import type { LocalNode, RemoteNode, Trees } from './trees.ts';
import { compareIds, createView, type View } from './view.ts';

/**
 * Compares the remote (R), local (L) and synced (S) tree and says what to do next. Pure, synchronous and
 * deterministic: the result depends on nothing but the arguments, and not on the order of any map.
 *
 * What is decided about one entry (decide.ts), by which trees have it:
 *
 *   R L S
 *   x x x   merge field by field: place, content, attributes. Changed on one side: the other follows.
 *           Place changed on both: the server's. Content changed on both: fork, then download.
 *   x x -   the same with no base: content differs → fork; else the server's place and attributes
 *   x - -   new on the server: make or download it
 *   - x -   new here: is it a remote entry under another id (matching.ts)? Else create it
 *   x - x   removed here: remove it there, unless the server changed it or something in it: bring it back
 *   - x x   removed there: remove it here, unless it changed here or something in it did: push it again
 *   - - x   gone on both sides: settle
 *   and all equal, S older: settle.
 *
 * Then deletes may be held (brake.ts), and both sides' operations are ordered (local-order.ts, server-order.ts).
 *
 * @param candidates ids where the trees may differ. With all that do differ among them, the operations are those
 *   of a plan without `candidates`, which looks at everything.
 */
export function plan(trees: Trees, options: PlanOptions, candidates?: Iterable<EntryId>): Plan {
  const view = createView(trees, options);
  const ids = candidates === undefined ? everyId(trees) : widen(view, candidates);
  view.yieldMoves(ids);
  const draft = createDraft();
  const names = createFreeNames(view);
  for (const id of ids) decide(view, draft, names, id);
  for (const id of draft.adopted) {
    draft.local.delete(id);
    draft.push.delete(id);
    draft.first.delete(id);
  }
  const held = applyBrake(view, draft);
  const operations = order(view, draft);
  const issues = [...draft.issues]
    .sort(([first], [second]) => compareIds(first, second))
    .map(([entryId, code]) => ({ entryId, code }));
  return { operations, issues, held };
}

function order(view: View, draft: Draft): PlannedOperation[] {
  const operations: PlannedOperation[] = [];
  for (const { operation, reason } of inOrder(draft.first)) operations.push({ batch: 0, operation, reason });
  let last = 0;
  for (const { level, step } of orderLocalSteps(view, draft)) {
    last = Math.max(last, level + 1);
    operations.push({ batch: level + 1, operation: step.operation, reason: step.reason });
  }
  for (const { operation, reason } of inOrder(draft.refresh))
    operations.push({ batch: last + 1, operation, reason });
  for (const { group, step } of orderPushes(view, draft))
    operations.push({ batch: group + 1, operation: step.operation, reason: step.reason });
  return operations.sort((first, second) => first.batch - second.batch);
}

/** The steps of a list by the ids of their entries. */
function inOrder(list: ReadonlyMap<EntryId, Step>): Step[] {
  return [...list.keys()].sort(compareIds).map((id) => list.get(id) as Step);
}

function everyId(trees: Trees): EntryId[] {
  const ids = new Set<EntryId>();
  for (const tree of [trees.remote, trees.local, trees.synced]) {
    for (const node of tree.values()) ids.add(node.entryId);
  }
  ids.delete(trees.rootId);
  return [...ids].sort(compareIds);
}

/** Adds what an entry's fate hangs on: the folders around it, what is in it, and what sits on its names. */
function widen(view: View, candidates: Iterable<EntryId>): EntryId[] {
  const { rootId, remote, local, synced } = view.trees;
  const trees = [remote, local, synced];
  const ids = new Set<EntryId>();
  const stack = [...candidates];
  const whole = new Set<EntryId>();
  function isInAll(id: EntryId): boolean {
    if (whole.has(id)) return true;
    if (remote.get(id) === undefined || local.get(id) === undefined || synced.get(id) === undefined)
      return false;
    whole.add(id);
    return true;
  }
  function addParent(node: { readonly parentId: EntryId | null } | undefined): void {
    const parentId = node?.parentId ?? null;
    if (parentId !== null && parentId !== rootId && !ids.has(parentId) && !isInAll(parentId))
      stack.push(parentId);
  }
  function addNamesakes(node: RemoteNode | LocalNode | undefined): void {
    if (node === undefined || node.parentId === null) return;
    for (const id of view.remoteNamed(node.parentId, node.name)) if (!ids.has(id)) stack.push(id);
    for (const id of view.localNamed(node.parentId, node.name)) if (!ids.has(id)) stack.push(id);
  }
  for (let id = stack.pop(); id !== undefined; id = stack.pop()) {
    if (id === rootId || ids.has(id)) continue;
    const theirs = remote.get(id);
    const ours = local.get(id);
    const agreed = synced.get(id);
    if (theirs === undefined && ours === undefined && agreed === undefined) continue;
    ids.add(id);
    addParent(theirs);
    addParent(ours);
    addParent(agreed);
    addNamesakes(theirs);
    if (ours?.parentId !== theirs?.parentId || ours?.name !== theirs?.name) addNamesakes(ours);
    if (theirs !== undefined && ours !== undefined && agreed !== undefined) continue;
    for (const tree of trees) for (const child of tree.children(id)) stack.push(child);
  }
  return [...ids].sort(compareIds);
}
