import { createMemoryPool } from '@cairn/block-store';
import type { StoredBlock } from '@cairn/content';
import { type BlockId, CairnError } from '@cairn/model';
import { decodeFrames, encodeLocations, NODE_LIMITS, NODE_PATHS } from '@cairn/protocol';
import { receiveBody } from '../receive-body.ts';
import type { NodeRoute } from './node-route.ts';

/** What a pack of a client comes to; 32 MiB are kept. */
const MEMORY_CHUNK_BYTES = 4 * 1024 * 1024;
const MAX_KEPT_CHUNKS = 8;

/** POST /node/v1/blocks/put: frames in, locations out; answered when all are durable. */
export const putRoute: NodeRoute = (app, { blocks }) => {
  const memory = createMemoryPool({ chunkBytes: MEMORY_CHUNK_BYTES, maxKept: MAX_KEPT_CHUNKS });
  app.post(NODE_PATHS.put, async (request, reply) => {
    const lease = memory.lease(
      Math.min(NODE_LIMITS.maxBodyBytes, Number(request.headers['content-length'] ?? 0)),
    );
    const given: StoredBlock[] = [];
    const above = new Map<BlockId, number>();
    let sizeBytes = 0;
    for await (const frame of decodeFrames(receiveBody(request), { allocate: lease.take })) {
      if (frame.status !== 'block') throw new CairnError('bad-request', 'only blocks can be stored');
      sizeBytes += frame.block.payload.length;
      if (sizeBytes > NODE_LIMITS.maxBodyBytes) {
        throw new CairnError('too-large', `one request brings at most ${NODE_LIMITS.maxBodyBytes} bytes`);
      }
      given.push(frame.block);
      if (frame.number > 0) above.set(frame.block.blockId, frame.number);
    }
    const locations = await blocks.put(given, above.size > 0 ? above : undefined);
    // Only what was stored is certain to be read by nobody.
    lease.release();
    return reply.type('application/octet-stream').send(Buffer.from(encodeLocations(locations).buffer));
  });
};
