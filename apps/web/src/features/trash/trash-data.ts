import { isCairnError } from '@cairn/model';
import {
  emptyTrashResponseSchema,
  entryResponseSchema,
  type FileObject,
  type TrashResponse,
  trashResponseSchema,
} from '@cairn/protocol';
import { useInfiniteQuery } from '@tanstack/react-query';
import { putIntoFolders } from '../../api/folder-cache.ts';
import { refreshLiveQueries } from '../../api/query-client.ts';
import { apiPath, ask, tell } from '../../api/request.ts';

export type TrashItem = TrashResponse['items'][number];

const PAGE_ITEMS = 200;
const PARALLEL = 6;

/** What was deleted, newest first, page by page. */
export function useTrash() {
  return useInfiniteQuery({
    queryKey: ['trash'],
    queryFn: ({ pageParam, signal }) =>
      ask(apiPath`/trash?limit=${PAGE_ITEMS}&offset=${pageParam}`, trashResponseSchema, { signal }),
    initialPageParam: 0,
    getNextPageParam: (page) => page.next,
    meta: { live: true },
  });
}

export interface TrashResult<Done> {
  readonly done: readonly Done[];
  readonly errors: readonly unknown[];
}

/** Does something to every item, some at a time; one failure stops none of the others. */
async function forEach<Done>(
  items: readonly TrashItem[],
  act: (item: TrashItem) => Promise<Done>,
): Promise<TrashResult<Done>> {
  const done: Done[] = [];
  const errors: unknown[] = [];
  const waiting = [...items];
  async function work(): Promise<void> {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) {
      try {
        done.push(await act(item));
      } catch (error) {
        errors.push(error);
      }
    }
  }
  await Promise.all(Array.from({ length: PARALLEL }, work));
  refreshLiveQueries();
  return { done, errors };
}

export interface Restored {
  readonly item: TrashItem;
  readonly entry: FileObject;
}

/** Brings items back to where they were; where that is taken or gone, the server finds another name or place. */
export async function restoreItems(items: readonly TrashItem[]): Promise<TrashResult<Restored>> {
  const result = await forEach(items, async (item) => {
    const path = apiPath`/trash/${item.entryId}/restore`;
    return { item, entry: (await ask(path, entryResponseSchema, { method: 'POST', json: {} })).entry };
  });
  putIntoFolders(result.done.map(({ entry }) => entry));
  return result;
}

/** Deletes items for good. */
export function purgeItems(items: readonly TrashItem[]): Promise<TrashResult<TrashItem>> {
  return forEach(items, async (item) => {
    try {
      await tell(apiPath`/trash/${item.entryId}`, { method: 'DELETE' });
    } catch (error) {
      // Somebody else was first.
      if (!isCairnError(error, 'not-found')) throw error;
    }
    return item;
  });
}

/** Deletes everything for good, what is not loaded too. Returns how many items. */
export async function emptyTrash(): Promise<number> {
  const { items } = await ask('/trash', emptyTrashResponseSchema, { method: 'DELETE' });
  refreshLiveQueries();
  return items;
}
