import { refreshRequestSchema, signedInSchema } from '@cairn/protocol';
import type { Route } from '../../../../foundation/route-context.ts';

/** POST /api/v1/auth/refresh */
export const refreshRoute: Route = (app, { access }) => {
  app.post(
    '/api/v1/auth/refresh',
    {
      config: { access: 'sign-in' },
      schema: {
        tags: ['account'],
        summary: 'Change a refresh token for new tokens',
        security: [],
        body: refreshRequestSchema,
        response: { 200: signedInSchema },
      },
    },
    async (request) => access.sessions.refresh(request.body.refreshToken),
  );
};
