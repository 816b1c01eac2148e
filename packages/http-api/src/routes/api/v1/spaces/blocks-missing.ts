import { blockIdsRequestSchema, missingBlocksResponseSchema, spaceParamsSchema } from '@cairn/protocol';
import { principalOf } from '../../../../foundation/authentication.ts';
import type { Route } from '../../../../foundation/route-context.ts';

/** POST /api/v1/spaces/{spaceId}/blocks/missing */
export const missingBlocksRoute: Route = (app, { data }) => {
  app.post(
    '/api/v1/spaces/:spaceId/blocks/missing',
    {
      schema: {
        tags: ['sync'],
        summary: 'Which blocks you have to send',
        params: spaceParamsSchema,
        body: blockIdsRequestSchema,
        response: { 200: missingBlocksResponseSchema },
      },
    },
    async (request) => {
      const { spaceId } = request.params;
      const missing = await data.blocks.findMissingBlocks(
        principalOf(request),
        spaceId,
        request.body.blockIds,
      );
      return { missing: [...missing], deltas: true };
    },
  );
};
