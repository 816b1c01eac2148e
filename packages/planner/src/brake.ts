import type { EntryId } from '@cairn/model';
import type { Draft } from './draft.ts';
import type { HeldDeletes } from './plan.ts';
import { compareIds, type View } from './view.ts';

/**
 * The bulk brake: a plan that deletes more than a bounded share in one direction keeps everything and asks.
 * Takes the held deletes out of the draft; returns what to tell.
 */
export function applyBrake(view: View, draft: Draft): HeldDeletes | null {
  const { brake, confirmed } = view.options;
  const total = view.trees.synced.size;
  let held: HeldDeletes | null = null;
  for (const direction of ['down', 'up'] as const) {
    const recent = brake.recent?.[direction] ?? 0;
    const limit = Math.max(brake.count, brake.share * (total + recent)) - recent;
    const list = direction === 'up' ? draft.push : draft.local;
    const kind = direction === 'up' ? 'push-remove' : 'remove-local';
    // What leaves this disk because it is not selected, or not possible here, is deleted nowhere.
    const tops = [...list]
      .filter(
        ([, step]) =>
          step.operation.kind === kind &&
          step.reason !== 'not-selected' &&
          step.reason !== 'not-possible-here',
      )
      .map(([id]) => id);
    const ids = direction === 'up' ? tops.flatMap((id) => removedWith(view, id)) : tops;
    if (ids.length === 0 || ids.length <= limit || confirmed.has(direction)) continue;
    for (const id of tops) list.delete(id);
    const sizeBytes = ids.reduce((sum, id) => sum + bytesOf(view, direction, id), 0);
    const examples = ids.sort(compareIds).slice(0, 10);
    held = { direction, count: ids.length, total, sizeBytes, examples };
  }
  return held;
}

function removedWith(view: View, topId: EntryId): EntryId[] {
  const found: EntryId[] = [];
  const stack: EntryId[] = [topId];
  for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
    found.push(at);
    for (const child of view.trees.remote.children(at)) {
      if (view.local(child) === undefined) stack.push(child);
    }
  }
  return found;
}

function bytesOf(view: View, direction: 'up' | 'down', id: EntryId): number {
  if (direction === 'down') {
    const node = view.local(id);
    return node?.kind === 'file' ? node.sizeBytes : 0;
  }
  const node = view.remote(id);
  return node?.kind === 'file' ? node.content.sizeBytes : 0;
}
