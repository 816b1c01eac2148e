import { type RetentionRequest, type RetentionResponse, retentionResponseSchema } from '@cairn/protocol';
import { type Api, apiPath } from './api.ts';
import type { SessionRecord } from './session-store.ts';

/** How long the personal space keeps old versions and its trash. Throws CairnError. */
export interface RetentionClient {
  get(signal?: AbortSignal): Promise<RetentionResponse>;
  /** Sets it, or tells what that would remove. */
  set(request: RetentionRequest, signal?: AbortSignal): Promise<RetentionResponse>;
}

export function createRetentionClient(
  api: Api,
  requireSession: () => Promise<SessionRecord>,
): RetentionClient {
  const path = async () => apiPath`/spaces/${(await requireSession()).spaceId}/retention`;
  return {
    get: async (signal) => api.ask({ method: 'GET', path: await path(), signal }, retentionResponseSchema),
    set: async (request, signal) =>
      api.ask({ method: 'PUT', path: await path(), json: request, signal }, retentionResponseSchema),
  };
}
