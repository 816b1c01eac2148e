import type { EntryId } from '@cairn/model';
import { compareContents } from './differences.ts';
import type { Draft } from './draft.ts';
import type { LocalNode, RemoteNode } from './trees.ts';
import type { View } from './view.ts';

/**
 * The conflict copy of the same original, with the same content and in the same folder, that another device made
 * before: several devices lose the same content to the server at once, such as after it was restored from a backup,
 * and one copy of it is enough. Only one that never was on this disk counts; one that was is the user's business.
 *
 * @param node what is about to become (or has just become) a conflict copy here
 * @param originalId what it is a copy of
 */
export function findEqualCopy(
  view: View,
  draft: Draft,
  node: LocalNode,
  originalId: EntryId,
): RemoteNode | null {
  const parentId = node.parentId ?? view.trees.rootId;
  const original = view.remote(originalId);
  const above = original === undefined || original.kind === 'folder' ? undefined : original.conflictOf;
  const markedId = node.conflictOf?.entryId ?? above?.entryId ?? originalId;
  const found = view
    .conflictCopies(parentId)
    .find(
      (copy) =>
        copy.kind !== 'folder' &&
        copy.conflictOf?.entryId === markedId &&
        compareContents(copy, node) === 'same' &&
        !draft.adopted.has(copy.entryId) &&
        view.local(copy.entryId) === undefined &&
        view.synced(copy.entryId) === undefined &&
        view.leftOut(copy.entryId) === null &&
        view.remoteNamed(parentId, copy.name).length === 1 &&
        view.localNamed(parentId, copy.name).length === 0,
    );
  return found ?? null;
}
