import { passwordRequestSchema } from '@cairn/protocol';
import { z } from 'zod';
import { callerAddress } from '../../../../foundation/addresses.ts';
import { principalOf } from '../../../../foundation/authentication.ts';
import type { Route } from '../../../../foundation/route-context.ts';

/** POST /api/v1/auth/password */
export const passwordRoute: Route = (app, { access }) => {
  app.post(
    '/api/v1/auth/password',
    {
      schema: {
        tags: ['account'],
        summary: 'Change your password, and sign your other devices out if you like',
        body: passwordRequestSchema,
        response: { 204: z.undefined() },
      },
    },
    async (request, reply) => {
      const caller = { address: callerAddress(request.ip) };
      await access.accounts.changePassword(principalOf(request), request.body, caller);
      return reply.status(204).send();
    },
  );
};
