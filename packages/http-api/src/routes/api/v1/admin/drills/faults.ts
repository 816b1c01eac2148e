import { faultRequestSchema, faultResponseSchema } from '@cairn/protocol';
import { z } from 'zod';
import { principalOf } from '../../../../../foundation/authentication.ts';
import type { Route } from '../../../../../foundation/route-context.ts';

/** POST and DELETE /api/v1/admin/drills/faults */
export const drillFaultsRoute: Route = (app, { drills }) => {
  app.post(
    '/api/v1/admin/drills/faults',
    {
      schema: {
        tags: ['administration'],
        summary: 'Treat a storage node as away or full for a bounded time, or prolong that',
        body: faultRequestSchema,
        response: { 200: faultResponseSchema },
      },
    },
    (request) => drills.beginFault(principalOf(request), request.body),
  );
  app.delete(
    '/api/v1/admin/drills/faults',
    {
      schema: {
        tags: ['administration'],
        summary: 'End that before its time',
        response: { 204: z.undefined() },
      },
    },
    async (request, reply) => {
      await drills.endFault(principalOf(request));
      return reply.status(204).send();
    },
  );
};
