import { randomBytes } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { type BlockStore, createMemoryBlockStore, type Fence } from '@cairn/block-store';
import { sealBytes } from '@cairn/crypto';
import { createSystemEnvironment } from '@cairn/environment';
import type { MetadataStore } from '@cairn/metadata-store';
import { type BlockId, CairnError, createId } from '@cairn/model';
import { createNodeApi, type NodeApp } from '@cairn/node-api';
import { SEALED_FOR } from '@cairn/services';

/** For tests: a storage node in this process, reached over the network as any other. Its blocks are in memory. */
export interface ClusterNodeServer {
  readonly nodeId: string;
  readonly blocks: BlockStore;
  /** Deletes that came with an old token. */
  readonly refusedFences: readonly Fence[];
  /** Waited for before a delete is looked at, as if it were on its way for so long. */
  transit: ((fence: Fence) => Promise<void>) | null;
  /** As if its process were killed: connections break, and nobody listens any more. */
  kill(): Promise<void>;
  /** On the same port, with the same blocks. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

/** Starts a node and enters it in the database as one that has joined. */
export async function startClusterNode(store: MetadataStore, secret: Uint8Array): Promise<ClusterNodeServer> {
  const environment = createSystemEnvironment();
  const nodeId = createId<string>(randomBytes(16));
  const storeUuid = createId<string>(randomBytes(16));
  const key = randomBytes(32);
  const blocks = createMemoryBlockStore();
  const highest: Record<string, number> = {};
  const refusedFences: Fence[] = [];
  let bootCount = 0;
  let port = 0;
  let app: NodeApp | null = null;

  async function start(): Promise<void> {
    bootCount += 1;
    const identity = {
      nodeId,
      storeUuid,
      bootCount,
      bootId: createId<string>(randomBytes(16)),
      version: '0',
    };
    app = createNodeApi({
      blocks,
      identity: () => identity,
      key: () => key,
      fencing: {
        highest,
        async admit(fence) {
          await node.transit?.(fence);
          if (fence.token < (highest[fence.job] ?? 0)) {
            refusedFences.push(fence);
            throw new CairnError('precondition-failed', 'another server has this job now');
          }
          highest[fence.job] = fence.token;
        },
      },
      space: async () => null,
      capacityBytes: null,
      drill: { reportFull: () => undefined, damageCanary: async () => undefined },
      environment,
    });
    await app.listen({ host: '127.0.0.1', port });
    port = (app.server.address() as AddressInfo).port;
  }

  async function kill(): Promise<void> {
    const closing = app?.close();
    app?.server.closeAllConnections();
    app = null;
    await closing;
  }

  const node: ClusterNodeServer = {
    nodeId,
    blocks,
    refusedFences,
    transit: null,
    kill,
    restart: start,
    async close() {
      await kill();
      await blocks.close();
    },
  };
  await start();
  await store.transact((transaction) =>
    transaction.insertStorageNode({
      nodeId,
      address: `127.0.0.1:${port}`,
      zone: '',
      weight: 1,
      state: 'active',
      sealedKey: sealBytes(secret, SEALED_FOR.key, nodeId, key, randomBytes(12)),
      storeUuid: null,
      bootCount: 0,
      joinedAt: environment.clock.now(),
    }),
  );
  return node;
}

/** On how many nodes each block is. */
export async function countCopies(
  nodes: readonly ClusterNodeServer[],
  blockIds: readonly BlockId[],
): Promise<number[]> {
  const has = await Promise.all(nodes.map((node) => node.blocks.has(blockIds)));
  return blockIds.map((_, place) => has.filter((each) => each[place] === true).length);
}
