import type { VerificationState } from '@cairn/maintenance';
import { verificationRequestSchema, verificationResponseSchema } from '@cairn/protocol';
import { principalOf } from '../../../../foundation/authentication.ts';
import type { Route } from '../../../../foundation/route-context.ts';

function toAnswer({ report, ...state }: VerificationState) {
  return { ...state, report: report === null ? null : { ...report, examples: [...report.examples] } };
}

/** POST and GET /api/v1/admin/verification */
export const verificationRoute: Route = (app, { verification }) => {
  app.post(
    '/api/v1/admin/verification',
    {
      schema: {
        tags: ['administration'],
        summary: 'Begin to check that every version of every file can be read',
        body: verificationRequestSchema.nullish(),
        response: { 202: verificationResponseSchema },
      },
    },
    async (request, reply) => {
      const { quick = false, everyReplica = false } = request.body ?? {};
      const state = await verification.begin(principalOf(request), { quick, everyReplica });
      return reply.status(202).send(toAnswer(state));
    },
  );
  app.get(
    '/api/v1/admin/verification',
    {
      schema: {
        tags: ['administration'],
        summary: 'How far that check is, or what the last one found',
        response: { 200: verificationResponseSchema },
      },
    },
    async (request) => toAnswer(await verification.state(principalOf(request))),
  );
};
