import {
  type CollectionResponse,
  collectionResponseSchema,
  type UsageResponse,
  usageResponseSchema,
} from '@cairn/protocol';
import type { Api } from './api.ts';

/** What administrators do. For others it all is `not-found`. Throws CairnError. */
export interface AdminClient {
  /** Cleans up, or tells what that would do. May take long. */
  collect(options: { readonly dryRun: boolean }, signal?: AbortSignal): Promise<CollectionResponse>;
  usage(signal?: AbortSignal): Promise<UsageResponse>;
}

export function createAdminClient(api: Api): AdminClient {
  return {
    collect: ({ dryRun }, signal) =>
      api.ask(
        { method: 'POST', path: '/admin/collections', json: { dryRun }, once: true, signal },
        collectionResponseSchema,
      ),
    usage: (signal) => api.ask({ method: 'GET', path: '/admin/usage', signal }, usageResponseSchema),
  };
}
