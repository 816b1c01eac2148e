import { usageResponseSchema } from '@cairn/protocol';
import { principalOf } from '../../../../foundation/authentication.ts';
import type { Route } from '../../../../foundation/route-context.ts';

/** GET /api/v1/admin/usage */
export const usageRoute: Route = (app, { maintenance }) => {
  app.get(
    '/api/v1/admin/usage',
    {
      schema: {
        tags: ['administration'],
        summary: 'What is stored, and what could be set free',
        response: { 200: usageResponseSchema },
      },
    },
    (request) => maintenance.usage(principalOf(request)),
  );
};
