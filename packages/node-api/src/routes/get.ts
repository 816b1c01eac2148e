import { Readable } from 'node:stream';
import type { BlockStore } from '@cairn/block-store';
import { BLOCK_ID_BYTES, type BlockId, isCairnError } from '@cairn/model';
import { decodeIds, encodeEnd, encodeFrame, NODE_LIMITS, NODE_PATHS, type NodeFrame } from '@cairn/protocol';
import { type NodeRoute, readBody } from './node-route.ts';

/** What the store has of each block, in order. A damaged one keeps none of the others from being read. */
async function* readFrames(blocks: BlockStore, blockIds: readonly BlockId[]): AsyncGenerator<NodeFrame> {
  let position = 0;
  while (position < blockIds.length) {
    try {
      for await (const block of blocks.getMany(blockIds.slice(position))) {
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

async function* encode(frames: AsyncIterable<NodeFrame>, count: number): AsyncGenerator<Uint8Array> {
  for await (const frame of frames) yield* encodeFrame(frame);
  yield encodeEnd(count);
}

/** POST /node/v1/blocks/get: ids in, a frame for each out, in order. */
export const getRoute: NodeRoute = (app, { blocks }) => {
  app.post(NODE_PATHS.get, async (request, reply) => {
    const blockIds = decodeIds(await readBody(request, NODE_LIMITS.maxBlocks * BLOCK_ID_BYTES));
    const bytes = encode(readFrames(blocks, blockIds), blockIds.length);
    return reply.type('application/octet-stream').send(Readable.from(bytes, { objectMode: true }));
  });
};
