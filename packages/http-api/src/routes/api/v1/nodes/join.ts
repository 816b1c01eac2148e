import { joinNodeRequestSchema, joinNodeResponseSchema } from '@cairn/protocol';
import type { Route } from '../../../../foundation/route-context.ts';

/** POST /api/v1/nodes/join */
export const joinNodeRoute: Route = (app, { cluster }) => {
  app.post(
    '/api/v1/nodes/join',
    {
      config: { access: 'sign-in' },
      schema: {
        tags: ['storage nodes'],
        summary: 'Join the cluster as a storage node, with a token from an administrator',
        security: [],
        body: joinNodeRequestSchema,
        response: { 200: joinNodeResponseSchema },
      },
    },
    async ({ body }) => {
      const answer = await cluster.join({
        ...body,
        publicKey: Buffer.from(body.publicKey, 'base64url'),
        proof: Buffer.from(body.proof, 'base64url'),
      });
      return {
        nodeId: answer.nodeId,
        publicKey: Buffer.from(answer.publicKey).toString('base64url'),
        proof: Buffer.from(answer.proof).toString('base64url'),
      };
    },
  );
};
