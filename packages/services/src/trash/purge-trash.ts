import type { MetadataStore, MetadataTransaction } from '@cairn/metadata-store';
import type { EntryId, SpaceId } from '@cairn/model';
import { releaseContents } from '../changesets/release-contents.ts';

/** Entries of one transaction, so that none is long. */
const BATCH_ENTRIES = 1000;

export interface PurgeOptions {
  /** Called in each transaction before anything is removed; what it throws leaves the rest as it is. */
  readonly authorise?: (transaction: MetadataTransaction) => Promise<unknown>;
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Removes a trash item for good: its entries with all their versions, from below, some at a time. What its blocks
 * took is left to garbage collection. The journal stays as it is: for devices the entries went when they were
 * trashed. An item that is restored meanwhile keeps what is left of it.
 * @returns entries removed; 0 when there is no such item
 */
export async function purgeTrashItem(
  store: MetadataStore,
  spaceId: SpaceId,
  trashId: EntryId,
  options: PurgeOptions,
): Promise<number> {
  const subtree = await store.read(async (reader) =>
    (await reader.getTrash(spaceId, trashId)) === undefined ? [] : await reader.listSubtree(spaceId, trashId),
  );
  const waiting = subtree.map((entry) => entry.entryId).reverse();
  let removed = 0;
  while (waiting.length > 0) {
    options.signal?.throwIfAborted();
    const batch = waiting.splice(0, BATCH_ENTRIES);
    const isThere = await store.transact(async (transaction) => {
      await options.authorise?.(transaction);
      const entries = await transaction.getEntries(spaceId, batch);
      if (!entries.every((entry) => entry?.trashId === trashId)) return false;
      const contents = await transaction.listContents(spaceId, batch);
      await transaction.deleteTrashed(spaceId, trashId, batch);
      await releaseContents(transaction, spaceId, contents, options.now);
      return true;
    });
    if (!isThere) break;
    removed += batch.length;
  }
  return removed;
}
