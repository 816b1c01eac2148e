import {
  deltasRequestSchema,
  encodeDeltaStream,
  MEDIA_TYPES,
  type PackRecord,
  spaceParamsSchema,
} from '@cairn/protocol';
import { principalOf } from '../../../../foundation/authentication.ts';
import { binarySchema } from '../../../../foundation/binary-schema.ts';
import type { Metrics } from '../../../../foundation/metrics.ts';
import type { Route } from '../../../../foundation/route-context.ts';
import { BorrowedPieces } from '../../../../streaming/borrowed-pieces.ts';

/** POST /api/v1/spaces/{spaceId}/blocks/deltas */
export const readDeltasRoute: Route = (app, { data, deltaGate, metrics }) => {
  app.post(
    '/api/v1/spaces/:spaceId/blocks/deltas',
    {
      schema: {
        tags: ['sync'],
        summary: 'Blocks in the order asked, as deltas where those are shorter, as a pack of any length',
        params: spaceParamsSchema,
        body: deltasRequestSchema,
        response: {
          200: {
            description: 'The blocks and deltas',
            content: { [MEDIA_TYPES.pack]: { schema: binarySchema } },
          },
        },
      },
    },
    async (request, reply) => {
      const principal = principalOf(request);
      const leave = await deltaGate.enter(principal.userId);
      // Also comes when the client is gone before it has all.
      if (reply.raw.destroyed) leave();
      else reply.raw.once('close', leave);
      const { spaceId } = request.params;
      const records = await data.blocks.readDeltas(principal, spaceId, request.body.blocks);
      const body = new BorrowedPieces(encodeDeltaStream(counted(records, metrics)));
      return reply.type(MEDIA_TYPES.pack).send(body as never);
    },
  );
};

async function* counted(records: AsyncIterable<PackRecord>, metrics: Metrics): AsyncGenerator<PackRecord> {
  for await (const record of records) {
    if (record.codec === 'delta') metrics.countDelta('out', record.plainBytes - record.payload.length);
    yield record;
  }
}
