import { blocksResponseSchema, moveBlocksRequestSchema } from '@cairn/protocol';
import { principalOf } from '../../../../foundation/authentication.ts';
import type { Route } from '../../../../foundation/route-context.ts';

/** GET /api/v1/admin/blocks; POST and DELETE /api/v1/admin/blocks/move */
export const blocksRoute: Route = (app, { blockMove }) => {
  app.get(
    '/api/v1/admin/blocks',
    {
      schema: {
        tags: ['administration'],
        summary: 'Where the blocks are, and how far a move of them is',
        response: { 200: blocksResponseSchema },
      },
    },
    (request) => blockMove.state(principalOf(request)),
  );
  app.post(
    '/api/v1/admin/blocks/move',
    {
      schema: {
        tags: ['administration'],
        summary:
          'Begin to move all blocks to another place, or change the settings of the move that goes there',
        body: moveBlocksRequestSchema,
        response: { 202: blocksResponseSchema },
      },
    },
    async (request, reply) =>
      reply.status(202).send(await blockMove.begin(principalOf(request), request.body)),
  );
  app.delete(
    '/api/v1/admin/blocks/move',
    {
      schema: {
        tags: ['administration'],
        summary: 'Cancel the move: everything goes back to where it came from',
        response: { 202: blocksResponseSchema },
      },
    },
    async (request, reply) => reply.status(202).send(await blockMove.cancel(principalOf(request))),
  );
};
