import { type BlockId, CairnError } from '@cairn/model';
import { NODE_PATHS, nodeDrillSchema } from '@cairn/protocol';
import { type NodeRoute, readBody } from './node-route.ts';

const MAX_REQUEST_BYTES = 4096;

/** POST /node/v1/drill: what a drill of the cluster may do to this node. */
export const drillRoute: NodeRoute = (app, { drill, environment }) => {
  app.post(NODE_PATHS.drill, async (request) => {
    const bytes = await readBody(request, MAX_REQUEST_BYTES);
    let value: unknown = null;
    try {
      value = JSON.parse(bytes.toString());
    } catch (error) {
      throw new CairnError('bad-request', 'the request is not JSON', { cause: error });
    }
    const parsed = nodeDrillSchema.safeParse(value);
    if (!parsed.success) throw new CairnError('bad-request', 'what the drill wants is not understood');
    environment.log.warn('storage-node.drill', parsed.data);
    if (parsed.data.kind === 'full') drill.reportFull(parsed.data.forMs);
    else await drill.damageCanary(parsed.data.blockId as BlockId);
    return { done: true };
  });
};
