import { z } from 'zod';
import type { Route } from '../../../foundation/route-context.ts';
import { POLICY_REPORTS_PATH } from '../../../web/web-app-policy.ts';

const MAX_BODY_BYTES = 16 * 1024;
const MAX_REPORTS = 20;
/** Lines in the log a minute, whoever sends reports. */
const MAX_LINES = 30;
const MINUTE_MS = 60_000;
const MEDIA_TYPES = ['application/csp-report', 'application/reports+json'];

const fieldSchema = z.string().max(4096).optional().catch(undefined);
/** The older form (`report-uri`) and the newer one (`report-to`). */
const reportSchema = z
  .object({
    'csp-report': z
      .object({
        'effective-directive': fieldSchema,
        'violated-directive': fieldSchema,
        'blocked-uri': fieldSchema,
      })
      .transform((report) => ({
        directive: report['effective-directive'] ?? report['violated-directive'],
        blocked: report['blocked-uri'],
      })),
  })
  .transform((report) => report['csp-report'])
  .or(
    z
      .object({
        type: z.literal('csp-violation'),
        body: z.object({ effectiveDirective: fieldSchema, blockedURL: fieldSchema }),
      })
      .transform(({ body }) => ({ directive: body.effectiveDirective, blocked: body.blockedURL })),
  );

/** Where it went to, without what could be private in it. */
function shorten(blocked: string | undefined): string {
  if (blocked === undefined || !URL.canParse(blocked)) return (blocked ?? '').slice(0, 40);
  const { protocol, host } = new URL(blocked);
  return `${protocol}//${host}`.slice(0, 200);
}

/** POST /api/v1/csp-reports */
export const policyReportsRoute: Route = (app, { environment }) => {
  let windowStartMs = Number.NEGATIVE_INFINITY;
  let lines = 0;

  function mayWrite(): boolean {
    const now = environment.clock.monotonicMs();
    if (now - windowStartMs > MINUTE_MS) {
      windowStartMs = now;
      lines = 0;
    }
    return ++lines <= MAX_LINES;
  }

  app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser(
      MEDIA_TYPES,
      { parseAs: 'string', bodyLimit: MAX_BODY_BYTES },
      scope.getDefaultJsonParser('error', 'error'),
    );
    scope.post(
      POLICY_REPORTS_PATH,
      {
        config: { access: 'anonymous' },
        schema: {
          tags: ['server'],
          summary: 'What a browser refused to do because of the policy of the web app (reports of browsers)',
          security: [],
          response: { 204: z.undefined() },
        },
      },
      async (request, reply) => {
        const reports = Array.isArray(request.body) ? request.body : [request.body];
        for (const report of reports.slice(0, MAX_REPORTS)) {
          const parsed = reportSchema.safeParse(report);
          if (!parsed.success || !mayWrite()) continue;
          environment.log.warn('web.policy-violated', {
            requestId: request.id,
            directive: parsed.data.directive?.slice(0, 40) ?? null,
            blocked: shorten(parsed.data.blocked),
          });
        }
        return reply.status(204).send();
      },
    );
  });
};
