import { announceNodeRequestSchema } from '@cairn/protocol';
import { z } from 'zod';
import type { Route } from '../../../../foundation/route-context.ts';

/** POST /api/v1/nodes/announce */
export const announceNodeRoute: Route = (app, { cluster }) => {
  app.post(
    '/api/v1/nodes/announce',
    {
      config: { access: 'sign-in' },
      schema: {
        tags: ['storage nodes'],
        summary: 'Say where a storage node that started is, proven with its key',
        security: [],
        body: announceNodeRequestSchema,
        response: { 204: z.undefined() },
      },
    },
    async ({ body }, reply) => {
      await cluster.announce({ ...body, proof: Buffer.from(body.proof, 'base64url') });
      return reply.status(204).send();
    },
  );
};
