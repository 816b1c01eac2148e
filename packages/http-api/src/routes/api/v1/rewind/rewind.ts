import {
  MAX_REWIND_CHOSEN,
  PROTOCOL_LIMITS,
  type RewindItem,
  rewindDoneSchema,
  rewindPreviewQuerySchema,
  rewindPreviewResponseSchema,
  rewindQuerySchema,
  rewindRequestSchema,
  rewindResponseSchema,
} from '@cairn/protocol';
import type { PastEntry } from '@cairn/services';
import { principalOf } from '../../../../foundation/authentication.ts';
import type { Route } from '../../../../foundation/route-context.ts';

function toRewindItem({ entry, path, kept }: PastEntry): RewindItem {
  const { entryId, kind, name, parentId } = entry;
  if (parentId === null) throw new Error('the root is in no folder');
  const common = { entryId, kind, name, parentId, path };
  if (entry.kind === 'folder') return common;
  const { modifiedAtUs, versionId } = entry;
  return {
    ...common,
    modifiedAtUs,
    ...(kept ? { versionId } : {}),
    ...(entry.kind === 'file' ? { sizeBytes: entry.content.sizeBytes } : {}),
  };
}

/** GET and POST /api/v1/rewind, GET /api/v1/rewind/preview */
export const rewindRoute: Route = (app, { data }) => {
  app.get(
    '/api/v1/rewind',
    {
      schema: {
        tags: ['history'],
        summary: 'What was in a folder at an instant; with `deep` the whole tree, up to 10,000 entries',
        querystring: rewindQuerySchema,
        response: { 200: rewindResponseSchema },
      },
    },
    async (request) => {
      const { entryId, at, deep } = request.query;
      const isDeep = deep === '1' || deep === 'true';
      const past = await data.rewind.look(principalOf(request), entryId, at, isDeep);
      const { sequence, complete } = past;
      return { at, sequence, items: past.entries.map(toRewindItem), complete };
    },
  );

  app.get(
    '/api/v1/rewind/preview',
    {
      schema: {
        tags: ['history'],
        summary: 'What would change if a folder were made as it was at an instant',
        querystring: rewindPreviewQuerySchema,
        response: { 200: rewindPreviewResponseSchema },
      },
    },
    async (request) => {
      const { entryId, at, after = 0, limit = PROTOCOL_LIMITS.defaultPageEntries } = request.query;
      const preview = await data.rewind.preview(principalOf(request), entryId, at, { after, limit });
      const { sequence, steps, next, counts } = preview;
      return { at, sequence, changes: [...steps], next, counts };
    },
  );

  app.post(
    '/api/v1/rewind',
    {
      schema: {
        tags: ['history'],
        summary:
          'Make a folder as it was at an instant, by new changes; rewinding to `undoAt` (with `undoOnly`) undoes it',
        body: rewindRequestSchema,
        response: { 200: rewindDoneSchema },
      },
    },
    async (request) => {
      const { entryId, at, only = null } = request.body;
      const { undoOnly, ...done } = await data.rewind.apply(principalOf(request), entryId, at, only);
      if (undoOnly === null) return { ...done, undoOnly };
      return undoOnly.length > MAX_REWIND_CHOSEN ? done : { ...done, undoOnly: [...undoOnly] };
    },
  );
};
