import { CairnError } from '@cairn/model';
import { decodeDeltaPack, spaceParamsSchema, storedBlocksResponseSchema } from '@cairn/protocol';
import { principalOf } from '../../../../foundation/authentication.ts';
import { binarySchema } from '../../../../foundation/binary-schema.ts';
import { parsePackBodies } from '../../../../foundation/bodies.ts';
import type { PackBody } from '../../../../foundation/pack-buffers.ts';
import type { App, Route } from '../../../../foundation/route-context.ts';

/** POST /api/v1/spaces/{spaceId}/packs */
export const storePackRoute: Route = (app, context) => {
  app.register(async (scope: App) => {
    parsePackBodies(scope, context);
    scope.post(
      '/api/v1/spaces/:spaceId/packs',
      {
        schema: {
          tags: ['sync'],
          summary: 'Store blocks; durable when answered',
          consumes: ['application/vnd.cairn.pack'],
          params: spaceParamsSchema,
          body: binarySchema,
          response: { 200: storedBlocksResponseSchema },
        },
      },
      async (request) => {
        const body = request.body as PackBody | null;
        try {
          const principal = principalOf(request);
          const { spaceId } = request.params;
          // Rights first: somebody else's space must not answer differently to good and bad packs.
          await context.data.spaces.currentSequence(principal, spaceId);
          if (body === null) {
            throw new CairnError('bad-request', 'the body is not a pack; send application/vnd.cairn.pack');
          }
          const blocks = decodeDeltaPack(body.bytes);
          const stored = await context.data.blocks.storeBlocks(principal, spaceId, blocks);
          for (const { codec, plainBytes, payload } of blocks) {
            if (codec === 'delta') context.metrics.countDelta('in', plainBytes - payload.length);
          }
          return { stored };
        } finally {
          // Not before: the blocks are views of these bytes until they are stored.
          body?.release();
        }
      },
    );
  });
};
