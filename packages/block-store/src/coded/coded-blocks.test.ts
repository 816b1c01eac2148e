import type { StoredBlock } from '@cairn/content';
import { type BlockId, shardIdOf } from '@cairn/model';
import { afterEach, describe, expect, test } from 'vitest';
import type { BlockLocation } from '../block-store.ts';
import { orderNodes } from '../replicated/placement.ts';
import { collect } from '../testing/blocks.ts';
import { type CodedCluster, createCodedCluster, textBlock } from '../testing/coded-cluster.ts';
import { encodeShards } from './shard-format.ts';

const blocks = Array.from({ length: 12 }, (_, index) => textBlock(`${index} `.repeat(40 + index).trimEnd()));
const ids = blocks.map(({ blockId }) => blockId);
const [block, other] = blocks as [StoredBlock, StoredBlock];
const { blockId } = block;

let cluster: CodedCluster;
afterEach(() => cluster.store.close());

async function open(count: number, what: readonly StoredBlock[] = blocks): Promise<CodedCluster> {
  cluster = createCodedCluster(count);
  await cluster.store.put(what);
  await cluster.store.usage();
  return cluster;
}

async function openCoded(count: number, what: readonly StoredBlock[] = blocks): Promise<CodedCluster> {
  await open(count, what);
  await cluster.code(what.map((each) => each.blockId));
  return cluster;
}

const orderOf = (id: BlockId) => orderNodes(id, cluster.nodes.list()).map(({ nodeId }) => nodeId);
const shardOn = async (nodeId: string, index: number) =>
  (await cluster.nodes.node(nodeId).memory.locate([shardIdOf(blockId, index)]))[0] as BlockLocation;

describe('blocks that are coded', () => {
  test('lie as six shards on the first six nodes of their order, and nothing else of them anywhere', async () => {
    await open(8);
    const report = await cluster.code(ids);
    expect(report).toMatchObject({ codedBlocks: 12, failedCopies: 0, removedReplicas: 36, lost: 0 });
    for (const id of ids) {
      expect(await cluster.nodes.holders(id)).toEqual([]);
      const shards = await cluster.shards(id);
      expect([...shards.keys()].sort()).toEqual(orderOf(id).slice(0, 6).sort());
      expect([...shards.values()].flat().sort()).toEqual([0, 1, 2, 3, 4, 5]);
    }
    expect(await cluster.code(ids)).toMatchObject({ codedBlocks: 12, copiedBytes: 0, removedReplicas: 0 });
  });

  test('are read, located, listed and counted like others', async () => {
    await openCoded(7, blocks.slice(0, 6));
    await cluster.store.put(blocks.slice(6));
    expect(await collect(cluster.store.getMany(ids))).toEqual(blocks);
    expect(await cluster.store.get(blockId)).toEqual(block);
    expect(await cluster.store.has(ids)).toEqual(ids.map(() => true));
    const listed = await collect(cluster.store.list());
    expect(listed.map((each) => each.blockId).sort()).toEqual([...ids].sort());
    for (const [at, location] of listed.entries()) {
      expect(await collect(cluster.store.list(location.blockId))).toEqual(listed.slice(at + 1));
      expect(location).toMatchObject({ generation: 1 });
    }
  });

  test('survive the loss of any two nodes, and say when it is three', async () => {
    await openCoded(6);
    for (let first = 0; first < 6; first++) {
      for (let second = first + 1; second < 6; second++) {
        for (const at of [first, second]) cluster.take(at, 'silent');
        for (const each of await collect(cluster.store.getMany(ids))) expect(each).not.toBeNull();
        const third = (second + 1) % 6 === first ? (second + 2) % 6 : (second + 1) % 6;
        cluster.take(third, 'silent');
        await expect(cluster.store.get(blockId)).rejects.toMatchObject({ code: 'unavailable' });
        for (const at of [first, second, third]) cluster.take(at, 'back');
      }
    }
  });

  test('get what was lost from four others, on the next nodes of their order', async () => {
    await openCoded(8);
    const order = orderOf(blockId);
    const lost = order.slice(0, 2);
    for (const nodeId of lost) cluster.take(Number(nodeId.slice(1)) - 1, 'silent');
    expect(await cluster.repair([blockId])).toMatchObject({ underReplicated: 1, waiting: 1, copiedBytes: 0 });
    for (const nodeId of lost) cluster.take(Number(nodeId.slice(1)) - 1, 'out');
    for (const node of cluster.nodes.nodes) node.calls.splice(0);
    expect(await cluster.repair([blockId])).toMatchObject({
      underReplicated: 1,
      repaired: 1,
      codedBlocks: 1,
    });
    expect(cluster.nodes.nodes.flatMap(({ calls }) => calls.filter((call) => call === 'get'))).toHaveLength(
      4,
    );
    const shards = await cluster.shards(blockId);
    for (const nodeId of lost) shards.delete(nodeId);
    expect([...shards.keys()].sort()).toEqual(order.slice(2).sort());
    expect([...shards.values()].flat().sort()).toEqual([0, 1, 2, 3, 4, 5]);
    for (const nodeId of lost) cluster.take(Number(nodeId.slice(1)) - 1, 'back');
    for (let round = 0; round < 4; round++) await cluster.code(ids);
    expect([...(await cluster.shards(blockId)).keys()].sort()).toEqual(order.slice(0, 6).sort());
  });

  test('are as they were after any two nodes lost their disks', async () => {
    await openCoded(6);
    for (const at of [1, 4]) {
      const { memory } = cluster.node(at);
      for await (const location of memory.list()) await memory.delete(location);
    }
    expect(await cluster.repair(ids)).toMatchObject({ underReplicated: 12, repaired: 12, lost: 0 });
    for (const id of ids) expect((await cluster.shards(id)).size).toBe(6);
  });

  test('come back as replicas when coding is turned off, and only then lose their shards', async () => {
    await openCoded(6);
    expect(await cluster.turnBack(ids)).toMatchObject({
      underReplicated: 0,
      removedReplicas: 0,
      codedBlocks: 0,
    });
    for (const id of ids) {
      expect(await cluster.nodes.holders(id)).toHaveLength(3);
      expect((await cluster.shards(id)).size).toBe(6);
    }
    await cluster.turnBack(ids);
    for (const [at, id] of ids.entries()) {
      expect((await cluster.nodes.holders(id)).sort()).toEqual(orderOf(id).slice(0, 3).sort());
      expect((await cluster.shards(id)).size).toBe(0);
      expect(await cluster.store.get(id)).toEqual(blocks[at]);
    }
  });

  test('stay replicated while they are small or young, or there are fewer than six nodes', async () => {
    await open(6);
    const chooseDue = async (asked: readonly BlockId[]) => new Set(asked);
    expect(await cluster.code(ids, { coding: { chooseDue } })).toMatchObject({
      codedBlocks: 0,
      copiedBytes: 0,
    });
    const young = async () => new Set<BlockId>();
    expect(await cluster.code(ids, { coding: { chooseDue: young, minBytes: 0 } })).toMatchObject({
      codedBlocks: 0,
    });
    cluster.take(0, 'out');
    expect(await cluster.code(ids)).toMatchObject({ codedBlocks: 0 });
    cluster.take(0, 'back');
    expect(
      await cluster.code(ids, { coding: { chooseDue, minBytes: 0, mayGoOn: () => false } }),
    ).toMatchObject({
      codedBlocks: 0,
    });
  });

  test('are damaged, not absent, with less than four shards; and absent with none', async () => {
    await openCoded(6, [block]);
    const holders = [...(await cluster.shards(blockId))];
    for (const [nodeId, [index]] of holders.slice(0, 3)) {
      await cluster.nodes.node(nodeId).memory.delete(await shardOn(nodeId, index as number));
    }
    await expect(cluster.store.get(blockId)).rejects.toMatchObject({ code: 'data-damaged' });
    expect(await cluster.store.has([blockId])).toEqual([false]);
    expect(await cluster.repair([blockId])).toMatchObject({ lost: 1, lostBlocks: [blockId] });
    expect((await collect(cluster.store.list())).map((each) => each.blockId)).toEqual([blockId]);
    const [rest] = await collect(cluster.store.list());
    expect(await cluster.store.delete(rest as BlockLocation)).toBe(true);
    expect(await cluster.store.get(blockId)).toBeNull();
  });

  test('are read around shards that rot, and mended', async () => {
    await openCoded(6, [block]);
    for (const [nodeId, [index]] of [...(await cluster.shards(blockId))].slice(0, 2)) {
      cluster.nodes.node(nodeId).memory.damage(shardIdOf(blockId, index as number));
    }
    expect(await cluster.store.get(blockId)).toEqual(block);
    // Who was asked has noticed; a scrub finds the others.
    for (const { memory } of cluster.nodes.nodes) await memory.scrub();
    expect(await cluster.repair([blockId])).toMatchObject({ underReplicated: 1, repaired: 1 });
    expect((await cluster.shards(blockId)).size).toBe(6);
  });

  test('are read without a node that never answers, when asked where shards are or for one', async () => {
    await openCoded(6, [block]);
    const never = new Promise<void>(() => undefined);
    for (const [nodeId, [index]] of await cluster.shards(blockId)) {
      // The first of the order is asked for a replica, and overtaken there already.
      for (const stuck of ['locate', 'get']) {
        let isStuck = false;
        cluster.nodes.beforeCall = (asked, call) => {
          if (asked !== nodeId || (!isStuck && call !== stuck)) return;
          isStuck = true;
          return never;
        };
        expect(await cluster.store.get(blockId), `${stuck} of shard ${index} on ${nodeId}`).toEqual(block);
      }
    }
    cluster.nodes.beforeCall = null;
  });

  test('are written again as replicas by a put, and coded later', async () => {
    await openCoded(6, [block]);
    const [again] = await cluster.store.put([block]);
    expect(again?.generation).toBe(2);
    await cluster.store.usage();
    expect(await cluster.nodes.holders(blockId)).toHaveLength(3);
    for (let round = 0; round < 2; round++) await cluster.code([blockId]);
    expect(await cluster.nodes.holders(blockId)).toEqual([]);
    expect((await cluster.shards(blockId)).size).toBe(6);
  });

  test('keep their replicas until all six shards were read back as they were written', async () => {
    await open(6, [block]);
    const [liar] = orderOf(blockId) as [string];
    cluster.nodes.node(liar).rots = true;
    expect(await cluster.code([blockId])).toMatchObject({ codedBlocks: 0, failedCopies: 1 });
    expect(await cluster.nodes.holders(blockId)).toHaveLength(3);
    cluster.nodes.node(liar).rots = false;
    await cluster.code([blockId]);
    expect(await cluster.nodes.holders(blockId)).toEqual([]);
  });

  test('keep their shards until all replicas were read back as they were written', async () => {
    await openCoded(6, [block]);
    const [liar] = orderOf(blockId) as [string];
    cluster.nodes.node(liar).rots = true;
    for (let round = 0; round < 2; round++) {
      await cluster.turnBack([blockId]);
      expect((await cluster.shards(blockId)).size).toBe(6);
    }
    cluster.nodes.node(liar).rots = false;
    for (let round = 0; round < 3; round++) await cluster.turnBack([blockId]);
    expect((await cluster.shards(blockId)).size).toBe(0);
  });

  test('lose no surplus replica or shard while one of the six is not what it was', async () => {
    await openCoded(7, [block]);
    const order = orderOf(blockId);
    const [first, spare] = [order[0] as string, order[6] as string];
    const [index] = (await cluster.shards(blockId)).get(first) as [number];
    const shard = await cluster.nodes.node(first).memory.get(shardIdOf(blockId, index));
    await cluster.nodes.node(spare).memory.put([shard as StoredBlock]);
    cluster.nodes.node(first).memory.damage(shardIdOf(blockId, index));
    // Nobody has read it yet, so the node still says that it is there.
    expect(await cluster.code([blockId])).toMatchObject({ removedReplicas: 0 });
    expect((await cluster.shards(blockId)).get(spare)).toEqual([index]);
    for (let round = 0; round < 3; round++) await cluster.code([blockId]);
    expect([...(await cluster.shards(blockId)).keys()].sort()).toEqual(order.slice(0, 6).sort());
  });

  test('leave a node that is drained', async () => {
    await openCoded(7);
    Object.assign(cluster.node(2), { isWritable: false, isMember: false });
    for (let round = 0; round < 3; round++) await cluster.code(ids);
    expect((await cluster.node(2).memory.usage()).blocks).toBe(0);
    for (const id of ids) expect((await cluster.shards(id)).size).toBe(6);
  });
});

describe('shards of different makings', () => {
  /** The same block, compressed in another way; its shards fit no others. */
  const wrapped = textBlock(new TextDecoder().decode(block.payload), 50);

  test('are never combined: the read goes on until it has four that fit', async () => {
    cluster = createCodedCluster(6);
    const [before, now] = [encodeShards(block), encodeShards(wrapped)];
    for (const [at, { memory }] of cluster.nodes.nodes.entries()) {
      await memory.put([(at < 2 ? before : now)[at] as StoredBlock]);
    }
    expect(await cluster.store.get(blockId)).toEqual(wrapped);
    const { memory } = cluster.node(5);
    await memory.delete((await memory.locate([shardIdOf(blockId, 5)]))[0] as BlockLocation);
    await expect(cluster.store.get(blockId)).rejects.toMatchObject({ code: 'data-damaged' });
    // Five by their names; that they make no block is told, and nothing is made of them.
    expect(await cluster.repair([blockId])).toMatchObject({ lost: 1, copiedBytes: 0 });
  });

  test('give way to those of the latest making when their nodes come back', async () => {
    await openCoded(8, [block]);
    const order = orderOf(blockId);
    // Two nodes are away while the block is written and coded anew, and come back with what they had.
    const old = [...(await cluster.shards(blockId))].filter(([nodeId]) => order.slice(0, 2).includes(nodeId));
    expect(old).toHaveLength(2);
    for (const [nodeId] of old) cluster.take(Number(nodeId.slice(1)) - 1, 'out');
    await cluster.store.put([wrapped], new Map([[blockId, 1]]));
    await cluster.store.usage();
    for (let round = 0; round < 3; round++) await cluster.code([blockId]);
    expect(await cluster.nodes.holders(blockId)).toEqual([]);
    for (const [nodeId] of old) cluster.take(Number(nodeId.slice(1)) - 1, 'back');
    expect(await cluster.store.get(blockId)).toEqual(wrapped);
    for (let round = 0; round < 6; round++) await cluster.code([blockId]);
    expect([...(await cluster.shards(blockId)).keys()].sort()).toEqual(order.slice(0, 6).sort());
    for (const [nodeId] of old) cluster.take(Number(nodeId.slice(1)) - 1, 'silent');
    expect(await cluster.store.get(blockId)).toEqual(wrapped);
  });
});

describe('generations of coded blocks', () => {
  test('go on where those of the replicas were', async () => {
    await open(6, [block, other]);
    const [location] = await cluster.store.put([block], new Map([[blockId, 6]]));
    expect(location?.generation).toBe(7);
    await cluster.store.usage();
    await cluster.code([blockId]);
    expect(await cluster.store.locate([blockId])).toMatchObject([{ generation: 7 }]);
    expect(await cluster.store.delete({ blockId, generation: 6 })).toBe(false);
    expect(await cluster.store.get(blockId)).not.toBeNull();
    const [above] = await cluster.store.put([block], new Map([[blockId, 7]]));
    expect(above?.generation).toBe(8);
    await cluster.store.usage();
    expect(await cluster.store.delete({ blockId, generation: 7 })).toBe(false);
    expect(await cluster.store.delete({ blockId, generation: 8 })).toBe(true);
    expect(await cluster.store.get(blockId)).toBeNull();
    expect((await cluster.shards(blockId)).size).toBe(0);
  });

  test('never fall when replicas that were written since go, since the shards are there already', async () => {
    await openCoded(6, [block]);
    await cluster.store.put([block], new Map([[blockId, 1]]));
    await cluster.store.usage();
    for (let round = 0; round < 3; round++) {
      await cluster.code([blockId]);
      expect(await cluster.store.delete({ blockId, generation: 1 })).toBe(false);
    }
    expect(await cluster.nodes.holders(blockId)).toEqual([]);
    expect(await cluster.store.get(blockId)).toEqual(block);
  });

  test('never fall when shards go, since old replicas came back', async () => {
    await open(6, [block]);
    const holders = await cluster.nodes.holders(blockId);
    for (const nodeId of holders) cluster.take(Number(nodeId.slice(1)) - 1, 'out');
    await cluster.store.put([block], new Map([[blockId, 1]]));
    for (const nodeId of holders) cluster.take(Number(nodeId.slice(1)) - 1, 'back');
    await cluster.store.usage();
    for (let round = 0; round < 4; round++) {
      await (round < 2 ? cluster.turnBack([blockId]) : cluster.code([blockId]));
      expect(await cluster.store.delete({ blockId, generation: 1 })).toBe(false);
    }
    expect(await cluster.store.get(blockId)).toEqual(block);
  });

  test('never fall when a block comes back as replicas', async () => {
    await openCoded(6, [block]);
    await cluster.store.put([block], new Map([[blockId, 4]]));
    await cluster.store.usage();
    await cluster.code([blockId]);
    for (let round = 0; round < 2; round++) await cluster.turnBack([blockId]);
    const [location] = await cluster.store.locate([blockId]);
    expect(location?.generation).toBeGreaterThanOrEqual(5);
  });
});
