import { loginRequestSchema, signedInSchema } from '@cairn/protocol';
import { callerAddress } from '../../../../foundation/addresses.ts';
import type { Route } from '../../../../foundation/route-context.ts';

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
        response: { 200: signedInSchema },
      },
    },
    async (request) => access.sessions.login(request.body, { address: callerAddress(request.ip) }),
  );
};
