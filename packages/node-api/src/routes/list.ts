import type { BlockLocation } from '@cairn/block-store';
import { BLOCK_ID_BYTES } from '@cairn/model';
import { decodeIds, encodeLocations, NODE_LIMITS, NODE_PATHS } from '@cairn/protocol';
import { type NodeRoute, readBody } from './node-route.ts';

/** POST /node/v1/blocks/list: no id or the last of the page before in, a page of locations out, in the order of the store. */
export const listRoute: NodeRoute = (app, { blocks }) => {
  app.post(NODE_PATHS.list, async (request, reply) => {
    const [after] = decodeIds(await readBody(request, BLOCK_ID_BYTES));
    const page: BlockLocation[] = [];
    for await (const location of blocks.list(after)) {
      page.push(location);
      if (page.length >= NODE_LIMITS.pageBlocks) break;
    }
    return reply.type('application/octet-stream').send(Buffer.from(encodeLocations(page).buffer));
  });
};
