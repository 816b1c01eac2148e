import { type BlockStore, createReadBuffers, type ReadMemory } from '@cairn/block-store';
import { BLOCK_ID_BYTES, type BlockId, isCairnError } from '@cairn/model';
import { decodeIds, encodeEnd, encodeFrame, NODE_LIMITS, NODE_PATHS, type NodeFrame } from '@cairn/protocol';
import { sendPieces } from '../send-pieces.ts';
import { type NodeRoute, readBody } from './node-route.ts';

/** Two windows of what one request reads ahead, for two requests at a time. */
const KEPT_READ_BYTES = 32 * 1024 * 1024;

/** What the store has of each block, in order. A damaged one keeps none of the others from being read. */
async function* readFrames(
  blocks: BlockStore,
  blockIds: readonly BlockId[],
  memory: ReadMemory,
): AsyncGenerator<NodeFrame> {
  let position = 0;
  while (position < blockIds.length) {
    try {
      for await (const block of blocks.getMany(blockIds.slice(position), memory)) {
        const blockId = blockIds[position] as BlockId;
        position++;
        yield block === null
          ? { status: 'absent', blockId, number: 0 }
          : { status: 'block', block, number: 0 };
      }
      return;
    } catch (error) {
      if (!isCairnError(error, 'data-damaged')) throw error;
    }
    // The read stopped at the first damaged one or, having read ahead, before it.
    const blockId = blockIds[position++] as BlockId;
    yield await readOne(blocks, blockId);
  }
}

async function readOne(blocks: BlockStore, blockId: BlockId): Promise<NodeFrame> {
  try {
    const block = await blocks.get(blockId);
    return block === null ? { status: 'absent', blockId, number: 0 } : { status: 'block', block, number: 0 };
  } catch (error) {
    if (!isCairnError(error, 'data-damaged')) throw error;
    return { status: 'damaged', blockId, number: 0 };
  }
}

/** POST /node/v1/blocks/get: ids in, a frame for each out, in order. */
export const getRoute: NodeRoute = (app, { blocks, environment }) => {
  const memory = createReadBuffers(KEPT_READ_BYTES);
  app.post(NODE_PATHS.get, async (request, reply) => {
    const blockIds = decodeIds(await readBody(request, NODE_LIMITS.maxBlocks * BLOCK_ID_BYTES));
    reply.hijack();
    const { raw } = reply;
    try {
      raw.writeHead(200, { 'content-type': 'application/octet-stream' });
      // The next is read only when the system has taken the one before, whose memory it then has.
      for await (const frame of readFrames(blocks, blockIds, memory))
        await sendPieces(raw, encodeFrame(frame));
      raw.end(encodeEnd(blockIds.length));
    } catch (error) {
      if (!raw.destroyed) environment.log.error('storage-node.request-failed', { path: request.url, error });
      // The answer has begun, so that it is cut off is all that can be said.
      raw.destroy();
    }
  });
};
