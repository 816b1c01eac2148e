import { type BlockId, CairnError } from '@cairn/model';
import { NODE_PATHS, nodeDeleteSchema } from '@cairn/protocol';
import { deleteWithFence } from '../fencing-tokens.ts';
import { type NodeRoute, readBody } from './node-route.ts';

const MAX_REQUEST_BYTES = 64 * 1024;

/** POST /node/v1/blocks/delete: by location, and only for whoever has the highest fencing token of the job. */
export const deleteRoute: NodeRoute = (app, options) => {
  app.post(NODE_PATHS.delete, async (request) => {
    const bytes = await readBody(request, MAX_REQUEST_BYTES);
    let value: unknown = null;
    try {
      value = JSON.parse(bytes.toString());
    } catch (error) {
      throw new CairnError('bad-request', 'the request is not JSON', { cause: error });
    }
    const parsed = nodeDeleteSchema.safeParse(value);
    if (!parsed.success) throw new CairnError('bad-request', 'the request names no location of a block');
    const { locations, fence } = parsed.data;
    const named = locations.map(({ blockId, generation }) => ({ blockId: blockId as BlockId, generation }));
    return { deleted: await deleteWithFence(options, named, fence) };
  });
};
