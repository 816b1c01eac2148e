import { createHash } from 'node:crypto';
import {
  createMemoryBlockStore,
  createReplicatedBlockStore,
  type NodeMonitor,
  type ReplicaNode,
} from '@cairn/block-store';
import { createNodePlatform, isIntactBlock, type StoredBlock } from '@cairn/content';
import { type BlockId, isBlockId } from '@cairn/model';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { collectGarbage } from './collect-garbage.ts';
import { type ClusterRepair, createClusterRepair } from './repair-cluster.ts';
import { type CollectionWorld, createCollectionWorld, type Owner } from './testing/collection-world.ts';

const HOUR_MS = 60 * 60_000;
const DAY_MS = 24 * HOUR_MS;
const platform = createNodePlatform();
const verify = (block: StoredBlock) => isIntactBlock(platform, block);

/** Text that compresses to about half of so many bytes. */
function longText(seed: number, sizeBytes: number): string {
  let text = '';
  for (let count = 0; text.length < sizeBytes; count++) {
    text += createHash('sha256').update(`${seed} ${count}`).digest('hex');
  }
  return text;
}

/** Six nodes in memory, under the real repair and collection of one server. */
describe('the repair of a cluster that codes what is older than an hour', () => {
  let world: CollectionWorld;
  let owner: Owner;
  let memories: ReturnType<typeof createMemoryBlockStore>[];
  let nodes: NodeMonitor;
  let repair: ClusterRepair;

  beforeEach(async () => {
    memories = [1, 2, 3, 4, 5, 6].map(() => createMemoryBlockStore());
    const list = () =>
      memories.map(
        (blocks, index): ReplicaNode => ({
          nodeId: `n${index}`,
          weight: 1,
          zone: '',
          blocks,
          isUp: true,
          isReadable: true,
          isWritable: true,
          isMember: true,
        }),
      );
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
          verify,
          onMissing: (blockIds) => repair.note(blockIds),
          codedBlocks: () => repair.state().codedBlocks,
        }),
    });
    const { store, environment } = world;
    repair = createClusterRepair({ store, environment, nodes, replicas: 3, verify, codeAfterMs: HOUR_MS });
    owner = await world.addOwner('ann');
    repair.start();
  });
  afterEach(async () => {
    await repair.stop();
    await world.close();
  });

  /** Lets simulated time go by in steps, so that what waits for the database gets its turn in between. */
  async function pass(durationMs: number, stepMs = 1000): Promise<void> {
    for (let passedMs = 0; passedMs < durationMs; passedMs += stepMs) {
      await world.environment.advance(stepMs);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
  /** How many nodes have a replica of the block, and how many records of any kind there are of all blocks. */
  async function count(blockId: BlockId): Promise<{ replicas: number; records: number }> {
    let [replicas, records] = [0, 0];
    for (const memory of memories) {
      for await (const location of memory.list()) {
        records++;
        if (isBlockId(location.blockId) && location.blockId === blockId) replicas++;
      }
    }
    return { replicas, records };
  }

  test('codes what is old and large enough, in its hourly run, and nothing else', async () => {
    const [large, small] = [world.make(longText(1, 60_000)), world.make('small')];
    for (const made of [large, small]) {
      await world.upload(owner, made);
      await world.create(owner, made.content);
    }
    await world.blocks.usage();
    const [[block], [other]] = [large.blocks, small.blocks] as [[StoredBlock], [StoredBlock]];
    await pass(59 * 60_000);
    expect((await count(block.blockId)).replicas).toBe(3);
    await pass(62 * 60_000);
    expect(await count(block.blockId)).toEqual({ replicas: 0, records: 6 + 3 });
    expect((await count(other.blockId)).replicas).toBe(3);
    expect(repair.state()).toMatchObject({ codedBlocks: 1, underReplicated: 0, lost: 0 });
    expect(repair.state().codedBytes).toBeLessThan(1.6 * block.payload.length);
    expect(await world.blocks.get(block.blockId)).toEqual(block);
  });

  test('codes nothing that the collection has deleted, which takes shards like replicas', async () => {
    const made = world.make(longText(2, 60_000));
    const [{ blockId }] = made.blocks as [StoredBlock];
    await world.upload(owner, made);
    await world.blocks.usage();
    await pass(2 * HOUR_MS + 120_000);
    expect(await count(blockId)).toEqual({ replicas: 0, records: 6 });
    const { store, blocks, environment } = world;
    // Nobody refers to it: condemned once its lease is over, swept a grace later, and deleted in the same run.
    for (let run = 0; run < 2; run++) {
      await pass(8 * DAY_MS, HOUR_MS);
      await collectGarbage({ store, blocks, environment });
    }
    expect((await count(blockId)).records).toBe(0);
    await world.upload(owner, made);
    expect(await blocks.get(blockId)).toEqual(made.blocks[0]);
    const late = await store.read((reader) => reader.getTombstones([blockId]));
    expect(late).toHaveLength(1);
  });
});
