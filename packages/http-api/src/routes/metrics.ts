import type { Route } from '../foundation/route-context.ts';

/** GET /metrics : Prometheus text, for this machine and for administrators. */
export const metricsRoute: Route = (app, { metrics }) => {
  app.get('/metrics', { config: { access: 'operator' }, schema: { hide: true } }, async (_request, reply) => {
    const { contentType, text } = await metrics.render();
    return reply.type(contentType).send(text as never);
  });
};
