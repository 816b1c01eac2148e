import { BLOCK_ID_BYTES, type BlockId } from '@cairn/model';
import { decodeIds, encodeLocations, NODE_LIMITS, NODE_PATHS } from '@cairn/protocol';
import { type NodeRoute, readBody } from './node-route.ts';

/** POST /node/v1/blocks/locate: ids in, a location for each out; generation 0 for what is not there. */
export const locateRoute: NodeRoute = (app, { blocks }) => {
  app.post(NODE_PATHS.locate, async (request, reply) => {
    const blockIds = decodeIds(await readBody(request, NODE_LIMITS.maxBlocks * BLOCK_ID_BYTES));
    const found = await blocks.locate(blockIds);
    const locations = blockIds.map(
      (blockId: BlockId, index) => found[index] ?? { blockId, generation: 0, storedBytes: 0 },
    );
    return reply.type('application/octet-stream').send(Buffer.from(encodeLocations(locations).buffer));
  });
};
