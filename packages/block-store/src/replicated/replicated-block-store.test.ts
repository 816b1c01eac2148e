import { createHash } from 'node:crypto';
import type { StoredBlock } from '@cairn/content';
import { createSimulatedEnvironment, createSystemEnvironment } from '@cairn/environment';
import { type BlockId, CairnError } from '@cairn/model';
import { afterEach, describe, expect, test } from 'vitest';
import { describeBlockStore } from '../contract.ts';
import { collect } from '../testing/blocks.ts';
import { createTestNodes, type TestNodes } from '../testing/replica-nodes.ts';
import { orderNodes } from './placement.ts';
import type { ReplicaNode } from './replica-node.ts';
import { createReplicatedBlockStore, type ReplicatedBlockStoreOptions } from './replicated-block-store.ts';

const environment = createSystemEnvironment();

/** A block whose id is the hash of its payload, so that wrong bytes can be told. */
function blockOf(text: string): StoredBlock {
  const payload = Buffer.from(text);
  const blockId = `01${createHash('sha256').update(payload).digest('hex')}` as BlockId;
  return { blockId, kind: 'chunk', codec: 'raw', plainBytes: payload.length, payload };
}
const verify = ({ blockId, payload }: StoredBlock) =>
  blockId.slice(2) === createHash('sha256').update(payload).digest('hex');

for (const [count, replicas] of [
  [3, 3],
  [5, 3],
  [2, 2],
] as const) {
  describeBlockStore(`${replicas} replicas on ${count} nodes`, async () => {
    const nodes = createTestNodes(count);
    const store = createReplicatedBlockStore({ nodes, environment, replicas, verify: () => true });
    return {
      store,
      reopen: null,
      copies: replicas,
      async damage(blockId) {
        for (const nodeId of await nodes.holders(blockId)) nodes.node(nodeId).memory.damage(blockId);
      },
      dispose: () => store.close(),
    };
  });
}

let nodes: TestNodes;
const open = (count: number, options: Partial<ReplicatedBlockStoreOptions> = {}) => {
  nodes = createTestNodes(count);
  return createReplicatedBlockStore({ nodes, environment, verify, ...options });
};
afterEach(() => nodes?.close());

/** Node ids in the order in which the block belongs on them. */
const orderOf = ({ blockId }: StoredBlock) => orderNodes(blockId, nodes.list()).map(({ nodeId }) => nodeId);

function gate(): { readonly closed: Promise<void>; readonly open: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { closed: promise, open: resolve };
}

describe('writing to replicas', () => {
  test('is acknowledged by two, and the third gets it later, whatever the caller does with its memory', async () => {
    const store = open(3);
    const block = blockOf('some bytes');
    const third = nodes.node(orderOf(block)[2] as string);
    const slow = gate();
    third.gate = slow.closed;
    await store.put([block]);
    const before = Buffer.from(block.payload);
    block.payload.fill(0);
    expect(await third.memory.has([block.blockId])).toEqual([false]);
    slow.open();
    await store.usage();
    expect(Buffer.from((await third.memory.get(block.blockId))?.payload as Uint8Array)).toEqual(before);
  });

  test('is read by a slow node, and by one that broke off, from memory that nothing else gets', async () => {
    const store = open(3);
    const large = (text: string) => blockOf(text.repeat(400_000));
    const [first, broken] = [large('a'), large('b')];
    const slow = gate();
    for (const { nodeId } of nodes.nodes.slice(2)) nodes.node(nodeId).gate = slow.closed;
    const third = nodes.node(nodes.nodes[2]?.nodeId as string);
    await store.put([first]);
    // A connection that broke off may still be reading what it was given.
    const { blocks } = nodes.list()[0] as ReplicaNode;
    const reading: StoredBlock[] = [];
    const { put } = blocks;
    const breakOff: typeof put = async (given) => {
      reading.push(...given);
      throw new CairnError('unavailable', 'broken off');
    };
    Object.assign(blocks, { put: breakOff });
    const waiting = store.put([broken]);
    await expect.poll(() => reading.length).toBe(1);
    Object.assign(blocks, { put });
    slow.open();
    await waiting;
    third.gate = null;
    for (const text of ['c', 'd', 'e', 'f']) await store.put([large(text)]);
    await store.usage();
    expect(reading.every(verify)).toBe(true);
    for (const block of [first, broken, large('f')])
      expect(verify((await third.memory.get(block.blockId)) as StoredBlock)).toBe(true);
  });

  test('is refused with nothing acknowledged when one node alone takes it, and said to be possible later', async () => {
    const missing: BlockId[] = [];
    const store = open(3, { onMissing: (blockIds) => missing.push(...blockIds) });
    const block = blockOf('x');
    for (const { nodeId } of nodes.nodes.slice(1)) nodes.node(nodeId).failsWith = 'unavailable';
    await expect(store.put([block])).rejects.toMatchObject({ code: 'unavailable' });
    expect(missing).toEqual([block.blockId]);
    for (const node of nodes.nodes) node.failsWith = null;
    await store.put([block]);
    await store.usage();
    expect(await nodes.holders(block.blockId)).toHaveLength(3);
  });

  test('does not even begin with fewer writable nodes than the quorum', async () => {
    const store = open(3);
    for (const node of nodes.nodes.slice(1)) node.isWritable = false;
    await expect(store.put([blockOf('x')])).rejects.toMatchObject({ code: 'unavailable' });
    await expect(store.checkHealth()).rejects.toMatchObject({ code: 'unavailable' });
    expect(nodes.nodes.flatMap(({ calls }) => calls)).toEqual([]);
  });

  test('says that the nodes are full only when that is what keeps all of them', async () => {
    const store = open(3);
    for (const node of nodes.nodes) node.failsWith = 'storage-full';
    await expect(store.put([blockOf('x')])).rejects.toMatchObject({ code: 'storage-full' });
    expect(nodes.nodes.map(({ notes }) => notes)).toEqual([['full'], ['full'], ['full']]);
    (nodes.nodes[0] as (typeof nodes.nodes)[number]).failsWith = 'unavailable';
    await expect(store.put([blockOf('x')])).rejects.toMatchObject({ code: 'unavailable' });
  });

  test('goes to the next node in the order when one fails', async () => {
    const store = open(5);
    const block = blockOf('some bytes');
    const order = orderOf(block);
    nodes.node(order[1] as string).failsWith = 'unavailable';
    await store.put([block]);
    await store.usage();
    expect((await nodes.holders(block.blockId)).sort()).toEqual(
      [order[0], order[2], order[3]].map(String).sort(),
    );
  });

  test('with two nodes left of three is acknowledged and noted as lacking a replica', async () => {
    const missing: BlockId[] = [];
    const store = open(3, { onMissing: (blockIds) => missing.push(...blockIds) });
    const block = blockOf('x');
    nodes.node('n2').isWritable = false;
    await store.put([block]);
    expect(missing).toEqual([block.blockId]);
  });

  test('holds no more memory than it is given', async () => {
    const store = open(3, { maxInFlightBytes: 250 });
    const slow = gate();
    for (const node of nodes.nodes) node.gate = slow.closed;
    const puts = [1, 2, 3].map((n) => store.put([blockOf(String(n).repeat(100))]));
    await Promise.resolve();
    await new Promise((resolve) => setImmediate(resolve));
    expect(nodes.nodes.map(({ calls }) => calls.length)).toEqual([2, 2, 2]);
    slow.open();
    await Promise.all(puts);
    expect(nodes.nodes.map(({ calls }) => calls.length)).toEqual([3, 3, 3]);
  });
});

describe('reading from replicas', () => {
  const text = 'what was written';

  test('goes on to the next node when one lacks the block, has it damaged or fails, and gives it back to them', async () => {
    const store = open(3);
    const block = blockOf(text);
    await store.put([block]);
    await store.usage();
    const [first, second] = orderOf(block) as [string, string];
    const [location] = await nodes.node(first).memory.locate([block.blockId]);
    await nodes.node(first).memory.delete(location as NonNullable<typeof location>);
    nodes.node(second).memory.damage(block.blockId);
    expect(Buffer.from((await store.get(block.blockId))?.payload as Uint8Array).toString()).toBe(text);
    await store.usage();
    expect(await nodes.holders(block.blockId)).toHaveLength(3);
    expect(Buffer.from((await nodes.node(second).memory.get(block.blockId))?.payload as Uint8Array)).toEqual(
      block.payload,
    );
  });

  test('never gives other bytes than the id names, one by one or many at once', async () => {
    const store = open(3);
    const block = blockOf(text);
    const [first] = orderOf(block) as [string];
    await nodes.node(first).memory.put([{ ...block, payload: Buffer.from('something else!!') }]);
    await store.put([block]);
    expect(Buffer.from((await store.get(block.blockId))?.payload as Uint8Array).toString()).toBe(text);
    const [many] = await collect(store.getMany([block.blockId]));
    expect(Buffer.from(many?.payload as Uint8Array).toString()).toBe(text);
    for (const node of nodes.nodes.filter(({ nodeId }) => nodeId !== first)) node.failsWith = 'unavailable';
    await expect(store.get(block.blockId)).rejects.toMatchObject({ code: 'unavailable' });
  });

  test('leaves what another server stores again while it deletes', async () => {
    const store = open(3);
    const block = blockOf('again');
    const [location] = await store.put([block]);
    await store.usage();
    const { memory } = nodes.node('n2');
    const { locate } = memory;
    // Between the answer to what is there and the delete of that.
    memory.locate = async (blockIds) => {
      const found = await locate(blockIds);
      await memory.put([block], new Map([[block.blockId, 1]]));
      return found;
    };
    expect(await store.delete(location as NonNullable<typeof location>)).toBe(true);
    expect(await nodes.holders(block.blockId)).toEqual(['n2']);
    // What was stored since is not what an older delete means.
    expect(await store.delete(location as NonNullable<typeof location>)).toBe(false);
    expect(await nodes.holders(block.blockId)).toEqual(['n2']);
  });

  test('finds a block that is brought from one node to another while nodes are asked', async () => {
    const store = open(4);
    const block = blockOf('on the move');
    const [first, , , last] = orderOf(block) as [string, string, string, string];
    await nodes.node(last).memory.put([block]);
    const { memory } = nodes.node(last);
    const { get } = memory;
    // Whoever comes to the last node has been told by all others that they do not have it.
    memory.get = async (blockId) => {
      await nodes.node(first).memory.put([block]);
      const [location] = await memory.locate([blockId]);
      if (location != null) await memory.delete(location);
      return get(blockId);
    };
    expect(await store.get(block.blockId)).toMatchObject({ blockId: block.blockId });
  });

  test('calls absent only what every node was asked for', async () => {
    const store = open(3);
    const block = blockOf(text);
    expect(await store.get(block.blockId)).toBeNull();
    nodes.node('n3').isReadable = false;
    await expect(store.get(block.blockId)).rejects.toMatchObject({ code: 'unavailable' });
    await expect(collect(store.getMany([block.blockId]))).rejects.toMatchObject({ code: 'unavailable' });
    nodes.node('n3').isReadable = true;
    nodes.node('n3').failsWith = 'unavailable';
    await expect(store.get(block.blockId)).rejects.toMatchObject({ code: 'unavailable' });
  });

  test('calls damaged what is damaged on every node, and heals it with the next put', async () => {
    const store = open(3);
    const block = blockOf(text);
    await store.put([block]);
    await store.usage();
    for (const { memory } of nodes.nodes) memory.damage(block.blockId);
    await expect(store.get(block.blockId)).rejects.toMatchObject({ code: 'data-damaged' });
    await store.put([block]);
    expect(Buffer.from((await store.get(block.blockId))?.payload as Uint8Array)).toEqual(block.payload);
  });

  test('overtakes a node that does not answer', async () => {
    const simulated = createSimulatedEnvironment({ seed: 1 });
    nodes = createTestNodes(3);
    const store = createReplicatedBlockStore({ nodes, environment: simulated, verify });
    const block = blockOf(text);
    await store.put([block]);
    await store.usage();
    const slow = gate();
    nodes.node(orderOf(block)[0] as string).gate = slow.closed;
    let got: StoredBlock | null = null;
    const reading = store.get(block.blockId).then((result) => {
      got = result;
    });
    await simulated.advance(99);
    expect(got).toBeNull();
    await simulated.advance(2);
    await reading;
    expect(got).not.toBeNull();
    slow.open();
  });

  test('reads many over nodes of which one is lost in the middle', async () => {
    const store = open(5);
    const blocks = Array.from({ length: 200 }, (_, index) => blockOf(`block ${index}`));
    await store.put(blocks);
    await store.usage();
    const got: (string | null)[] = [];
    for await (const block of store.getMany(blocks.map(({ blockId }) => blockId))) {
      got.push(block === null ? null : Buffer.from(block.payload).toString());
      if (got.length === 40) nodes.node('n2').failsWith = 'unavailable';
      if (got.length === 90) nodes.node('n4').failsWith = 'unavailable';
    }
    expect(got).toEqual(blocks.map((_, index) => `block ${index}`));
  });
});

describe('generations over nodes that count their own', () => {
  test('a delete takes what is at or below its generation, on each node, and nothing written above it', async () => {
    const store = open(3);
    const block = blockOf('x');
    const { memory } = nodes.node('n1');
    for (let round = 0; round < 3; round++) {
      const [location] = await memory.put([block]);
      await memory.delete(location as NonNullable<typeof location>);
    }
    const [weakest] = await store.put([block]);
    expect(weakest?.generation).toBe(1);
    const [highest] = await store.locate([block.blockId]);
    expect(highest?.generation).toBe(4);
    const [above] = await store.put([block], new Map([[block.blockId, 4]]));
    expect(above?.generation).toBe(5);
    await store.usage();
    expect(await store.delete({ blockId: block.blockId, generation: 4 })).toBe(false);
    expect(await nodes.holders(block.blockId)).toHaveLength(3);
    expect(await store.delete({ blockId: block.blockId, generation: 5 })).toBe(true);
    expect(await nodes.holders(block.blockId)).toEqual([]);
  });
});
