import type { FastifyInstance } from 'fastify';
import type { RouteAccess } from './authentication.ts';
import type { App } from './route-context.ts';

export interface RegisteredRoute {
  readonly method: string;
  /** With `:name` for parameters. */
  readonly url: string;
  readonly access: RouteAccess;
}

const lists = new WeakMap<object, RegisteredRoute[]>();

/** Notes every route from here on, whoever adds it. */
export function recordRoutes(app: App): void {
  const routes: RegisteredRoute[] = [];
  lists.set(app.server, routes);
  app.addHook('onRoute', ({ method, url, config }) => {
    for (const one of [method].flat())
      routes.push({ method: one, url, access: config?.access ?? 'signed-in' });
  });
}

/** All that an HTTP API answers to, for tests that must not miss one. */
export function listRoutes(app: FastifyInstance): readonly RegisteredRoute[] {
  return lists.get(app.server) ?? [];
}
