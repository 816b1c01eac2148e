import { retentionRequestSchema, retentionResponseSchema, spaceParamsSchema } from '@cairn/protocol';
import { principalOf } from '../../../../foundation/authentication.ts';
import type { Route } from '../../../../foundation/route-context.ts';

/** GET and PUT /api/v1/spaces/{spaceId}/retention */
export const spaceRetentionRoute: Route = (app, { retention, stopping }) => {
  app.get(
    '/api/v1/spaces/:spaceId/retention',
    {
      schema: {
        tags: ['spaces'],
        summary: 'How long old versions and the trash are kept, and who says so',
        params: spaceParamsSchema,
        response: { 200: retentionResponseSchema },
      },
    },
    (request) => retention.ofSpace(principalOf(request), request.params.spaceId),
  );
  app.put(
    '/api/v1/spaces/:spaceId/retention',
    {
      schema: {
        tags: ['spaces'],
        summary: 'Say how long old versions and the trash are kept, or what that would remove',
        params: spaceParamsSchema,
        body: retentionRequestSchema,
        response: { 200: retentionResponseSchema },
      },
    },
    async (request) => {
      const principal = principalOf(request);
      const { spaceId } = request.params;
      const { retention: wanted, dryRun = false } = request.body;
      if (!dryRun) return retention.setOfSpace(principal, spaceId, wanted);
      const nextCleanUp = await retention.previewOfSpace(principal, spaceId, wanted, stopping);
      return { ...(await retention.ofSpace(principal, spaceId)), nextCleanUp };
    },
  );
};
