import type { Route } from '../foundation/route-context.ts';
import { renderPage } from '../page/page.ts';

/** GET / */
export const startPageRoute: Route = (app, { config }) => {
  app.get('/', { config: { access: 'anonymous' }, schema: { hide: true } }, async (_request, reply) =>
    reply.type('text/html; charset=utf-8').send(renderPage(config.version) as never),
  );
};
