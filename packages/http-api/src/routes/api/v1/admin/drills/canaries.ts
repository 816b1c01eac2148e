import { canaryRequestSchema, canaryResponseSchema } from '@cairn/protocol';
import { principalOf } from '../../../../../foundation/authentication.ts';
import type { Route } from '../../../../../foundation/route-context.ts';

/** POST /api/v1/admin/drills/canaries */
export const drillCanariesRoute: Route = (app, { drills }) => {
  app.post(
    '/api/v1/admin/drills/canaries',
    {
      schema: {
        tags: ['administration'],
        summary: "Damage a storage node's replica of a block that was made for that, or see how it is",
        body: canaryRequestSchema,
        response: { 200: canaryResponseSchema },
      },
    },
    async (request) => {
      const { nodeId, blockId, action } = request.body;
      const principal = principalOf(request);
      return {
        replica:
          action === 'damage'
            ? await drills.damageCanary(principal, nodeId, blockId)
            : await drills.inspectCanary(principal, nodeId, blockId),
      };
    },
  );
};
