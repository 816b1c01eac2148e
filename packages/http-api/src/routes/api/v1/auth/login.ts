import { loginRequestSchema, signedInByCookieSchema, signedInSchema } from '@cairn/protocol';
import { z } from 'zod';
import { callerAddress } from '../../../../foundation/addresses.ts';
import { requireOwnPage } from '../../../../foundation/own-page.ts';
import type { Route } from '../../../../foundation/route-context.ts';
import { putTokensInCookies } from '../../../../foundation/session-cookies.ts';

/** POST /api/v1/auth/login */
export const loginRoute: Route = (app, { access }) => {
  app.post(
    '/api/v1/auth/login',
    {
      config: { access: 'sign-in' },
      schema: {
        tags: ['account'],
        summary: 'Sign in with a password',
        security: [],
        body: loginRequestSchema,
        response: { 200: z.union([signedInSchema, signedInByCookieSchema]) },
      },
    },
    async (request, reply) => {
      const { session, ...credentials } = request.body;
      if (session === 'cookie') requireOwnPage(request);
      const signedIn = await access.sessions.login(credentials, { address: callerAddress(request.ip) });
      return session === 'cookie' ? putTokensInCookies(request, reply, signedIn) : signedIn;
    },
  );
};
