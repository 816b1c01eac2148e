import { activityQuerySchema, activityResponseSchema, PROTOCOL_LIMITS } from '@cairn/protocol';
import { principalOf } from '../../../../foundation/authentication.ts';
import type { Route } from '../../../../foundation/route-context.ts';

/** GET /api/v1/activity */
export const activityRoute: Route = (app, { data }) => {
  app.get(
    '/api/v1/activity',
    {
      schema: {
        tags: ['history'],
        summary: 'Who changed what from which device, newest first',
        querystring: activityQuerySchema,
        response: { 200: activityResponseSchema },
      },
    },
    async (request) => {
      const { before = null, limit = PROTOCOL_LIMITS.defaultPageEntries } = request.query;
      const { items, next } = await data.activity.list(principalOf(request), { before, limit });
      return { items: [...items], next };
    },
  );
};
