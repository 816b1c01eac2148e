import { registerRequestSchema, signedInByCookieSchema, signedInSchema } from '@cairn/protocol';
import { z } from 'zod';
import { callerAddress } from '../../../../foundation/addresses.ts';
import { requireOwnPage } from '../../../../foundation/own-page.ts';
import type { Route } from '../../../../foundation/route-context.ts';
import { putTokensInCookies } from '../../../../foundation/session-cookies.ts';

/** POST /api/v1/auth/register */
export const registerRoute: Route = (app, { access }) => {
  app.post(
    '/api/v1/auth/register',
    {
      config: { access: 'sign-in' },
      schema: {
        tags: ['account'],
        summary: 'Create an account and sign in',
        security: [],
        body: registerRequestSchema,
        response: { 201: z.union([signedInSchema, signedInByCookieSchema]) },
      },
    },
    async (request, reply) => {
      const { session, ...account } = request.body;
      if (session === 'cookie') requireOwnPage(request);
      const signedIn = await access.accounts.register(account, { address: callerAddress(request.ip) });
      reply.status(201);
      return session === 'cookie' ? putTokensInCookies(request, reply, signedIn) : signedIn;
    },
  );
};
