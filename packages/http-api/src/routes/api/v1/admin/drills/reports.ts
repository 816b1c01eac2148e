import { drillReportSchema, drillsResponseSchema } from '@cairn/protocol';
import { z } from 'zod';
import { principalOf } from '../../../../../foundation/authentication.ts';
import type { Route } from '../../../../../foundation/route-context.ts';

/** POST and GET /api/v1/admin/drills */
export const drillReportsRoute: Route = (app, { drills }) => {
  app.post(
    '/api/v1/admin/drills',
    {
      schema: {
        tags: ['administration'],
        summary: 'Keep what a drill proved',
        body: drillReportSchema,
        response: { 204: z.undefined() },
      },
    },
    async (request, reply) => {
      await drills.record(principalOf(request), request.body);
      return reply.status(204).send();
    },
  );
  app.get(
    '/api/v1/admin/drills',
    {
      schema: {
        tags: ['administration'],
        summary: 'What the last drills proved, newest first',
        response: { 200: drillsResponseSchema },
      },
    },
    async (request) => ({ drills: [...(await drills.list(principalOf(request)))] }),
  );
};
