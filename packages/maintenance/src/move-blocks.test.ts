import type { BlockStore } from '@cairn/block-store';
import { createNodePlatform, isIntactBlock, type StoredBlock } from '@cairn/content';
import type { BlockLocationRecord, MetadataStore } from '@cairn/metadata-store';
import { CairnError } from '@cairn/model';
import { createDataServices, releaseContents } from '@cairn/services';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type BlockMoveJob, createBlockMoveJob } from './block-move-job.ts';
import { collectGarbage } from './collect-garbage.ts';
import { DEFAULT_GRACE_MS } from './collection-settings.ts';
import { moveBlocks, type OpenedMove, type WalkOutcome } from './move-blocks.ts';
import {
  type CollectionWorld,
  createCollectionWorld,
  type MadeContent,
  type Owner,
} from './testing/collection-world.ts';
import { createMovingPlaces } from './testing/moving-places.ts';

const platform = createNodePlatform();
const verify = (block: StoredBlock) => isIntactBlock(platform, block);
const [A, B, C] = ['file:/a', 'file:/b', 'file:/c'] as const;

let plain: CollectionWorld;
let world: CollectionWorld;
let moving: ReturnType<typeof createMovingPlaces>;
let job: BlockMoveJob;
let ann: Owner;

beforeEach(async () => {
  plain = await createCollectionWorld();
  moving = createMovingPlaces(plain.store);
  await moving.begin();
  world = { ...plain, blocks: moving.blocks };
  const services = createDataServices({ ...plain.dependencies, blocks: moving.blocks });
  world = {
    ...world,
    services,
    upload: async (owner, made) => {
      await services.blocks.storeBlocks(owner.principal, owner.spaceId, made.blocks);
    },
  };
  job = createBlockMoveJob({
    store: world.store,
    environment: world.environment,
    verify,
    places: moving.places,
  });
  ann = await world.addOwner('ann', 'administrator');
});
afterEach(async () => {
  await job.stop();
  await plain.close();
});

const memory = (setting: string) =>
  moving.memories.get(setting) as ReturnType<typeof moving.memories.get> & object;
const state = () => job.service.state(ann.principal);
const begin = (target: string, more: { leavesDamaged?: boolean; bytesPerSecond?: number } = {}) =>
  job.service.begin(ann.principal, { target, ...more });
const readLocation = async () =>
  (await world.store.read((reader) => reader.getBlockLocation())) as BlockLocationRecord;

async function add(made: MadeContent): Promise<MadeContent> {
  await world.upload(ann, made);
  await world.create(ann, made.content);
  return made;
}

async function listIn(setting: string): Promise<string[]> {
  const ids: string[] = [];
  for await (const { blockId } of memory(setting).list()) ids.push(blockId);
  return ids.sort();
}
const idsOf = (...all: readonly MadeContent[]) =>
  [...new Set(all.flatMap(({ blocks }) => blocks.map(({ blockId }) => blockId)))].sort();

/** Works on the move that is recorded, as the job does. */
async function work(
  change: (parts: { store: MetadataStore; opened: OpenedMove }) => void = () => undefined,
): Promise<WalkOutcome> {
  const location = await readLocation();
  const opened = await moving.places.apply(location);
  if (location.move === null || opened === null) throw new Error('no move is under way');
  const parts = { store: { ...world.store }, opened: { ...opened } };
  change(parts);
  const outcome = await moveBlocks({
    ...parts,
    environment: world.environment,
    verify,
    location: { ...location, move: location.move },
    signal: new AbortController().signal,
    keepJob: async () => undefined,
    onProgress: () => undefined,
  });
  await moving.places.apply(await readLocation());
  return outcome;
}

describe('a move', () => {
  test('brings everything to the new place, leaves the old one as it is, and is recorded', async () => {
    const made = [await add(world.make('one', 'two')), await add(world.make('two', 'three'))];
    await begin(B);
    expect((await state()).move).toMatchObject({ from: A, to: B, phase: 'copying', checkedBlocks: 0 });
    expect(await work()).toBe('ended');
    expect(await listIn(B)).toEqual(idsOf(...made));
    expect(await listIn(A)).toEqual(idsOf(...made));
    expect(await state()).toMatchObject({ place: B, previous: A, leftBlocks: 0, move: null });
    const later = await add(world.make('later'));
    expect(await listIn(B)).toEqual(idsOf(...made, later));
    expect(await listIn(A)).toEqual(idsOf(...made));
  });

  test('that ends at any call goes on where it was, and has everything in the end', async () => {
    const made = [await add(world.make('one', 'two')), await add(world.make('three'))];
    let deaths = 0;
    for (let last = 0, target: string = B; ; last++, target = target === B ? C : B) {
      let calls = 0;
      let hasDied = false;
      const mortal = <Part extends object>(part: Part, names: readonly (keyof Part)[]): Part => {
        const copy = { ...part };
        for (const name of names) {
          const call = part[name] as (...input: unknown[]) => unknown;
          copy[name] = ((...input: unknown[]) => {
            if (calls++ < last) return call(...input);
            hasDied = true;
            throw new Error('the process ends here');
          }) as Part[typeof name];
        }
        return copy;
      };
      // The other two places are as good as new.
      const { place } = await readLocation();
      await begin(target);
      const dying = work((parts) => {
        parts.store = mortal(parts.store, ['read', 'transact']);
        parts.opened = {
          ...mortal(parts.opened, ['isComplete']),
          from: mortal<BlockStore>(parts.opened.from, ['locate', 'getMany', 'get']),
          to: mortal<BlockStore>(parts.opened.to, ['locate', 'put', 'get']),
        };
      });
      await dying.catch((error: unknown) => {
        if (!hasDied) throw error;
      });
      await moving.crash();
      const { move } = await readLocation();
      if (move !== null) {
        // What is written between death and resurrection is in the new place, too.
        made.push(await add(world.make(`after ${last}`)));
        expect(await work()).toBe('ended');
      }
      expect((await readLocation()).place.setting).toBe(target);
      expect(await listIn(target)).toEqual(idsOf(...made));
      for (const setting of [place.setting, ...[A, B, C].filter((each) => each !== target)]) {
        for await (const location of memory(setting).list()) await memory(setting).delete(location);
      }
      if (!hasDied) break;
      deaths += 1;
    }
    expect(deaths).toBeGreaterThan(10);
  });

  test('has uploads that put before it put again, so that no block is left in the old place', async () => {
    const late = world.make('late');
    const { store } = world;
    let goOn: () => void = () => undefined;
    const hasPut = new Promise<void>((resolve) => {
      const { put } = moving.blocks;
      moving.blocks.put = async (...input) => {
        const answer = await put(...input);
        moving.blocks.put = put;
        resolve();
        // It stands here for as long as it likes.
        await new Promise<void>((resume) => {
          goOn = resume;
        });
        return answer;
      };
    });
    const uploading = world.upload(ann, late);
    await hasPut;
    expect(await listIn(A)).toEqual(idsOf(late));
    await begin(B);
    expect(await work()).toBe('ended');
    expect(await listIn(B)).toEqual([]);
    goOn();
    await uploading;
    expect(await listIn(B)).toEqual(idsOf(late));
    expect((await store.read((reader) => reader.countAll())).blocks).toBe(1);
  });

  test('that is cancelled goes back, with what was written meanwhile', async () => {
    const before = await add(world.make('before'));
    await begin(B);
    await moving.places.apply(await readLocation());
    const meanwhile = await add(world.make('meanwhile'));
    expect(await listIn(A)).toEqual(idsOf(before));
    await job.service.cancel(ann.principal);
    await expect(begin(C)).rejects.toMatchObject({ code: 'precondition-failed' });
    expect((await state()).move).toMatchObject({ from: B, to: A, isReturn: true });
    expect(await work()).toBe('ended');
    expect(await state()).toMatchObject({ place: A, previous: null, move: null });
    expect(await listIn(A)).toEqual(idsOf(before, meanwhile));
  });

  test('that is cancelled while it works changes nothing any more', async () => {
    await add(world.make('one'));
    await begin(B);
    const working = work((parts) => {
      const { put } = parts.opened.to;
      parts.opened = {
        ...parts.opened,
        to: {
          ...parts.opened.to,
          put: async (...input) => {
            await job.service.cancel(ann.principal);
            return put(...input);
          },
        },
      };
    });
    await expect(working).rejects.toMatchObject({ code: 'cancelled' });
    expect((await readLocation()).move).toMatchObject({ isReturn: true, position: 0, copiedBlocks: 0 });
  });

  test('is held by what nothing has whole, until it is healed, deleted or left behind', async () => {
    const [good, rotten, gone] = [
      await add(world.make('good')),
      await add(world.make('rotten')),
      await add(world.make('gone')),
    ];
    const ids = (made: MadeContent) => made.blocks[0]?.blockId as StoredBlock['blockId'];
    memory(A).damage(ids(rotten));
    memory(A).damage(ids(gone));
    await begin(B);
    expect(await work()).toBe('held');
    expect(await state()).toMatchObject({ place: A, move: { phase: 'held', badBlocks: 2 } });
    expect(await listIn(B)).toEqual(idsOf(good));
    // A device has it still, and sends it again.
    await world.upload(ann, rotten);
    await begin(B);
    expect((await state()).move).toMatchObject({ phase: 'checking' });
    expect(await work()).toBe('held');
    expect((await state()).move).toMatchObject({ badBlocks: 1 });
    await begin(B, { leavesDamaged: true });
    expect(await work()).toBe('ended');
    expect(await state()).toMatchObject({ place: B, leftBlocks: 1, move: null });
    expect(await listIn(B)).toEqual(idsOf(good, rotten));
  });

  test('does not wait for a damaged block that nobody needs any more', async () => {
    const rotten = await add(world.make('rotten'));
    const { blockId } = rotten.blocks[0] as StoredBlock;
    memory(A).damage(blockId);
    await begin(B);
    expect(await work()).toBe('held');
    await world.store.transact((transaction) =>
      releaseContents(transaction, ann.spaceId, [rotten.content], world.environment.clock.now()),
    );
    for (let round = 0; round < 3; round++) {
      await world.environment.advance(DEFAULT_GRACE_MS + 1);
      await collectGarbage({ store: world.store, blocks: moving.blocks, environment: world.environment });
    }
    expect(await work()).toBe('ended');
    expect(await state()).toMatchObject({ place: B, leftBlocks: 0 });
  });

  test('leaves nothing behind that is only out of reach, whatever it was told', async () => {
    const made = await add(world.make('away'));
    await begin(B, { leavesDamaged: true });
    const away = () => Promise.reject(new CairnError('unavailable', 'the node is away'));
    let outcome: WalkOutcome | null = null;
    const working = work((parts) => {
      parts.opened = {
        ...parts.opened,
        from: { ...parts.opened.from, get: away, getMany: () => memory(C).getMany([]) },
      };
    }).then((result) => {
      outcome = result;
    });
    while (outcome === null) {
      await world.environment.advance(100);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await working;
    expect(outcome).toBe('held');
    expect((await readLocation()).place.setting).toBe(A);
    expect(await work()).toBe('ended');
    expect(await listIn(B)).toEqual(idsOf(made));
  });

  test('lifts what the new place has from an earlier time above a delete that is on its way', async () => {
    const { environment, store } = world;
    const collect = async () => {
      await environment.advance(DEFAULT_GRACE_MS + 1);
      await collectGarbage({ store, blocks: moving.blocks, environment });
    };
    const made = world.make('again');
    const { blockId } = made.blocks[0] as StoredBlock;
    // Once it was there, too, under the generation that is swept here; the collection dies before it deletes.
    await memory(B).put(made.blocks);
    await world.upload(ann, made);
    await collect();
    const { locate } = moving.blocks;
    moving.blocks.locate = () => Promise.reject(new Error('the collection dies'));
    await expect(collect()).rejects.toThrow('dies');
    moving.blocks.locate = locate;
    const [tombstone] = await store.read((reader) => reader.getTombstones([blockId]));
    expect(tombstone).toMatchObject({ generation: 1, reclaimedAt: null });
    await add(made);
    expect(await memory(A).locate([blockId])).toMatchObject([{ generation: 2 }]);
    await begin(B);
    const outcome = await work((parts) => {
      const { locate: ask } = parts.opened.from;
      // Of nodes, the one may be away that has the higher generation.
      const lower = async (ids: readonly StoredBlock['blockId'][]) =>
        (await ask(ids)).map((at) => (at === null ? null : { ...at, generation: 1 }));
      parts.opened = { ...parts.opened, from: { ...parts.opened.from, locate: lower } };
    });
    expect(outcome).toBe('ended');
    expect(await memory(B).locate([blockId])).toMatchObject([{ generation: 2 }]);
    await collectGarbage({ store, blocks: moving.blocks, environment });
    expect(await memory(B).has([blockId])).toEqual([true]);
  });
});

describe('the job', () => {
  async function advance(seconds: number): Promise<void> {
    for (let second = 0; second < seconds; second++) {
      await world.environment.advance(1000);
      for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    }
  }

  test('moves by itself, and goes on when the new place has room again', async () => {
    const made = await add(world.make('one', 'two'));
    let isFull = true;
    const { put } = memory(B);
    memory(B).put = async (...input) => {
      if (isFull) throw new CairnError('storage-full', 'the disk is full; free some space');
      return put(...input);
    };
    const { apply } = moving.places;
    moving.places.apply = async (location) => {
      const opened = await apply(location);
      return opened === null ? null : { ...opened, to: { ...opened.to, put: memory(B).put } };
    };
    job.start();
    await begin(B);
    await advance(2);
    expect((await state()).move).toMatchObject({
      phase: 'copying',
      problem: expect.stringContaining('full'),
    });
    expect(await job.measure()).toMatchObject({ isActive: true, totalBlocks: 3 });
    isFull = false;
    await advance(10);
    expect(await state()).toMatchObject({ place: B, move: null });
    expect(await listIn(B)).toEqual(idsOf(made));
    expect(await job.measure()).toMatchObject({ isActive: false });
  });

  test('goes on at the start of a server, as soon as the lease of the one before is over', async () => {
    const made = await add(world.make('one'));
    await begin(B);
    const { environment, store } = world;
    const now = environment.clock.now();
    await store.transact((transaction) => transaction.takeJobLease('move-blocks', 'dead', now, now + 15_000));
    job.start();
    await advance(10);
    expect((await state()).move).not.toBeNull();
    await advance(15);
    expect(await state()).toMatchObject({ place: B, move: null });
    expect(await listIn(B)).toEqual(idsOf(made));
  });

  test('is for administrators, and for one move at a time', async () => {
    const bob = await world.addOwner('bob');
    for (const attempt of [
      job.service.state(bob.principal),
      job.service.begin(bob.principal, { target: B }),
      job.service.cancel(bob.principal),
    ]) {
      await expect(attempt).rejects.toMatchObject({ code: 'not-found' });
    }
    await expect(job.service.cancel(ann.principal)).rejects.toMatchObject({ code: 'precondition-failed' });
    await begin(B, { bytesPerSecond: 5 });
    await expect(begin(C)).rejects.toMatchObject({ code: 'precondition-failed' });
    expect((await begin(B)).move).toMatchObject({ bytesPerSecond: 5, leavesDamaged: false });
    expect((await begin(B, { bytesPerSecond: 7, leavesDamaged: true })).move).toMatchObject({
      bytesPerSecond: 7,
      leavesDamaged: true,
    });
    await job.service.cancel(ann.principal);
    expect((await job.service.cancel(ann.principal)).move).toMatchObject({ isReturn: true });
  });
});
