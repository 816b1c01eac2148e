import {
  PROTOCOL_LIMITS,
  snapshotQuerySchema,
  snapshotResponseSchema,
  spaceParamsSchema,
} from '@cairn/protocol';
import { principalOf } from '../../../../foundation/authentication.ts';
import type { Route } from '../../../../foundation/route-context.ts';
import { answerUnchecked } from '../../../../foundation/unchecked-answers.ts';

/** GET /api/v1/spaces/{spaceId}/snapshot */
export const snapshotRoute: Route = (app, { data }) => {
  app.get(
    '/api/v1/spaces/:spaceId/snapshot',
    {
      schema: {
        tags: ['sync'],
        summary: 'All entries, page by page; follow the journal from the first page’s cursor',
        params: spaceParamsSchema,
        querystring: snapshotQuerySchema,
        response: { 200: snapshotResponseSchema },
      },
    },
    async (request, reply) => {
      answerUnchecked(reply);
      const { after, limit } = request.query;
      const page = await data.spaces.readSnapshot(
        principalOf(request),
        request.params.spaceId,
        after ?? null,
        limit ?? PROTOCOL_LIMITS.defaultPageEntries,
      );
      return { ...page, entries: [...page.entries] };
    },
  );
};
