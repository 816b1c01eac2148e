import { CairnError, type EntryId, type SpaceId } from '@cairn/model';
import { authoriseEntry, authorisePersonalOr, authoriseSpace } from '../authorisation/authorise.ts';
import type { Principal } from '../authorisation/principal.ts';
import type { DataDependencies } from '../data-dependencies.ts';
import { purgeTrashItem } from './purge-trash.ts';

const PAGE_ITEMS = 100;

/** See `TrashService.empty`. What goes into the trash meanwhile stays there. */
export async function emptyTrash(
  { store, environment }: DataDependencies,
  principal: Principal,
  spaceId: SpaceId | null,
  signal?: AbortSignal,
): Promise<{ readonly items: number; readonly entries: number }> {
  const space = await store.read((reader) => authorisePersonalOr(reader, principal, 'write', spaceId));
  const now = environment.clock.now();
  let [items, entries, after] = [0, 0, 0];
  for (;;) {
    const from = after;
    const page = await store.read((reader) => reader.pageTrash(space.spaceId, from, PAGE_ITEMS));
    for (const { entryId, sequence } of page) {
      if (sequence > space.sequence) return { items, entries };
      const removed = await purgeTrashItem(store, space.spaceId, entryId, {
        now,
        signal,
        authorise: (transaction) => authoriseSpace(transaction, principal, 'write', space.spaceId),
      });
      if (removed > 0) items += 1;
      entries += removed;
      after = sequence;
    }
    if (page.length < PAGE_ITEMS) return { items, entries };
  }
}

/** See `TrashService.purge`. */
export async function purgeTrash(
  { store, environment }: DataDependencies,
  principal: Principal,
  entryId: EntryId,
): Promise<void> {
  const { space } = await store.read((reader) => authoriseEntry(reader, principal, 'write', entryId, 'any'));
  const removed = await purgeTrashItem(store, space.spaceId, entryId, {
    now: environment.clock.now(),
    authorise: (transaction) => authoriseSpace(transaction, principal, 'write', space.spaceId),
  });
  if (removed > 0) return;
  throw new CairnError(
    'not-found',
    'this is not in the trash, or went there with its folder; list the trash',
  );
}
