import { emptyTrashResponseSchema, entryParamsSchema } from '@cairn/protocol';
import { principalOf } from '../../../../foundation/authentication.ts';
import type { Route } from '../../../../foundation/route-context.ts';

/** DELETE /api/v1/trash and /api/v1/trash/{entryId} */
export const emptyTrashRoute: Route = (app, { data, stopping }) => {
  app.delete(
    '/api/v1/trash',
    {
      schema: {
        tags: ['trash'],
        summary: 'Delete everything in the trash for good',
        response: { 200: emptyTrashResponseSchema },
      },
    },
    (request) => data.trash.empty(principalOf(request), null, stopping),
  );
  app.delete(
    '/api/v1/trash/:entryId',
    {
      schema: {
        tags: ['trash'],
        summary: 'Delete one thing in the trash for good, with what was deleted with it',
        params: entryParamsSchema,
      },
    },
    async (request, reply) => {
      await data.trash.purge(principalOf(request), request.params.entryId);
      return reply.status(204).send();
    },
  );
};
