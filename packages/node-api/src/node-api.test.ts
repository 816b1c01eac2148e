import { randomBytes } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:tls';
import {
  createMemoryBlockStore,
  createRemoteBlockStore,
  openNodeConnection,
  type RemoteBlockStore,
} from '@cairn/block-store';
import { collect, describeBlockStore, makeBlock } from '@cairn/block-store/contract';
import { createSystemEnvironment } from '@cairn/environment';
import { type BlockId, type BlockKind, CairnError, shardIdOf } from '@cairn/model';
import { NODE_CIPHERS, NODE_PATHS } from '@cairn/protocol';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createNodeApi, type NodeApp } from './create-node-api.ts';
import type { FencingTokens, NodeDrill } from './node-api-options.ts';

const environment = createSystemEnvironment();
const identity = { nodeId: 'n1', storeUuid: 's1', bootCount: 3, bootId: 'b1', version: '0' };

function createFencing(): FencingTokens & { readonly seen: string[] } {
  const highest: Record<string, number> = {};
  const seen: string[] = [];
  return {
    seen,
    highest,
    async admit({ job, token }) {
      seen.push(`${job} ${token}`);
      if (token < (highest[job] ?? 0)) throw new CairnError('precondition-failed', 'somebody else does it');
      highest[job] = token;
    },
  };
}

interface Running {
  readonly app: NodeApp;
  readonly memory: ReturnType<typeof createMemoryBlockStore>;
  readonly port: number;
  readonly key: Uint8Array;
  readonly fencing: ReturnType<typeof createFencing>;
  readonly drilled: readonly string[];
  open(options?: { key?: Uint8Array; idleTimeoutMs?: number }): RemoteBlockStore;
  close(): Promise<void>;
}

async function startNode(): Promise<Running> {
  const memory = createMemoryBlockStore();
  const key = randomBytes(32);
  const fencing = createFencing();
  const drilled: string[] = [];
  const drill: NodeDrill = {
    reportFull: (forMs) => drilled.push(`full ${forMs}`),
    damageCanary: async (blockId) => {
      drilled.push(`damage ${blockId}`);
    },
  };
  const space = async () => ({ freeBytes: 10, totalBytes: 20 });
  const app = createNodeApi({
    blocks: memory,
    identity: () => identity,
    key: () => key,
    fencing,
    space,
    capacityBytes: 30,
    drill,
    environment,
  });
  await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = app.server.address() as AddressInfo;
  const opened: RemoteBlockStore[] = [];
  return {
    app,
    memory,
    port,
    key,
    fencing,
    drilled,
    open({ key: given = key, idleTimeoutMs } = {}) {
      const connection = openNodeConnection({
        host: '127.0.0.1',
        port,
        key: given,
        ...(idleTimeoutMs === undefined ? {} : { idleTimeoutMs }),
      });
      const store = createRemoteBlockStore(connection);
      opened.push(store);
      return store;
    },
    async close() {
      for (const store of opened) await store.close();
      await app.close();
      await memory.close();
    },
  };
}

describeBlockStore('a storage node over the network', async () => {
  const node = await startNode();
  return {
    store: node.open(),
    reopen: null,
    damage: async (blockId) => node.memory.damage(blockId),
    dispose: () => node.close(),
  };
});

describe('a storage node', () => {
  let node: Running;
  beforeEach(async () => {
    node = await startNode();
  });
  afterEach(() => node.close());

  test('says who it is and how it is', async () => {
    expect(await node.open().status()).toEqual({
      ...identity,
      usage: { blocks: 0, liveBytes: 0, diskBytes: 0, quarantinedRecords: 0, verifiedAt: null },
      freeBytes: 10,
      totalBytes: 20,
      capacityBytes: 30,
      refusesWrites: null,
      fencingTokens: {},
    });
    await node.memory.close();
    await expect(node.open().put([makeBlock(1, 10)])).rejects.toMatchObject({ code: 'unavailable' });
  });

  test('answers nothing to whoever has another key, or none, or another name', async () => {
    await node.open().put([makeBlock(1, 10)]);
    await expect(node.open({ key: randomBytes(32) }).status()).rejects.toMatchObject({ code: 'unavailable' });
    const attempts = [
      {},
      { ciphers: 'ECDHE-RSA-AES128-GCM-SHA256' },
      { ciphers: NODE_CIPHERS, pskCallback: () => ({ psk: node.key, identity: 'somebody-else' }) },
    ];
    for (const attempt of attempts) {
      const failure = await new Promise<unknown>((resolve) => {
        const socket = connect(
          {
            host: '127.0.0.1',
            port: node.port,
            rejectUnauthorized: false,
            checkServerIdentity: () => undefined,
            ...attempt,
          },
          () => resolve('connected'),
        );
        socket.on('error', resolve);
      });
      expect(failure).toBeInstanceOf(Error);
    }
  });

  test('answers nothing in plain HTTP', async () => {
    const failure = await fetch(`http://127.0.0.1:${node.port}${NODE_PATHS.status}`).then(
      () => null,
      (error: unknown) => error,
    );
    expect(failure).toBeInstanceOf(Error);
  });

  test('deletes for the newest coordinator only', async () => {
    const block = makeBlock(1, 10);
    const [location] = await node.open().put([block]);
    const store = node.open();
    const remove = (job: string, token: number, generation = location?.generation as number) =>
      store.delete({ blockId: block.blockId, generation }, { job, token });
    expect(await remove('sweep', 8, 99)).toBe(false);
    await expect(remove('sweep', 7)).rejects.toMatchObject({ code: 'precondition-failed' });
    expect(await store.has([block.blockId])).toEqual([true]);
    expect((await store.status()).fencingTokens).toEqual({ sweep: 8 });
    expect(await remove('repair', 2)).toBe(true);
    expect(node.fencing.seen).toEqual(['sweep 8', 'sweep 7', 'repair 2']);
  });

  test('gives what it has around a damaged block', async () => {
    const blocks = [makeBlock(1, 10), makeBlock(2, 10), makeBlock(3, 10)] as const;
    const store = node.open();
    await store.put([...blocks]);
    node.memory.damage(blocks[1].blockId);
    expect(await collect(store.getMany([blocks[0].blockId, blocks[2].blockId]))).toEqual([
      blocks[0],
      blocks[2],
    ]);
    const got: (BlockId | null)[] = [];
    const reading = (async () => {
      for await (const block of store.getMany(blocks.map(({ blockId }) => blockId))) {
        got.push(block?.blockId ?? null);
      }
    })();
    await expect(reading).rejects.toMatchObject({
      code: 'data-damaged',
      details: { blockId: blocks[1].blockId },
    });
    expect(got).toEqual([blocks[0].blockId]);
  });

  test('keeps shards of blocks like blocks', async () => {
    const store = node.open();
    const ids = ['chunk', 'manifest'].map((kind) => makeBlock(1, 10, kind as BlockKind).blockId);
    const shards = ids.flatMap((blockId) =>
      [0, 5].map((index) => ({ ...makeBlock(index, 100), blockId: shardIdOf(blockId, index) })),
    );
    const shardIds = shards.map(({ blockId }) => blockId);
    const locations = await store.put(shards, new Map([[shardIds[0] as BlockId, 4]]));
    expect(locations[0]?.generation).toBe(5);
    expect(await store.locate([...shardIds, ...ids])).toEqual([...locations, null, null]);
    expect(await collect(store.getMany(shardIds))).toEqual(shards);
    expect((await collect(store.list())).map(({ blockId }) => blockId).sort()).toEqual([...shardIds].sort());
    node.memory.damage(shardIds[1] as BlockId);
    expect((await store.scrub()).damaged).toEqual([shardIds[1]]);
    expect(await store.delete(locations[0] as { blockId: BlockId; generation: number })).toBe(true);
    expect(await store.has(shardIds)).toEqual([false, false, true, true]);
  });

  test('takes and gives more than one request can bring', async () => {
    const blocks = Array.from({ length: 15 }, (_, index) => makeBlock(index, 2_500_000));
    const store = node.open();
    await store.put(blocks);
    let count = 0;
    for await (const block of store.getMany(blocks.map(({ blockId }) => blockId))) {
      expect(
        Buffer.compare(block?.payload as Uint8Array, (blocks[count] as (typeof blocks)[0]).payload),
      ).toBe(0);
      count++;
    }
    expect(count).toBe(15);
  });

  test('is read into memory that is used again, block by block', async () => {
    const blocks = Array.from({ length: 40 }, (_, index) => makeBlock(index, 100_000 + 1000 * index));
    const store = node.open();
    await store.put(blocks);
    const free: ArrayBuffer[] = [];
    let made = 0;
    const memory = {
      take(sizeBytes: number) {
        const known = free.pop();
        if (known === undefined) made++;
        return new Uint8Array(known ?? new ArrayBuffer(200_000), 0, sizeBytes);
      },
      give({ buffer }: Uint8Array) {
        new Uint8Array(buffer).fill(0xdd);
        free.push(buffer as ArrayBuffer);
      },
    };
    let position = 0;
    for await (const block of store.getMany(
      blocks.map(({ blockId }) => blockId),
      memory,
    )) {
      const wanted = blocks[position++]?.payload as Uint8Array;
      expect(Buffer.compare(block?.payload as Uint8Array, wanted)).toBe(0);
    }
    expect([position, made, free.length]).toEqual([40, 1, 1]);
  });

  test('is given up when it does not answer, and when it ends in the middle of an answer', async () => {
    const store = node.open({ idleTimeoutMs: 200 });
    const block = makeBlock(1, 1000);
    await store.put([block]);
    node.memory.getMany = async function* () {
      yield block;
      await new Promise(() => undefined);
    };
    const many = collect(store.getMany([block.blockId, block.blockId]));
    await expect(many).rejects.toMatchObject({ code: 'unavailable' });
    node.memory.usage = () => new Promise(() => undefined);
    await expect(store.status()).rejects.toMatchObject({ code: 'unavailable' });
  });

  test('takes deletes that come at once in few requests, and each has its own fate', async () => {
    const store = node.open();
    const blocks = Array.from({ length: 200 }, (_, index) => makeBlock(index, 50));
    const locations = await store.put(blocks);
    const fence = { job: 'clean-up', token: 5 };
    const others = { job: 'clean-up', token: 4 };
    const results = await Promise.allSettled([
      ...locations.slice(0, 100).map((location) => store.delete(location, fence)),
      ...locations.slice(100, 110).map((location) => store.delete(location, others)),
      ...locations.slice(110).map((location) => store.delete({ ...location, generation: 99 }, fence)),
    ]);
    const fates = results.map((result) =>
      result.status === 'fulfilled' ? result.value : result.reason.code,
    );
    expect(fates).toEqual([
      ...new Array(100).fill(true),
      ...new Array(10).fill('precondition-failed'),
      ...new Array(90).fill(false),
    ]);
    expect(node.fencing.seen.length).toBeLessThan(6);
    expect((await store.usage()).blocks).toBe(100);
    const present = await Promise.all(blocks.map(async ({ blockId }) => (await store.has([blockId]))[0]));
    expect(present).toEqual(blocks.map((_, index) => index >= 100));
  });

  test('refuses what is no request of ours', async () => {
    const connection = openNodeConnection({ host: '127.0.0.1', port: node.port, key: node.key });
    const noise = [Buffer.from('something else that is not a frame at all, and long enough to be one')];
    for (const path of [
      NODE_PATHS.put,
      NODE_PATHS.get,
      NODE_PATHS.locate,
      NODE_PATHS.delete,
      NODE_PATHS.list,
    ]) {
      await expect(connection.send(path, noise)).rejects.toMatchObject({
        code: expect.stringMatching(/bad-request|too-large/),
      });
    }
    await expect(connection.send('/node/v1/nothing', null)).rejects.toMatchObject({ code: 'not-found' });
    connection.close();
  });
});
