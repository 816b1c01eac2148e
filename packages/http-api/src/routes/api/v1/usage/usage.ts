import { accountUsageResponseSchema } from '@cairn/protocol';
import { principalOf } from '../../../../foundation/authentication.ts';
import type { Route } from '../../../../foundation/route-context.ts';

/** GET /api/v1/usage */
export const accountUsageRoute: Route = (app, { data }) => {
  app.get(
    '/api/v1/usage',
    {
      schema: {
        tags: ['account'],
        summary: 'What your files, their versions and your trash take, and what is saved',
        response: { 200: accountUsageResponseSchema },
      },
    },
    (request) => data.usage.ofAccount(principalOf(request)),
  );
};
