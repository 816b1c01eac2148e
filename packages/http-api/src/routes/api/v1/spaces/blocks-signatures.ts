import { MEDIA_TYPES, signaturesRequestSchema, spaceParamsSchema } from '@cairn/protocol';
import { principalOf } from '../../../../foundation/authentication.ts';
import { binarySchema } from '../../../../foundation/binary-schema.ts';
import type { Route } from '../../../../foundation/route-context.ts';

/** POST /api/v1/spaces/{spaceId}/blocks/signatures */
export const signBlocksRoute: Route = (app, { data, deltaGate }) => {
  app.post(
    '/api/v1/spaces/:spaceId/blocks/signatures',
    {
      schema: {
        tags: ['sync'],
        summary: 'Signatures of blocks, to send what is like them as deltas',
        params: spaceParamsSchema,
        body: signaturesRequestSchema,
        response: {
          200: {
            description: 'The signatures, in the order asked',
            content: { [MEDIA_TYPES.signatures]: { schema: binarySchema } },
          },
        },
      },
    },
    async (request, reply) => {
      const { spaceId } = request.params;
      const { blockIds, spanBytes } = request.body;
      const principal = principalOf(request);
      const leave = await deltaGate.enter(principal.userId);
      try {
        const signatures = await data.blocks.signBlocks(principal, spaceId, blockIds, spanBytes);
        return reply.type(MEDIA_TYPES.signatures).send(Buffer.from(signatures.buffer) as never);
      } finally {
        leave();
      }
    },
  );
};
