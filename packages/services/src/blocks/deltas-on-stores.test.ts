import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type BlockStore,
  createMemoryBlockStore,
  createReplicatedBlockStore,
  openSegmentBlockStore,
  type ReplicaNode,
  repairBlocks,
} from '@cairn/block-store';
import {
  blockIdOf,
  createNodePlatform,
  type DeltaBlock,
  decodeSignatures,
  encodeBlock,
  encodeDeltaBlock,
  isIntactBlock,
  matchSignatures,
  openBlock,
  openDelta,
  type StoredBlock,
} from '@cairn/content';
import { createSystemEnvironment, silentLog } from '@cairn/environment';
import type { BlockId } from '@cairn/model';
import { afterEach, expect, test } from 'vitest';
import { createDataWorld } from '../testing/data-world.ts';

/** Deltas are made against blocks as they are stored, and become blocks that are stored: on each kind of store. */

const SIZE_BYTES = 300 * 1024;
const platform = createNodePlatform();
const environment = createSystemEnvironment(silentLog);
const verify = (block: StoredBlock) => isIntactBlock(platform, block);

interface Opened {
  readonly blocks: BlockStore;
  /** What happens to these blocks before they are read. */
  age(blockIds: readonly BlockId[]): Promise<void>;
}

let directory: string | null = null;
afterEach(() => {
  if (directory !== null) rmSync(directory, { recursive: true, force: true });
  directory = null;
});

async function openSealed(): Promise<Opened> {
  directory = mkdtempSync(join(tmpdir(), 'cairn-deltas-'));
  const key = { current: environment.random.bytes(32) };
  const blocks = await openSegmentBlockStore({
    directory,
    environment,
    verify,
    key,
    reserveBytes: 64 * 1024,
  });
  return { blocks, age: async () => undefined };
}

function createCluster(count: number, isCoded: boolean): Opened {
  const list = Array.from(
    { length: count },
    (_, index): ReplicaNode => ({
      nodeId: `n${index}`,
      weight: 1,
      zone: '',
      blocks: createMemoryBlockStore(),
      isUp: true,
      isReadable: true,
      isWritable: true,
      isMember: true,
    }),
  );
  const nodes = { list: () => list, note: () => undefined, close: async () => undefined };
  return {
    blocks: createReplicatedBlockStore({ nodes, environment, verify }),
    async age(blockIds) {
      if (!isCoded) return;
      async function* pages() {
        yield blockIds;
      }
      const coding = { chooseDue: async (ids: readonly BlockId[]) => new Set(ids) };
      const options = { nodes, environment, replicas: 3, verify, rebalance: true, coding };
      await repairBlocks(options, pages());
      const held = await Promise.all(list.map(({ blocks }) => blocks.has(blockIds)));
      expect(held.flat()).not.toContain(true);
    },
  };
}

test.each([
  ['that is sealed', openSealed],
  ['of three replicas', async () => createCluster(3, false)],
  ['of shards', async () => createCluster(6, true)],
])('deltas in both directions on a store %s', async (_name, open) => {
  const { blocks, age } = await open();
  const world = await createDataWorld(1, { blocks });
  const ann = await world.addUser('ann');
  const { storeBlocks, signBlocks, readDeltas, readBlocks } = world.services.blocks;
  const at = [ann.principal, ann.spaceId] as const;
  const base = environment.random.bytes(SIZE_BYTES);
  const edited = base.slice();
  edited[SIZE_BYTES / 2] = (edited[SIZE_BYTES / 2] ?? 0) ^ 1;
  const baseId = blockIdOf(platform, 'chunk', base);
  const editedId = blockIdOf(platform, 'chunk', edited);
  await storeBlocks(...at, [encodeBlock(platform, 'chunk', base)]);
  await age([baseId]);

  const signatures = decodeSignatures(await signBlocks(...at, [baseId], 1024), 1, 1024);
  const instructions = matchSignatures(platform, signatures, edited, SIZE_BYTES) as Uint8Array;
  expect(instructions.length).toBeLessThan(4 * 1024);
  const header = { blockId: editedId, kind: 'chunk', plainBytes: SIZE_BYTES } as const;
  expect(await storeBlocks(...at, [encodeDeltaBlock(platform, header, [baseId], instructions)])).toBe(1);
  await age([editedId]);
  const [whole] = await Array.fromAsync(await readBlocks(...at, [editedId]));
  expect(Buffer.compare(openBlock(platform, whole as StoredBlock), edited)).toBe(0);

  const [delta] = await Array.fromAsync(await readDeltas(...at, [{ blockId: editedId, bases: [baseId] }]));
  expect(delta?.codec).toBe('delta');
  expect(Buffer.compare(openDelta(platform, delta as DeltaBlock, [base]), edited)).toBe(0);
  await world.close();
});
