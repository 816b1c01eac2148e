import type { AddressInfo } from 'node:net';
import { openSegmentBlockStore } from '@cairn/block-store';
import { createNodePlatform, isIntactBlock } from '@cairn/content';
import { createSystemEnvironment, silentLog } from '@cairn/environment';
import { createNodeApi } from '@cairn/node-api';
import { letHeapGrow } from '@cairn/storage-node';

letHeapGrow();

/** One storage node of `bench:replicated`, without the joining: its key comes from the parent. */
process.once('message', async ({ directory, key }: { directory: string; key: string }) => {
  const environment = createSystemEnvironment(silentLog);
  const platform = createNodePlatform();
  const blocks = await openSegmentBlockStore({
    directory,
    environment,
    verify: (block) => isIntactBlock(platform, block),
  });
  const app = createNodeApi({
    blocks,
    environment,
    key: () => Buffer.from(key, 'hex'),
    identity: () => ({ nodeId: '', storeUuid: '', bootCount: 1, bootId: '', version: '' }),
    fencing: { highest: {}, admit: async () => undefined },
    space: async () => null,
    capacityBytes: null,
    drill: { reportFull: () => undefined, damageCanary: async () => undefined },
  });
  await app.listen({ host: '127.0.0.1', port: 0 });
  process.send?.((app.server.address() as AddressInfo).port);
  process.once('disconnect', async () => {
    await app.close();
    await blocks.close();
  });
});
