import { blockIdsRequestSchema, encodePackStream, MEDIA_TYPES, spaceParamsSchema } from '@cairn/protocol';
import { principalOf } from '../../../../foundation/authentication.ts';
import { binarySchema } from '../../../../foundation/binary-schema.ts';
import type { Route } from '../../../../foundation/route-context.ts';
import { BorrowedPieces } from '../../../../streaming/borrowed-pieces.ts';

/** POST /api/v1/spaces/{spaceId}/blocks/read */
export const readBlocksRoute: Route = (app, { data, readBuffers }) => {
  app.post(
    '/api/v1/spaces/:spaceId/blocks/read',
    {
      schema: {
        tags: ['sync'],
        summary: 'Blocks in the order asked, as a pack of any length',
        params: spaceParamsSchema,
        body: blockIdsRequestSchema,
        response: {
          200: { description: 'The blocks', content: { [MEDIA_TYPES.pack]: { schema: binarySchema } } },
        },
      },
    },
    async (request, reply) => {
      const { spaceId } = request.params;
      const { blockIds } = request.body;
      const blocks = await data.blocks.readBlocks(principalOf(request), spaceId, blockIds, readBuffers);
      const body = new BorrowedPieces(encodePackStream(blocks));
      return reply.type(MEDIA_TYPES.pack).send(body as never);
    },
  );
};
