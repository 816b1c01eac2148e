import { NODE_PATHS, type NodeStatus } from '@cairn/protocol';
import type { NodeRoute } from './node-route.ts';

/** GET /node/v1/status */
export const statusRoute: NodeRoute = (app, { blocks, identity, fencing, space, capacityBytes }) => {
  app.get(NODE_PATHS.status, async (): Promise<NodeStatus> => {
    const room = await space();
    const refusesWrites = await blocks.checkHealth().then(
      () => null,
      (error: unknown) => (error instanceof Error ? error.message : String(error)).slice(0, 500),
    );
    return {
      ...identity(),
      usage: await blocks.usage(),
      freeBytes: room?.freeBytes ?? null,
      totalBytes: room?.totalBytes ?? null,
      capacityBytes,
      refusesWrites,
      fencingTokens: { ...fencing.highest },
    };
  });
};
