import type { CollectionState } from '@cairn/maintenance';
import { collectionRequestSchema, collectionResponseSchema } from '@cairn/protocol';
import { principalOf } from '../../../../foundation/authentication.ts';
import type { Route } from '../../../../foundation/route-context.ts';

function toAnswer({ report, ...state }: CollectionState) {
  if (report === null) return { ...state, report };
  return {
    ...state,
    report: { ...report, audit: { ...report.audit, examples: [...report.audit.examples] } },
  };
}

/** POST and GET /api/v1/admin/collections */
export const collectionsRoute: Route = (app, { collection }) => {
  app.post(
    '/api/v1/admin/collections',
    {
      schema: {
        tags: ['administration'],
        summary: 'Begin to clean up: old trash, old versions, and blocks that nothing needs',
        body: collectionRequestSchema.nullish(),
        response: { 202: collectionResponseSchema },
      },
    },
    async (request, reply) => {
      const dryRun = request.body?.dryRun ?? false;
      return reply.status(202).send(toAnswer(await collection.begin(principalOf(request), { dryRun })));
    },
  );
  app.get(
    '/api/v1/admin/collections',
    {
      schema: {
        tags: ['administration'],
        summary: 'How far that clean-up is, or what the last one did',
        response: { 200: collectionResponseSchema },
      },
    },
    async (request) => toAnswer(await collection.state(principalOf(request))),
  );
};
