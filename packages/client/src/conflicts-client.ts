import type { EntryId } from '@cairn/model';
import { type ConflictObject, conflictsResponseSchema, type ResolveConflictRequest } from '@cairn/protocol';
import { type Api, apiPath } from './api.ts';
import type { SessionRecord } from './session-store.ts';

const PAGE_CONFLICTS = 500;

/** Conflict copies of the personal space. Throws CairnError. */
export interface ConflictsClient {
  /** All that nobody has decided about, page by page. */
  list(signal?: AbortSignal): AsyncIterable<ConflictObject>;
  /** Decides about the copy with this id. Throws `precondition-failed` when something changed since it was listed. */
  resolve(copyId: EntryId, request: ResolveConflictRequest): Promise<void>;
}

export function createConflictsClient(
  api: Api,
  requireSession: () => Promise<SessionRecord>,
): ConflictsClient {
  return {
    async *list(signal) {
      const { spaceId } = await requireSession();
      let after: EntryId | null = null;
      do {
        const rest: string = after === null ? '' : apiPath`&after=${after}`;
        const path = apiPath`/spaces/${spaceId}/conflicts?limit=${PAGE_CONFLICTS}` + rest;
        const page: { conflicts: ConflictObject[]; next: EntryId | null } = await api.ask(
          { method: 'GET', path, signal },
          conflictsResponseSchema,
        );
        yield* page.conflicts;
        after = page.next;
      } while (after !== null);
    },
    async resolve(copyId, request) {
      const { spaceId } = await requireSession();
      const path = apiPath`/spaces/${spaceId}/conflicts/${copyId}/resolve`;
      await api.tell({ method: 'POST', path, json: request, once: true });
    },
  };
}
