import {
  type BlockStore,
  createMemoryBlockStore,
  createReplicatedBlockStore,
  type NodeMonitor,
  type ReplicaNode,
} from '@cairn/block-store';
import type { BlockId } from '@cairn/model';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type ClusterRepair, createClusterRepair } from './repair-cluster.ts';
import { type CollectionWorld, createCollectionWorld, type Owner } from './testing/collection-world.ts';

/** Nodes in memory, under the real repair of one server. */
describe('the repair of a cluster', () => {
  let world: CollectionWorld;
  let owner: Owner;
  let memories: BlockStore[];
  let away: Set<number>;
  let nodes: NodeMonitor;
  let repair: ClusterRepair;
  let ids: BlockId[];

  beforeEach(async () => {
    away = new Set();
    memories = [1, 2, 3, 4].map(() => createMemoryBlockStore());
    const list = () =>
      memories.map((blocks, index): ReplicaNode => {
        const isHere = !away.has(index);
        return {
          nodeId: `n${index}`,
          weight: 1,
          zone: '',
          blocks,
          isUp: isHere,
          isReadable: isHere,
          isWritable: isHere,
          isMember: isHere,
        };
      });
    nodes = {
      list,
      note: () => undefined,
      close: async () => undefined,
      setNodes: () => undefined,
      health: () => [],
      holdOut: () => undefined,
      poll: async () => undefined,
      start: () => undefined,
    };
    world = await createCollectionWorld({
      openBlocks: async (environment) =>
        createReplicatedBlockStore({
          nodes,
          environment,
          verify: () => true,
          onMissing: (blockIds) => repair.note(blockIds),
        }),
    });
    const { store, environment } = world;
    repair = createClusterRepair({ store, environment, nodes, replicas: 3, verify: () => true });
    owner = await world.addOwner('ann');
    ids = [];
    for (let count = 0; count < 20; count++) {
      const made = world.make(`content ${count}`);
      await world.upload(owner, made);
      await world.create(owner, made.content);
      ids.push(...made.blocks.map(({ blockId }) => blockId));
    }
    await world.blocks.usage();
  });
  afterEach(async () => {
    await repair.stop();
    await world.close();
  });

  async function copies(): Promise<number[]> {
    const has = await Promise.all(
      memories.filter((_, index) => !away.has(index)).map((each) => each.has(ids)),
    );
    return [...new Set(ids.map((_, at) => has.filter((each) => each[at] === true).length))].sort();
  }
  /** Lets simulated time go by in steps, so that what waits for the database gets its turn in between. */
  async function pass(durationMs: number): Promise<void> {
    for (let passedMs = 0; passedMs < durationMs; passedMs += 1000) {
      await world.environment.advance(1000);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
  async function lose(index: number): Promise<void> {
    for await (const location of (memories[index] as BlockStore).list()) {
      await (memories[index] as BlockStore).delete(location);
    }
  }

  test('makes up for a node that is gone, soon after it is told', async () => {
    repair.start();
    await pass(10_000);
    away.add(1);
    repair.poke();
    await pass(10_000);
    expect(await copies()).toEqual([3]);
    const { underReplicated, repaired, lost, lastRunAt } = repair.state();
    expect([underReplicated - repaired, lost]).toEqual([0, 0]);
    expect(lastRunAt).not.toBeNull();
  });

  test('calls nothing lost that is on nodes which another server made known a moment ago', async () => {
    const { store, environment } = world;
    for (const index of [0, 1, 2, 3]) away.add(index);
    const known = new Set<number>();
    const late = createClusterRepair({
      store,
      environment,
      nodes: { ...nodes, list: () => nodes.list().filter((_, index) => known.has(index)) },
      replicas: 3,
      verify: () => true,
      async refreshNodes() {
        const isNews = known.size < 4;
        for (const index of [0, 1, 2, 3]) known.add(index);
        away.clear();
        return isNews;
      },
    });
    try {
      late.start();
      await pass(4_000);
      expect(late.state()).toMatchObject({ lost: 0, unavailable: ids.length });
      await pass(30_000);
      expect(late.state()).toMatchObject({ lost: 0, unavailable: 0, checkedBlocks: ids.length });
      for (const index of [0, 1, 2, 3]) await lose(index);
      late.poke();
      await pass(30_000);
      expect(late.state()).toMatchObject({ lost: ids.length });
    } finally {
      await late.stop();
    }
  });

  test('finds by itself, within an hour, what nobody noticed', async () => {
    repair.start();
    await pass(60_000);
    await lose(2);
    expect(await copies()).toContain(2);
    await pass(61 * 60_000);
    expect(await copies()).toEqual([3]);
  });

  test('sees to what a write noted, and to nothing that is not to be kept', async () => {
    away.add(0);
    away.add(1);
    const made = world.make('written while two of four were away');
    await world.upload(owner, made);
    await world.create(owner, made.content);
    ids.push(...made.blocks.map(({ blockId }) => blockId));
    await world.blocks.usage();
    expect(repair.state().noted).toBe(1);
    away.clear();
    const stranger = world.make('not in the metadata').blocks[0];
    await (memories[0] as BlockStore).put([stranger as NonNullable<typeof stranger>]);
    repair.note([(stranger as NonNullable<typeof stranger>).blockId]);
    repair.start();
    await pass(20_000);
    expect(await copies()).toEqual([3]);
    const has = await Promise.all(
      memories.map((each) => each.has([(stranger as NonNullable<typeof stranger>).blockId])),
    );
    expect(has.flat().filter(Boolean)).toHaveLength(1);
  });

  test('leaves the work to the server that has the lease', async () => {
    const { store, environment } = world;
    const now = environment.clock.now();
    await store.transact((transaction) => transaction.takeJobLease('repair', 'other', now, now + 600_000));
    await lose(0);
    repair.start();
    await pass(30_000);
    expect(await copies()).toContain(2);
    expect(repair.state().lastRunAt).toBeNull();
    // That one was killed: its lease ends, and the work is not left until the next hour.
    await pass(600_000);
    expect(await copies()).toEqual([3]);
    expect(repair.state().lastRunAt).not.toBeNull();
  });

  test('does not forget what was noted while another server had the lease', async () => {
    const { store, environment } = world;
    repair.start();
    await pass(10_000);
    const now = environment.clock.now();
    await store.transact((transaction) => transaction.takeJobLease('repair', 'other', now, now + 60_000));
    await lose(0);
    const lacking = (await (memories[0] as BlockStore).has(ids)).filter((has) => !has).length;
    expect(lacking).toBe(ids.length);
    repair.note(ids);
    await pass(30_000);
    expect(await copies()).toContain(2);
    await pass(60_000);
    expect(await copies()).toEqual([3]);
  });
});
