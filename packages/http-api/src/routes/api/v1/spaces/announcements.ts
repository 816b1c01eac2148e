import { announcementRequestSchema, spaceParamsSchema } from '@cairn/protocol';
import { z } from 'zod';
import { principalOf } from '../../../../foundation/authentication.ts';
import type { Route } from '../../../../foundation/route-context.ts';

/** POST /api/v1/spaces/{spaceId}/announcements */
export const announcementsRoute: Route = (app, { data }) => {
  app.post(
    '/api/v1/spaces/:spaceId/announcements',
    {
      schema: {
        tags: ['sync'],
        summary: 'Tell your other devices which chunks of a file on its way they can read or copy by now',
        params: spaceParamsSchema,
        body: announcementRequestSchema,
        response: { 204: z.undefined() },
      },
    },
    async (request, reply) => {
      await data.spaces.announceTransfer(principalOf(request), request.params.spaceId, request.body);
      return reply.status(204).send();
    },
  );
};
