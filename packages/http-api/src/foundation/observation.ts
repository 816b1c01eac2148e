import { HEADER_NAMES } from '@cairn/protocol';
import type { App, RouteContext } from './route-context.ts';

/** One log line and one measurement a request. Never headers, queries or bodies: the route says enough. */
export function observeRequests(app: App, context: RouteContext): void {
  const { metrics, environment } = context;
  app.addHook('onRequest', async (request, reply) => {
    reply.header(HEADER_NAMES.requestId, request.id);
    reply.header('cache-control', 'no-store');
  });
  app.addHook('onSend', async (_request, reply) => {
    // A connection that stays open for another request would hold the stop up.
    if (context.stopping.aborted) reply.header('connection', 'close');
  });
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'unknown';
    const { method } = request;
    const status = reply.statusCode;
    const durationMs = Math.round(reply.elapsedTime * 10) / 10;
    metrics.observeRequest({ method, route, status, seconds: reply.elapsedTime / 1000 });
    metrics.countBytes('in', Number(request.headers['content-length'] ?? 0) || 0);
    metrics.countBytes('out', Number(reply.getHeader('content-length') ?? 0) || 0);
    // A refusal's request id is what people report, so those lines are kept at the usual level.
    const write = status >= 400 ? environment.log.info : environment.log.debug;
    write('http.request', {
      requestId: request.id,
      method,
      route,
      status,
      durationMs,
      ...(request.principal === null
        ? {}
        : { userId: request.principal.userId, deviceId: request.principal.deviceId }),
    });
  });
}
