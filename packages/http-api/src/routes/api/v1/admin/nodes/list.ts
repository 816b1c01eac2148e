import { clusterResponseSchema } from '@cairn/protocol';
import { principalOf } from '../../../../../foundation/authentication.ts';
import type { Route } from '../../../../../foundation/route-context.ts';

/** GET /api/v1/admin/nodes */
export const listNodesRoute: Route = (app, { cluster }) => {
  app.get(
    '/api/v1/admin/nodes',
    {
      schema: {
        tags: ['administration'],
        summary: 'The storage nodes, how they are, and how far repair is',
        response: { 200: clusterResponseSchema },
      },
    },
    async (request) => {
      const answer = await cluster.describe(principalOf(request));
      return { ...answer, nodes: [...answer.nodes], drills: [...answer.drills] };
    },
  );
};
