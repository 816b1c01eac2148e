import { type BlockStore, createMemoryBlockStore } from '@cairn/block-store';
import type { StoredBlock } from '@cairn/content';
import { createNodePlatform, isIntactBlock } from '@cairn/content';
import { CairnError, type EntryId } from '@cairn/model';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  type CollectionWorld,
  createCollectionWorld,
  type MadeContent,
  type Owner,
} from './testing/collection-world.ts';
import { type VerificationOptions, verifyContents } from './verify-contents.ts';

const platform = createNodePlatform();

describe('verifying that every version can be read', () => {
  let world: CollectionWorld;
  let ann: Owner;
  let memory: ReturnType<typeof createMemoryBlockStore>;
  let counts: number[] | null;

  beforeEach(async () => {
    counts = null;
    memory = createMemoryBlockStore();
    world = await createCollectionWorld({ openBlocks: async () => memory });
    ann = await world.addOwner('ann');
  });
  afterEach(() => world.close());

  async function add(made: MadeContent): Promise<EntryId> {
    await world.upload(ann, made);
    return world.create(ann, made.content);
  }
  const check = (options: VerificationOptions = {}, blocks: BlockStore = memory) =>
    verifyContents(
      {
        store: world.store,
        blocks,
        verify: (block) => isIntactBlock(platform, block),
        replicas:
          counts === null
            ? null
            : {
                wanted: 3,
                count: async (ids) => ids.map(() => counts?.pop() ?? 3),
                readAll: async () => (await memory.scrub()).damagedCount,
              },
      },
      options,
    );
  const remove = async (made: MadeContent, index: number) => {
    const { blockId } = made.blocks[index] as StoredBlock;
    const [location] = await memory.locate([blockId]);
    await memory.delete(location as NonNullable<typeof location>);
  };

  test('finds nothing where all is well, reading everything or only asking', async () => {
    await add(world.make('one'));
    await add(world.make('two', 'parts'));
    const whole = await check();
    expect(whole).toMatchObject({ checkedBlocks: 4, badBlocks: 0, damagedVersions: 0, examples: [] });
    expect(whole.checkedBytes).toBeGreaterThan(0);
    expect(await check({ quick: true })).toEqual({ ...whole, checkedBytes: 0 });
  });

  test('reads every replica where it is asked to, and only there', async () => {
    const made = world.make('one');
    await add(made);
    memory.damage((made.blocks[0] as StoredBlock).blockId);
    counts = [];
    expect(await check({ quick: true })).toMatchObject({ damagedReplicas: 0 });
    expect(await check({ everyReplica: true })).toMatchObject({ damagedReplicas: 1 });
  });

  test('names the files of a missing block, also through a manifest block, and no others', async () => {
    const [small, listed] = [world.make('one'), world.make('two', 'parts')];
    const [first, second] = [await add(small), await add(listed)];
    await add(world.make('three'));
    await remove(listed, 0);
    for (const quick of [true, false]) {
      const report = await check({ quick });
      expect(report).toMatchObject({ badBlocks: 1, damagedVersions: 1 });
      expect(report.examples).toMatchObject([{ entryId: second, place: 'current', problem: 'missing' }]);
      expect(report.examples[0]?.path).toMatch(/^\/./);
    }
    await remove(small, 0);
    const both = await check();
    expect(new Set(both.examples.map(({ entryId }) => entryId))).toEqual(new Set([first, second]));
  });

  test('finds rot and wrong bytes only by reading, and changes nothing by that', async () => {
    const made = world.make('some content');
    const entryId = await add(made);
    const other = await add(world.make('good'));
    const block = made.blocks[0] as StoredBlock;
    const lying: BlockStore = {
      ...memory,
      getMany: (ids) =>
        (async function* () {
          for await (const got of memory.getMany(ids)) {
            yield got?.blockId === block.blockId
              ? { ...got, payload: new Uint8Array(got.payload.length) }
              : got;
          }
        })(),
    };
    expect((await check({ quick: true }, lying)).badBlocks).toBe(0);
    expect((await check({}, lying)).examples).toMatchObject([{ entryId, problem: 'damaged' }]);
    memory.damage(block.blockId);
    const report = await check();
    expect(report.examples).toMatchObject([{ entryId, problem: 'damaged' }]);
    expect(report.examples.some((each) => each.entryId === other)).toBe(false);
    expect(
      (await world.store.read((reader) => reader.getEntries(ann.spaceId, [entryId])))[0]?.versionId,
    ).not.toBeNull();
  });

  test('tells what is on nodes that are away from what is lost', async () => {
    await add(world.make('one'));
    const away = async (): Promise<never> => {
      throw new CairnError('unavailable', 'away');
    };
    const silent: BlockStore = {
      ...memory,
      get: away,
      has: async (ids) => ids.map(() => false),
      // biome-ignore lint/correctness/useYield: it fails before the first
      async *getMany() {
        await away();
      },
    };
    expect((await check({}, silent)).examples).toMatchObject([{ problem: 'unavailable' }]);
    expect((await check({ quick: true }, silent)).examples).toMatchObject([{ problem: 'unavailable' }]);
  });

  test('counts blocks with too few replicas, and looks at the trash', async () => {
    const made = world.make('one');
    const entryId = await add(made);
    counts = [2];
    expect(await check()).toMatchObject({ underReplicated: 1, badBlocks: 0 });
    counts = null;
    await world.services.files.remove(ann.principal, entryId);
    await remove(made, 0);
    expect((await check()).examples).toMatchObject([{ entryId, place: 'trash', problem: 'missing' }]);
  });

  test('stops when told', async () => {
    await add(world.make('one'));
    await expect(check({ signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough');
  });
});
