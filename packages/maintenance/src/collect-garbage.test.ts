import { createMemoryBlockStore } from '@cairn/block-store';
import type { BlockId } from '@cairn/model';
import { ensureEpoch, LEASE_MS, releaseContents, UPLOAD_LIFE_MS } from '@cairn/services';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { auditReferences } from './audit-references.ts';
import { type CollectionDependencies, type CollectionOptions, collectGarbage } from './collect-garbage.ts';
import { DEFAULT_GRACE_MS, TOMBSTONE_MS } from './collection-settings.ts';
import {
  type CollectionWorld,
  createCollectionWorld,
  type MadeContent,
  type Owner,
} from './testing/collection-world.ts';

let world: CollectionWorld;
let ann: Owner;
let bob: Owner;
beforeEach(async () => {
  world = await createCollectionWorld();
  ann = await world.addOwner('ann');
  bob = await world.addOwner('bob');
});
afterEach(() => world.close());

const collect = (options: CollectionOptions = {}) => collectGarbage(world.dependencies, options);
const grace = () => world.environment.advance(DEFAULT_GRACE_MS);
const isStored = async (made: MadeContent) =>
  (await world.blocks.has(made.blocks.map(({ blockId }) => blockId))).every(Boolean);

async function add(owner: Owner, made: MadeContent): Promise<void> {
  await world.upload(owner, made);
  await world.create(owner, made.content);
}

const release = (owner: Owner, made: MadeContent) =>
  world.store.transact((transaction) =>
    releaseContents(transaction, owner.spaceId, [made.content], world.environment.clock.now()),
  );

const amount = (blocks: number, made?: MadeContent) => ({
  blocks,
  storedBytes: made?.blocks.reduce((sum, { payload }) => sum + payload.length, 0) ?? 0,
});
const none = amount(0);

test('what nobody needs goes in two runs, each a grace after what came before', async () => {
  const [kept, gone] = [world.make('kept'), world.make('gone', 'gone too')];
  await add(ann, kept);
  await add(ann, gone);
  await release(ann, gone);
  await world.environment.advance(DEFAULT_GRACE_MS - 1);
  expect((await collect()).condemned).toEqual(none);
  await world.environment.advance(1);
  expect(await collect()).toMatchObject({ condemned: amount(3, gone), swept: none, reclaimed: none });
  await world.environment.advance(DEFAULT_GRACE_MS - 1);
  expect((await collect()).swept).toEqual(none);
  expect(await isStored(gone)).toBe(true);
  await world.environment.advance(1);
  expect(await collect()).toMatchObject({ swept: amount(3, gone), reclaimed: amount(3, gone) });
  expect(await world.blocks.has(gone.blocks.map(({ blockId }) => blockId))).toEqual([false, false, false]);
  expect(await isStored(kept)).toBe(true);
  expect((await world.store.read((reader) => reader.countAll())).blocks).toBe(1);
});

test('what one of two people needs stays, and the other one still cannot reach it [T249]', async () => {
  const shared = world.make('the same on both');
  await add(ann, shared);
  await add(bob, shared);
  await release(ann, shared);
  for (let run = 0; run < 3; run++) {
    await grace();
    await collect();
  }
  expect(await isStored(shared)).toBe(true);
  const ids = shared.blocks.map(({ blockId }) => blockId);
  const { blocks } = world.services;
  expect(await blocks.findMissingBlocks(ann.principal, ann.spaceId, ids)).toEqual(ids);
  expect(await blocks.findMissingBlocks(bob.principal, bob.spaceId, ids)).toEqual([]);
});

test('a lease keeps what was sent and not committed yet', async () => {
  const made = world.make('sent');
  await world.upload(ann, made);
  await grace();
  await world.upload(ann, made);
  await world.environment.advance(LEASE_MS - 1);
  expect((await collect()).condemned).toEqual(none);
  await world.create(ann, made.content);
  await grace();
  expect((await collect()).condemned).toEqual(none);
});

test('a condemned block is missing for everybody, and one that is sent again stays [T236]', async () => {
  const made = world.make('condemned', 'and listed');
  await world.upload(ann, made);
  await grace();
  expect((await collect()).condemned.blocks).toBe(3);
  const ids = made.blocks.map(({ blockId }) => blockId);
  const { blocks } = world.services;
  expect(await blocks.findMissingBlocks(ann.principal, ann.spaceId, ids)).toEqual(ids);
  await expect(world.create(ann, made.content)).rejects.toMatchObject({ code: 'blocks-missing' });
  await add(ann, made);
  await grace();
  expect(await collect()).toMatchObject({ swept: none, reclaimed: none });
  expect(await isStored(made)).toBe(true);
});

test('a manifest block does not carry a condemned chunk into a version', async () => {
  const made = world.make('first part', 'second part');
  const [first, , list] = made.blocks;
  await world.upload(ann, made);
  await world.environment.advance(LEASE_MS + 1);
  // Only the list and the second chunk are leased again.
  const leased = made.blocks.slice(1).map(({ blockId }) => blockId);
  await world.store.transact((transaction) =>
    transaction.leaseBlocks(
      ann.principal.userId,
      leased,
      world.environment.clock.now() + DEFAULT_GRACE_MS * 3,
    ),
  );
  await grace();
  expect((await collect()).condemned.blocks).toBe(1);
  await expect(world.create(ann, made.content)).rejects.toMatchObject({
    code: 'blocks-missing',
    details: { blocks: [first?.blockId] },
  });
  // Nor when the list is sent once more without it.
  await expect(
    world.services.blocks.storeBlocks(ann.principal, ann.spaceId, [list as never]),
  ).rejects.toMatchObject({ code: 'blocks-missing', details: { blocks: [first?.blockId] } });
});

test('a sweep that ended before its deletes is finished by the next run [T239]', async () => {
  const made = world.make('a', 'b');
  await world.upload(ann, made);
  await grace();
  await collect();
  await grace();
  const { delete: remove } = world.blocks;
  let deletes = 0;
  world.blocks.delete = async (location) => {
    if (++deletes > 1) throw new Error('the process ends here');
    return remove(location);
  };
  await expect(collect()).rejects.toThrow('the process ends here');
  world.blocks.delete = remove;
  expect(await collect()).toMatchObject({ swept: none, reclaimed: { blocks: 2 } });
  expect(await world.blocks.usage()).toMatchObject({ blocks: 0 });
});

describe('a store that counts generations anew, as after a move', () => {
  /** Sweeps this content at a generation of 3 in the store before, without the deletes. */
  async function sweepBefore(made: MadeContent): Promise<CollectionDependencies> {
    const before = createMemoryBlockStore();
    const ids = made.blocks.map(({ blockId }) => blockId);
    await before.put(made.blocks, new Map(ids.map((blockId) => [blockId, 2])));
    const { store, environment } = world;
    await collectGarbage({ store, environment, blocks: before });
    await grace();
    const dying = { ...before, delete: () => Promise.reject(new Error('the process ends here')) };
    await expect(collectGarbage({ store, environment, blocks: dying })).rejects.toThrow('ends here');
    const [tombstone] = await store.read((reader) => reader.getTombstones(ids));
    expect(tombstone).toMatchObject({ generation: 3, reclaimedAt: null });
    return { store, environment, blocks: createMemoryBlockStore() };
  }

  test('loses the garbage that is below its tombstone', async () => {
    const made = world.make('garbage');
    const after = await sweepBefore(made);
    await after.blocks.put(made.blocks);
    await collectGarbage(after);
    expect(await after.blocks.has(made.blocks.map(({ blockId }) => blockId))).toEqual([false]);
  });

  test('keeps what is in use, whatever its generation is', async () => {
    const made = world.make('in use');
    const after = await sweepBefore(made);
    // It is stored above the tombstone, and then nothing is left but a copy that a repair made.
    await add(ann, made);
    await after.blocks.put(made.blocks);
    await collectGarbage(after);
    expect(await after.blocks.has(made.blocks.map(({ blockId }) => blockId))).toEqual([true]);
  });
});

test('a block that the store has lost leaves the metadata too', async () => {
  const made = world.make('lost');
  await world.upload(ann, made);
  const [location] = await world.blocks.locate(made.blocks.map(({ blockId }) => blockId));
  await world.blocks.delete(location as NonNullable<typeof location>);
  await grace();
  expect((await collect()).condemned.blocks).toBe(1);
  // Somebody else brings it, and has not committed yet when the sweep comes.
  await grace();
  await world.upload(bob, made);
  expect((await collect()).swept).toEqual(none);
  expect(await isStored(made)).toBe(true);
});

describe('orphans', () => {
  test('go a grace after they were seen first', async () => {
    const made = world.make('no metadata');
    await world.blocks.put(made.blocks);
    expect(await collect()).toMatchObject({ orphansNoted: amount(1, made), orphansSwept: none });
    await world.environment.advance(DEFAULT_GRACE_MS - 1);
    expect(await collect()).toMatchObject({ orphansNoted: none, orphansSwept: none });
    await world.environment.advance(1);
    expect(await collect()).toMatchObject({ orphansSwept: amount(1, made), reclaimed: amount(1, made) });
    expect(await isStored(made)).toBe(false);
  });

  test('stay when their metadata comes after all', async () => {
    const made = world.make('metadata comes late');
    await world.blocks.put(made.blocks);
    await collect();
    await add(ann, made);
    await grace();
    expect(await collect()).toMatchObject({ orphansSwept: none, reclaimed: none });
    expect(await isStored(made)).toBe(true);
  });
});

describe('an upload that stands still between its put and its transaction', () => {
  /** Stands still for as long as `meanwhile` takes, after the first put. */
  async function uploadWhile(made: MadeContent, meanwhile: () => Promise<void>) {
    const { put } = world.blocks;
    const above: (ReadonlyMap<BlockId, number> | undefined)[] = [];
    world.blocks.put = async (given, over) => {
      const locations = await put(given, over);
      above.push(over === undefined ? undefined : new Map(over));
      if (above.length === 1) await meanwhile();
      return locations;
    };
    await world.upload(ann, made);
    world.blocks.put = put;
    return above;
  }

  test('puts again above what is deleted', async () => {
    const made = world.make('twice');
    const { blockId } = made.blocks[0] as { blockId: BlockId };
    await world.upload(bob, made);
    await grace();
    await collect();
    await grace();
    const above = await uploadWhile(made, async () => {
      expect((await collect()).reclaimed.blocks).toBe(1);
    });
    expect(above).toEqual([new Map(), new Map([[blockId, 1]])]);
    await world.create(ann, made.content);
    expect(await world.blocks.locate([blockId])).toMatchObject([{ generation: 2 }]);
  });

  test('puts again also when the delete is forgotten by then', async () => {
    const made = world.make('twice');
    const { blockId } = made.blocks[0] as { blockId: BlockId };
    await world.upload(bob, made);
    await grace();
    await collect();
    await grace();
    const above = await uploadWhile(made, async () => {
      await collect();
      await world.environment.advance(TOMBSTONE_MS);
      await collect();
      expect(await world.store.read((reader) => reader.getTombstones([blockId]))).toEqual([undefined]);
    });
    expect(above).toEqual([new Map(), new Map([[blockId, 1]])]);
    expect(await isStored(made)).toBe(true);
  });

  test('puts again when it looked like an orphan all that time', async () => {
    const made = world.make('looks like an orphan');
    const above = await uploadWhile(made, async () => {
      await collect();
      await grace();
      expect((await collect()).reclaimed.blocks).toBe(1);
    });
    expect(above).toHaveLength(2);
    expect(await isStored(made)).toBe(true);
  });
});

test('a dry run tells what a run would do, and writes nothing', async () => {
  const [old, young, orphan] = [world.make('old'), world.make('young, and long'), world.make('orphan!')];
  await world.upload(ann, old);
  await grace();
  await collect();
  await world.upload(bob, young);
  await world.blocks.put(orphan.blocks);
  await grace();
  const before = await world.store.read((reader) =>
    reader.countGarbage({ condemnedBefore: 9e15, seenBefore: 9e15 }),
  );
  const told = await collect({ dryRun: true });
  expect(told).toMatchObject({
    dryRun: true,
    condemned: amount(1, young),
    swept: amount(1, old),
    orphansNoted: amount(1, orphan),
    orphansSwept: none,
    reclaimed: amount(1, old),
  });
  expect(
    await world.store.read((reader) => reader.countGarbage({ condemnedBefore: 9e15, seenBefore: 9e15 })),
  ).toEqual(before);
  expect(await isStored(old)).toBe(true);
  expect({ ...(await collect()), dryRun: true }).toEqual(told);
});

test('after a database came back from a backup nothing is collected for a grace', async () => {
  const made = world.make('garbage');
  await world.upload(ann, made);
  await grace();
  await collect();
  await grace();
  await ensureEpoch(world.store, world.environment, 'another one, from outside');
  const renewedAt = world.environment.clock.now();
  await world.environment.advance(DEFAULT_GRACE_MS - 1);
  expect(await collect()).toMatchObject({ quarantinedUntil: renewedAt + DEFAULT_GRACE_MS, swept: none });
  expect(await isStored(made)).toBe(true);
  await world.environment.advance(1);
  expect(await collect()).toMatchObject({ quarantinedUntil: null, reclaimed: amount(1, made) });
});

test('a run tells its progress, works in bounded batches, and can be ended', async () => {
  const all = Array.from({ length: 7 }, (_, index) => world.make(`number ${index}`));
  for (const made of all) await world.upload(ann, made);
  await grace();
  const told: string[] = [];
  await collect({ batchBlocks: 3, onProgress: (step, { blocks }) => told.push(`${step} ${blocks}`) });
  expect(told).toEqual(['condemn 3', 'condemn 6', 'condemn 7', 'orphans 0', 'orphans 0', 'orphans 0']);
  await grace();
  const controller = new AbortController();
  const options: CollectionOptions = {
    batchBlocks: 3,
    signal: controller.signal,
    onProgress: (step) => step === 'sweep' && controller.abort(new Error('stopped')),
  };
  await expect(collect(options)).rejects.toThrow('stopped');
  expect((await world.store.read((reader) => reader.countAll())).blocks).toBe(4);
  expect(await collect()).toMatchObject({ swept: { blocks: 4 }, reclaimed: { blocks: 7 } });
});

test('the grace must be longer than a lease and an upload together', async () => {
  await expect(collect({ graceMs: LEASE_MS + UPLOAD_LIFE_MS })).rejects.toMatchObject({ code: 'usage' });
  await collect({ graceMs: LEASE_MS + UPLOAD_LIFE_MS + 1 });
});

test('the auditor finds references that lead nowhere', async () => {
  const [whole, lost, holed] = [world.make('whole'), world.make('lost'), world.make('with', 'a hole')];
  for (const made of [whole, lost, holed]) await add(ann, made);
  expect(await auditReferences(world.dependencies, { batchReferences: 2 })).toEqual({
    references: 5,
    dangling: 0,
    unavailable: 0,
    examples: [],
  });
  const [lostBlock, hole] = [lost.blocks[0], holed.blocks[1]].map((block) => block?.blockId as BlockId);
  const [location] = await world.blocks.locate([lostBlock as BlockId]);
  await world.blocks.delete(location as NonNullable<typeof location>);
  await world.store.transact((transaction) =>
    transaction.releaseReferences(ann.spaceId, [hole as BlockId], 1),
  );
  const report = await auditReferences(world.dependencies, { batchReferences: 2 });
  expect(report).toMatchObject({ references: 4, dangling: 2 });
  expect(new Set(report.examples)).toEqual(
    new Set([
      { spaceId: ann.spaceId, blockId: lostBlock, problem: 'absent' },
      { spaceId: ann.spaceId, blockId: hole, problem: 'unlisted' },
    ]),
  );
});
