import { healthResponseSchema } from '@cairn/protocol';
import type { Route, RouteContext } from '../foundation/route-context.ts';
import type { Dependency } from '../http-api-options.ts';

const CHECK_TIMEOUT_MS = 5000;

async function checkOne(context: RouteContext, dependency: Dependency): Promise<'ok' | 'failing'> {
  const { timers, log } = context.environment;
  let cancel = (): void => undefined;
  const timedOut = new Promise<never>((_resolve, reject) => {
    cancel = timers.schedule(CHECK_TIMEOUT_MS, () =>
      reject(new Error(`no answer in ${CHECK_TIMEOUT_MS} ms`)),
    );
  });
  try {
    await Promise.race([dependency.check(), timedOut]);
    return 'ok';
  } catch (error) {
    log.warn('health.failing', { dependency: dependency.name, message: String(error) });
    return 'failing';
  } finally {
    cancel();
  }
}

/** GET /health : 200 when ready, else 503; what is wrong is in the log, not in the answer. */
export const healthRoute: Route = (app, context) => {
  app.get(
    '/health',
    {
      config: { access: 'anonymous' },
      schema: {
        tags: ['server'],
        summary: 'Whether the server and all it stands on work',
        security: [],
        response: { 200: healthResponseSchema, 503: healthResponseSchema },
      },
    },
    async (_request, reply) => {
      const statuses = await Promise.all(
        context.readiness.map(
          async (dependency) => [dependency.name, await checkOne(context, dependency)] as const,
        ),
      );
      const failing = statuses.some(([, status]) => status === 'failing');
      const status = context.stopping.aborted ? 'stopping' : failing ? 'failing' : 'ok';
      return reply.status(status === 'ok' ? 200 : 503).send({
        status,
        dependencies: Object.fromEntries(statuses.map(([name, one]) => [name, { status: one }])),
      });
    },
  );
};
