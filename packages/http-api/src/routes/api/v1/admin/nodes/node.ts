import { changeNodeRequestSchema, nodeParamsSchema, removeNodeQuerySchema } from '@cairn/protocol';
import { z } from 'zod';
import { principalOf } from '../../../../../foundation/authentication.ts';
import type { Route } from '../../../../../foundation/route-context.ts';

/** PATCH and DELETE /api/v1/admin/nodes/{nodeId} */
export const nodeRoute: Route = (app, { cluster }) => {
  app.patch(
    '/api/v1/admin/nodes/:nodeId',
    {
      schema: {
        tags: ['administration'],
        summary: 'Drain a storage node, take it back into use, or change its weight or zone',
        params: nodeParamsSchema,
        body: changeNodeRequestSchema,
        response: { 204: z.undefined() },
      },
    },
    async (request, reply) => {
      await cluster.change(principalOf(request), request.params.nodeId, request.body);
      return reply.status(204).send();
    },
  );
  app.delete(
    '/api/v1/admin/nodes/:nodeId',
    {
      schema: {
        tags: ['administration'],
        summary: 'Forget a storage node that is empty, or with force=true one that will not come back',
        params: nodeParamsSchema,
        querystring: removeNodeQuerySchema,
        response: { 204: z.undefined() },
      },
    },
    async (request, reply) => {
      const force = request.query.force === 'true';
      await cluster.remove(principalOf(request), request.params.nodeId, { force });
      return reply.status(204).send();
    },
  );
};
