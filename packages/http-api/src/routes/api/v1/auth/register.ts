import { registerRequestSchema, signedInSchema } from '@cairn/protocol';
import { callerAddress } from '../../../../foundation/addresses.ts';
import type { Route } from '../../../../foundation/route-context.ts';

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
        response: { 201: signedInSchema },
      },
    },
    async (request, reply) =>
      reply
        .status(201)
        .send(await access.accounts.register(request.body, { address: callerAddress(request.ip) })),
  );
};
