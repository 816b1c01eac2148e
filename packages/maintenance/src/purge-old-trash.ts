import type { MetadataStore, SpaceRecord } from '@cairn/metadata-store';
import type { EntryId, SpaceId } from '@cairn/model';
import { purgeTrashItem } from '@cairn/services';
import { checkTrial, DAY_MS, listConflictEntries, readRetention } from './retention-settings.ts';
import type { RetentionDependencies, RetentionOptions } from './thin-versions.ts';

export interface PurgeReport {
  readonly dryRun: boolean;
  readonly items: number;
  readonly entries: number;
}

const PAGE = 100;

/**
 * Removes trash items that are older than their spaces keep them, except those with a file that a live conflict is a
 * copy of. May end at any await; the next run goes on.
 * @throws errors of the store; the signal's reason
 */
export async function purgeOldTrash(
  { store, environment }: RetentionDependencies,
  options: RetentionOptions = {},
): Promise<PurgeReport> {
  const { dryRun = false, signal } = options;
  checkTrial(options);
  const now = environment.clock.now();
  let [items, entries] = [0, 0];

  async function purgeSpace(spaceId: SpaceId): Promise<void> {
    const settings = await store.read((reader) => readRetention(reader, spaceId, options));
    if (settings.trash.keep === 'all') return;
    const before = now - settings.trash.days * DAY_MS;
    for (let after = 0; ; ) {
      signal?.throwIfAborted();
      const from = after;
      const page = await store.read((reader) => reader.pageTrash(spaceId, from, PAGE));
      // All are looked at: a clock that jumped may have put them out of order.
      for (const item of page) {
        after = item.sequence;
        if (item.trashedAt > before) continue;
        const subtree = await countUndisputed(store, spaceId, item.entryId);
        if (subtree === 0) continue;
        const removed = dryRun
          ? subtree
          : await purgeTrashItem(store, spaceId, item.entryId, { now, signal });
        if (removed > 0) items += 1;
        entries += removed;
      }
      if (page.length < PAGE) return;
    }
  }

  const isOne = options.spaceId !== undefined;
  if (options.spaceId !== undefined) await purgeSpace(options.spaceId);
  for (let after: SpaceId | null = null; !isOne; ) {
    const from: SpaceId | null = after;
    const page: SpaceRecord[] = await store.read((reader) => reader.pageSpaces(from, PAGE));
    for (const { spaceId } of page) await purgeSpace(spaceId);
    after = page.at(-1)?.spaceId ?? null;
    if (page.length < PAGE) break;
  }
  if (!dryRun && items > 0) environment.log.info('retention.trash-purged', { items, entries });
  return { dryRun, items, entries };
}

/** Entries of a trash item; 0 when a live conflict is about one of them. */
function countUndisputed(store: MetadataStore, spaceId: SpaceId, trashId: EntryId): Promise<number> {
  return store.read(async (reader) => {
    const subtree = await reader.listSubtree(spaceId, trashId);
    const disputed = await listConflictEntries(reader, spaceId);
    return subtree.some(({ entryId }) => disputed.has(entryId)) ? 0 : subtree.length;
  });
}
