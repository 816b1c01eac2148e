import type { EntryId, SpaceId } from '@cairn/model';
import {
  type ConflictObject,
  conflictsResponseSchema,
  entryResponseSchema,
  type ResolveConflictRequest,
} from '@cairn/protocol';
import { useInfiniteQuery } from '@tanstack/react-query';
import { putIntoFolders, removeFromFolders } from '../../api/folder-cache.ts';
import { refreshLiveQueries } from '../../api/query-client.ts';
import { apiPath, ask, tell } from '../../api/request.ts';

export type Keep = ResolveConflictRequest['keep'];

const PAGE_CONFLICTS = 50;

/** Conflict copies that nobody has decided about, page by page. */
export function useConflicts(spaceId: SpaceId) {
  return useInfiniteQuery({
    queryKey: ['conflicts', spaceId],
    queryFn: ({ pageParam, signal }) => {
      const rest = pageParam === null ? '' : apiPath`&after=${pageParam}`;
      const path = apiPath`/spaces/${spaceId}/conflicts?limit=${PAGE_CONFLICTS}` + rest;
      return ask(path, conflictsResponseSchema, { signal });
    },
    initialPageParam: null as EntryId | null,
    getNextPageParam: (page) => page.next,
    meta: { live: true },
  });
}

/** Decides about a conflict as it is shown. Throws `precondition-failed` when something changed since. */
export async function resolveConflict(spaceId: SpaceId, conflict: ConflictObject, keep: Keep): Promise<void> {
  const { copy, original } = conflict;
  const json: ResolveConflictRequest = {
    keep,
    copySequence: copy.entry.sequence,
    originalSequence: original?.entry.sequence ?? null,
  };
  await tell(apiPath`/spaces/${spaceId}/conflicts/${copy.entry.entryId}/resolve`, { json });
  if (keep !== 'both') removeFromFolders(new Set([copy.entry.entryId]));
  refreshLiveQueries();
}

/** Takes a decision back: the copy returns from the trash, and the original gets its content again. */
export async function undoResolve({ copy, original }: ConflictObject, keep: Keep): Promise<void> {
  if (keep === 'mine' && original !== null) {
    const { entry } = await ask(apiPath`/files/${original.entry.entryId}/revert`, entryResponseSchema, {
      method: 'POST',
      json: { versionId: original.version.versionId },
    });
    putIntoFolders([entry]);
  }
  const path = apiPath`/trash/${copy.entry.entryId}/restore`;
  const { entry } = await ask(path, entryResponseSchema, { method: 'POST', json: {} });
  putIntoFolders([entry]);
  refreshLiveQueries();
}
