import { collectionRequestSchema, collectionResponseSchema } from '@cairn/protocol';
import { principalOf } from '../../../../foundation/authentication.ts';
import type { Route } from '../../../../foundation/route-context.ts';

/** POST /api/v1/admin/collections */
export const collectionsRoute: Route = (app, { maintenance, stopping }) => {
  app.post(
    '/api/v1/admin/collections',
    {
      schema: {
        tags: ['administration'],
        summary: 'Clean up now: old trash, old versions, and blocks that nothing needs',
        body: collectionRequestSchema.nullish(),
        response: { 200: collectionResponseSchema },
      },
    },
    async (request) => {
      const dryRun = request.body?.dryRun ?? false;
      const report = await maintenance.collect(principalOf(request), { dryRun, signal: stopping });
      return { ...report, audit: { ...report.audit, examples: [...report.audit.examples] } };
    },
  );
};
