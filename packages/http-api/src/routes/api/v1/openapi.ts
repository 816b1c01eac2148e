import type { Route } from '../../../foundation/route-context.ts';

/** GET /api/v1/openapi.json */
export const openapiRoute: Route = (app) => {
  app.get(
    '/api/v1/openapi.json',
    { config: { access: 'anonymous' }, schema: { hide: true } },
    async (_request, reply) => reply.send(app.swagger() as never),
  );
};
