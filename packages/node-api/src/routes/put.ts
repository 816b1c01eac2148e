import type { StoredBlock } from '@cairn/content';
import { type BlockId, CairnError } from '@cairn/model';
import { decodeFrames, encodeLocations, NODE_LIMITS, NODE_PATHS } from '@cairn/protocol';
import { bodyOf, type NodeRoute } from './node-route.ts';

/** POST /node/v1/blocks/put: frames in, locations out; answered when all are durable. */
export const putRoute: NodeRoute = (app, { blocks }) => {
  app.post(NODE_PATHS.put, async (request, reply) => {
    const given: StoredBlock[] = [];
    const above = new Map<BlockId, number>();
    let sizeBytes = 0;
    for await (const frame of decodeFrames(bodyOf(request))) {
      if (frame.status !== 'block') throw new CairnError('bad-request', 'only blocks can be stored');
      sizeBytes += frame.block.payload.length;
      if (sizeBytes > NODE_LIMITS.maxBodyBytes) {
        throw new CairnError('too-large', `one request brings at most ${NODE_LIMITS.maxBodyBytes} bytes`);
      }
      given.push(frame.block);
      if (frame.number > 0) above.set(frame.block.blockId, frame.number);
    }
    const locations = await blocks.put(given, above.size > 0 ? above : undefined);
    return reply.type('application/octet-stream').send(Buffer.from(encodeLocations(locations).buffer));
  });
};
