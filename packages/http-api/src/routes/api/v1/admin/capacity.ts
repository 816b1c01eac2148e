import { capacityQuerySchema, capacityResponseSchema } from '@cairn/protocol';
import { principalOf } from '../../../../foundation/authentication.ts';
import type { Route } from '../../../../foundation/route-context.ts';

const DEFAULT_DAYS = 30;

/** GET /api/v1/admin/capacity */
export const capacityRoute: Route = (app, { maintenance }) => {
  app.get(
    '/api/v1/admin/capacity',
    {
      schema: {
        tags: ['administration'],
        summary: 'How full the server was, hour by hour',
        querystring: capacityQuerySchema,
        response: { 200: capacityResponseSchema },
      },
    },
    async (request) => {
      const samples = await maintenance.capacity(principalOf(request), request.query.days ?? DEFAULT_DAYS);
      return { samples: samples.map(({ sampledAt, ...figures }) => ({ at: sampledAt, ...figures })) };
    },
  );
};
