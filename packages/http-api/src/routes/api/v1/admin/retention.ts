import { retentionRequestSchema, retentionResponseSchema } from '@cairn/protocol';
import { principalOf } from '../../../../foundation/authentication.ts';
import type { Route } from '../../../../foundation/route-context.ts';

/** GET and PUT /api/v1/admin/retention */
export const serverRetentionRoute: Route = (app, { retention, stopping }) => {
  app.get(
    '/api/v1/admin/retention',
    {
      schema: {
        tags: ['administration'],
        summary: 'How long old versions and the trash are kept in spaces that say nothing else',
        response: { 200: retentionResponseSchema },
      },
    },
    (request) => retention.ofServer(principalOf(request)),
  );
  app.put(
    '/api/v1/admin/retention',
    {
      schema: {
        tags: ['administration'],
        summary: 'Say how long they are kept, or what that would remove',
        body: retentionRequestSchema,
        response: { 200: retentionResponseSchema },
      },
    },
    async (request) => {
      const principal = principalOf(request);
      const { retention: wanted, dryRun = false } = request.body;
      if (!dryRun) return retention.setOfServer(principal, wanted);
      const nextCleanUp = await retention.previewOfServer(principal, wanted, stopping);
      return { ...(await retention.ofServer(principal)), nextCleanUp };
    },
  );
};
