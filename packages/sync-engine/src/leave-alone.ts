import type { EntryId } from '@cairn/model';
import type { TreeStore } from '@cairn/tree-store';
import { descendantsIn } from './local-tree.ts';

/** Forgets that entries, and what is or was below them, were agreed on: their absence here means nothing then. */
export function leaveAlone({ local, synced }: TreeStore, entryIds: Iterable<EntryId>): void {
  for (const entryId of entryIds)
    for (const id of [entryId, ...descendantsIn(local, entryId), ...descendantsIn(synced, entryId)])
      synced.delete(id);
}
