import { isCairnError } from '@cairn/model';
import { QueryClient } from '@tanstack/react-query';

declare module '@tanstack/react-query' {
  interface Register {
    queryMeta: {
      /** Asked again whenever anything changes in the space (trash, activity, conflicts, usage, versions …). */
      readonly live?: boolean;
    };
  }
}

const MAX_RETRIES = 2;

/** One cache for the whole app. Give queries `meta: { live: true }` to have them follow the space's changes. */
export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 30_000,
      gcTime: 30 * 60_000,
      // Offline, what is cached is shown at once and the failure said, instead of waiting for a network.
      networkMode: 'always',
      refetchOnWindowFocus: false,
      retry: (failures, error) => isCairnError(error, 'unavailable') && failures < MAX_RETRIES,
    },
    mutations: { networkMode: 'always' },
  },
});

/** Asks everything again that follows the space's changes. */
export function refreshLiveQueries(): void {
  void queryClient.invalidateQueries({ predicate: (query) => query.meta?.live === true });
}
