import { changesetSchema, commitResultSchema, PROTOCOL_LIMITS, spaceParamsSchema } from '@cairn/protocol';
import { principalOf } from '../../../../foundation/authentication.ts';
import type { Route } from '../../../../foundation/route-context.ts';

/** POST /api/v1/spaces/{spaceId}/changesets */
export const commitChangesetRoute: Route = (app, { data, metrics }) => {
  app.post(
    '/api/v1/spaces/:spaceId/changesets',
    {
      bodyLimit: PROTOCOL_LIMITS.maxChangesetBytes,
      schema: {
        tags: ['sync'],
        summary: 'Apply all changes or none; the same changeset id always has the same answer',
        params: spaceParamsSchema,
        body: changesetSchema,
        response: { 200: commitResultSchema },
      },
    },
    async (request) => {
      const { spaceId } = request.params;
      const result = await data.spaces.commitChangeset(principalOf(request), spaceId, request.body);
      metrics.countCommit(request.body.changes.length);
      return result;
    },
  );
};
