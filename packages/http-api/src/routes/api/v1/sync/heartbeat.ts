import { z } from 'zod';
import { principalOf } from '../../../../foundation/authentication.ts';
import type { Route } from '../../../../foundation/route-context.ts';

/** POST /api/v1/sync/heartbeat */
export const heartbeatRoute: Route = (app, { access }) => {
  app.post(
    '/api/v1/sync/heartbeat',
    { schema: { tags: ['sync'], summary: 'This device is there', response: { 204: z.undefined() } } },
    async (request, reply) => {
      await access.devices.noteSeen(principalOf(request));
      return reply.status(204).send();
    },
  );
};
