import {
  type BlockStore,
  createMemoryBlockStore,
  createReplicatedBlockStore,
  type ReplicaNode,
} from '@cairn/block-store';
import type { BlockId } from '@cairn/model';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { auditReferences } from './audit-references.ts';
import { type CollectionWorld, createCollectionWorld } from './testing/collection-world.ts';

let world: CollectionWorld;
let memories: BlockStore[];
let away: Set<number>;
let blockId: BlockId;

beforeEach(async () => {
  away = new Set();
  memories = [1, 2, 3].map(() => createMemoryBlockStore());
  const list = () =>
    memories.map((blocks, index): ReplicaNode => {
      const isHere = !away.has(index);
      const states = { isUp: isHere, isReadable: isHere, isWritable: isHere, isMember: true };
      return { nodeId: `n${index}`, weight: 1, zone: '', blocks, ...states };
    });
  world = await createCollectionWorld({
    openBlocks: async (environment) =>
      createReplicatedBlockStore({
        nodes: { list, note: () => undefined, close: async () => undefined },
        environment,
        verify: () => true,
        onMissing: () => undefined,
      }),
  });
  const ann = await world.addOwner('ann');
  const made = world.make('content');
  await world.upload(ann, made);
  await world.create(ann, made.content);
  blockId = made.blocks[0]?.blockId as BlockId;
  // All copies are written before any goes.
  await world.blocks.usage();
});
afterEach(() => world.close());

async function lose(index: number): Promise<void> {
  const memory = memories[index] as BlockStore;
  const [location] = await memory.locate([blockId]);
  if (location !== null && location !== undefined) await memory.delete(location);
}

test('a block that only a silent node has is unavailable and no damage', async () => {
  await lose(0);
  away.add(1).add(2);
  expect(await auditReferences(world.dependencies)).toMatchObject({ dangling: 0, unavailable: 1 });
});

test('a block that no node has is damage once all nodes answer', async () => {
  for (const index of [0, 1, 2]) await lose(index);
  expect(await auditReferences(world.dependencies)).toMatchObject({
    dangling: 1,
    unavailable: 0,
    examples: [{ blockId, problem: 'absent' }],
  });
});
