import { invitationResponseSchema } from '@cairn/protocol';
import { principalOf } from '../../../../../foundation/authentication.ts';
import type { Route } from '../../../../../foundation/route-context.ts';

/** POST /api/v1/admin/nodes/invitations */
export const inviteNodeRoute: Route = (app, { cluster }) => {
  app.post(
    '/api/v1/admin/nodes/invitations',
    {
      schema: {
        tags: ['administration'],
        summary: 'Make a token with which one storage node may join',
        response: { 201: invitationResponseSchema },
      },
    },
    async (request, reply) => reply.status(201).send(await cluster.invite(principalOf(request))),
  );
};
