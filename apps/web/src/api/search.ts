import { type FileObject, type SearchResponse, searchResponseSchema } from '@cairn/protocol';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { apiPath, ask } from './request.ts';

const PAGE = 200;

/** Entries of the whole space by name; `next()` loads more. Asks nothing while `query` is empty. */
export function useSearch(query: string) {
  const result = useInfiniteQuery({
    queryKey: ['search', query],
    enabled: query !== '',
    initialPageParam: null as string | null,
    queryFn: ({ pageParam, signal }): Promise<SearchResponse> =>
      ask(
        apiPath`/search?q=${query}&limit=${PAGE}` + (pageParam === null ? '' : apiPath`&after=${pageParam}`),
        searchResponseSchema,
        { signal },
      ),
    getNextPageParam: (page) => page.next,
    meta: { live: true },
  });
  const items = useMemo<readonly FileObject[] | undefined>(
    () => result.data?.pages.flatMap((page) => page.items),
    [result.data],
  );
  return {
    items,
    error: result.error,
    hasMore: result.hasNextPage,
    next: () => {
      if (result.hasNextPage && !result.isFetchingNextPage) void result.fetchNextPage();
    },
    retry: () => void result.refetch(),
  };
}
