import {
  entryParamsSchema,
  PROTOCOL_LIMITS,
  versionsQuerySchema,
  versionsResponseSchema,
} from '@cairn/protocol';
import { principalOf } from '../../../../foundation/authentication.ts';
import type { Route } from '../../../../foundation/route-context.ts';
import { toVersionObject } from '../../../../streaming/file-object.ts';

/** GET /api/v1/files/{entryId}/versions */
export const versionsRoute: Route = (app, { data }) => {
  app.get(
    '/api/v1/files/:entryId/versions',
    {
      schema: {
        tags: ['files'],
        summary: 'Saved versions, newest first',
        params: entryParamsSchema,
        querystring: versionsQuerySchema,
        response: { 200: versionsResponseSchema },
      },
    },
    async (request) => {
      const limit = request.query.limit ?? PROTOCOL_LIMITS.defaultPageEntries;
      const versions = await data.files.listVersions(principalOf(request), request.params.entryId, limit);
      return { versions: versions.map(toVersionObject) };
    },
  );
};
