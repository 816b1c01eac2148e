import { type ActivityResponse, activityResponseSchema, devicesResponseSchema } from '@cairn/protocol';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { apiPath, ask } from '../../api/request.ts';

const PAGE_ITEMS = 200;

function readActivity(before: number | null, signal: AbortSignal): Promise<ActivityResponse> {
  const rest = before === null ? '' : apiPath`&before=${before}`;
  return ask(apiPath`/activity?limit=${PAGE_ITEMS}` + rest, activityResponseSchema, { signal });
}

/** What happened in the space, newest first, page by page; follows what happens now. */
export function useActivity() {
  return useInfiniteQuery({
    queryKey: ['activity'],
    queryFn: ({ pageParam, signal }) => readActivity(pageParam, signal),
    initialPageParam: null as number | null,
    getNextPageParam: (page) => page.next,
    meta: { live: true },
  });
}

/** The devices of the account, those that were signed out too. */
export function useDevices() {
  return useQuery({
    queryKey: ['devices'],
    queryFn: async ({ signal }) => (await ask('/devices', devicesResponseSchema, { signal })).devices,
  });
}
