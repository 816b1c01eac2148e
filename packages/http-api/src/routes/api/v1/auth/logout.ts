import { z } from 'zod';
import { principalOf } from '../../../../foundation/authentication.ts';
import type { Route } from '../../../../foundation/route-context.ts';
import { clearSessionCookies } from '../../../../foundation/session-cookies.ts';

/** POST /api/v1/auth/logout */
export const logoutRoute: Route = (app, { access }) => {
  app.post(
    '/api/v1/auth/logout',
    { schema: { tags: ['account'], summary: 'Sign this device out', response: { 204: z.undefined() } } },
    async (request, reply) => {
      await access.sessions.logout(principalOf(request));
      if (request.isByCookie) clearSessionCookies(request, reply);
      return reply.status(204).send();
    },
  );
};
