import { PROTOCOL_LIMITS, trashQuerySchema, trashResponseSchema } from '@cairn/protocol';
import { principalOf } from '../../../../foundation/authentication.ts';
import type { Route } from '../../../../foundation/route-context.ts';

/** GET /api/v1/trash */
export const listTrashRoute: Route = (app, { data }) => {
  app.get(
    '/api/v1/trash',
    {
      schema: {
        tags: ['trash'],
        summary: 'What was deleted, newest first',
        querystring: trashQuerySchema,
        response: { 200: trashResponseSchema },
      },
    },
    async (request) => {
      const { offset = 0, limit = PROTOCOL_LIMITS.defaultPageEntries } = request.query;
      const page = await data.trash.list(principalOf(request), null, { offset, limit });
      return { items: [...page.items], next: page.next, retention: page.retention };
    },
  );
};
