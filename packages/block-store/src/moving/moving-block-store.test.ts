import type { StoredBlock } from '@cairn/content';
import { createSimulatedEnvironment } from '@cairn/environment';
import { type BlockId, CairnError } from '@cairn/model';
import { describe, expect, test } from 'vitest';
import type { BlockLocation, BlockStore } from '../block-store.ts';
import { describeBlockStore } from '../contract.ts';
import { createMemoryBlockStore, type MemoryBlockStore } from '../memory/memory-block-store.ts';
import { collect, makeBlock } from '../testing/blocks.ts';
import { createBlockCopier } from './copy-blocks.ts';
import { createMovingBlockStore } from './moving-block-store.ts';
import { createSwitchingBlockStore } from './switching-block-store.ts';

interface Pair {
  readonly from: MemoryBlockStore;
  readonly to: MemoryBlockStore;
  readonly store: BlockStore;
}

/** A payload of nothing but 255 is taken for wrong. */
const verify = ({ payload }: StoredBlock) => payload.length === 0 || payload.some((byte) => byte !== 255);

function open(change: (pair: { from: BlockStore; to: BlockStore }) => void = () => undefined): Pair {
  const [from, to] = [createMemoryBlockStore(), createMemoryBlockStore()];
  const places = { from: { ...from }, to: { ...to } };
  change(places);
  return { from, to, store: createMovingBlockStore({ ...places, verify }) };
}

async function damageIn(stores: readonly MemoryBlockStore[], blockId: BlockId): Promise<void> {
  for (const store of stores) if ((await store.has([blockId]))[0] === true) store.damage(blockId);
}

describeBlockStore('moving, with nothing in the old place', async () => {
  const { from, to, store } = open();
  return {
    store,
    reopen: null,
    damage: (blockId) => damageIn([to, from], blockId),
    dispose: () => store.close(),
  };
});

/** Half of all blocks are stored before the move and stay in the old place; so every other call meets both places. */
describeBlockStore('moving, with a share of the blocks in the old place', async () => {
  const { from, to, store } = open();
  const isOld = (blockId: BlockId) => Number.parseInt(blockId.at(-1) ?? '0', 16) % 2 === 0;
  const deletes = new Set<Promise<boolean>>();
  const mixed: BlockStore = {
    ...store,
    async put(blocks, above) {
      await Promise.allSettled(deletes);
      // Only while it is open may anything be asked of it.
      await store.checkHealth();
      const written = await Promise.all([
        from.put(
          blocks.filter(({ blockId }) => isOld(blockId)),
          above,
        ),
        store.put(
          blocks.filter(({ blockId }) => !isOld(blockId)),
          above,
        ),
      ]);
      const locations = new Map(written.flat().map((location) => [location.blockId, location]));
      return blocks.map(({ blockId }) => locations.get(blockId) as BlockLocation);
    },
    delete(location, fence) {
      const deleting = store.delete(location, fence).finally(() => deletes.delete(deleting));
      deletes.add(deleting);
      return deleting;
    },
  };
  return {
    store: mixed,
    reopen: null,
    damage: (blockId) => damageIn([to, from], blockId),
    dispose: () => store.close(),
  };
});

const [block, other] = [makeBlock(1, 100), makeBlock(2, 100)];
const idOf = ({ blockId }: StoredBlock) => blockId;
const generationIn = async (store: BlockStore, { blockId }: StoredBlock) =>
  (await store.locate([blockId]))[0]?.generation ?? null;
/** Writes a block so often that it has this generation. */
const writeAs = (store: BlockStore, generation: number, blocks = [block]) =>
  store.put(blocks, new Map(blocks.map(({ blockId }) => [blockId, generation - 1])));
const unavailable = () => Promise.reject(new CairnError('unavailable', 'nobody answers'));

describe('writes while blocks move', () => {
  test('go to the new place alone, what only the old one has too, and its generation stays', async () => {
    const { from, to, store } = open();
    await writeAs(from, 5);
    expect(await store.put([block, other])).toMatchObject([{ generation: 5 }, { generation: 1 }]);
    expect(await generationIn(to, block)).toBe(5);
    expect(await from.has([idOf(block), idOf(other)])).toEqual([true, false]);
    expect(await store.put([block], new Map([[idOf(block), 5]]))).toMatchObject([{ generation: 6 }]);
    expect([await generationIn(from, block), await generationIn(to, block)]).toEqual([5, 6]);
    // A delete of what was there before it misses.
    expect(await store.delete({ blockId: idOf(block), generation: 5 })).toBe(false);
    expect(await store.get(idOf(block))).toEqual(block);
  });

  test('count when the new place has them, also while the old one does not answer', async () => {
    const { to, store } = open(({ from }) => {
      from.locate = unavailable;
    });
    await store.put([block]);
    expect(await to.has([idOf(block)])).toEqual([true]);
  });

  test('are refused when the new place refuses them', async () => {
    const { from, store } = open(({ to }) => {
      to.put = () => Promise.reject(new CairnError('storage-full', 'full'));
    });
    await expect(store.put([block])).rejects.toMatchObject({ code: 'storage-full' });
    expect(await from.has([idOf(block)])).toEqual([false]);
  });
});

describe('deletes while blocks move', () => {
  test('take both writings that are not above the generation, and nothing for another one', async () => {
    const { from, to, store } = open();
    await writeAs(from, 5);
    await writeAs(to, 3);
    expect(await store.locate([idOf(block)])).toMatchObject([{ generation: 5 }]);
    for (const generation of [3, 4, 6])
      expect(await store.delete({ blockId: idOf(block), generation })).toBe(false);
    expect(await store.delete({ blockId: idOf(block), generation: 5 })).toBe(true);
    expect([await from.has([idOf(block)]), await to.has([idOf(block)])]).toEqual([[false], [false]]);
  });

  test('that end in the middle can be repeated', async () => {
    let fails = true;
    const { from, to, store } = open((places) => {
      const { delete: remove } = places.from;
      places.from.delete = (location) => (fails ? unavailable() : remove(location));
    });
    await writeAs(from, 5);
    await writeAs(to, 3);
    await expect(store.delete({ blockId: idOf(block), generation: 5 })).rejects.toMatchObject({
      code: 'unavailable',
    });
    fails = false;
    expect(await store.delete({ blockId: idOf(block), generation: 5 })).toBe(true);
    expect([await from.has([idOf(block)]), await to.has([idOf(block)])]).toEqual([[false], [false]]);
  });
});

describe('reads while blocks move', () => {
  test('take what is whole, wherever it is', async () => {
    const { from, to, store } = open();
    await from.put([block, other]);
    await to.put([block]);
    to.damage(idOf(block));
    expect(await store.get(idOf(block))).toEqual(block);
    const absent = makeBlock(9, 5);
    const ids = [other, absent, block, other].map(idOf);
    expect(await collect(store.getMany(ids))).toEqual([other, null, block, other]);
    from.damage(idOf(block));
    await expect(store.get(idOf(block))).rejects.toMatchObject({ code: 'data-damaged' });
    await expect(collect(store.getMany(ids))).rejects.toMatchObject({ code: 'data-damaged' });
  });

  test('believe no place that answers other bytes', async () => {
    const wrong = { ...block, payload: new Uint8Array(100).fill(255) };
    const { from, to, store } = open();
    await to.put([wrong]);
    await expect(store.get(idOf(block))).rejects.toMatchObject({ code: 'data-damaged' });
    await from.put([block]);
    expect(await store.get(idOf(block))).toEqual(block);
    expect(await collect(store.getMany([idOf(block)]))).toEqual([block]);
  });

  test.for(['from', 'to'] as const)('do not say absent while "%s" does not answer', async (silent) => {
    const { from, to, store } = open((places) => {
      for (const call of ['get', 'has', 'locate'] as const) places[silent][call] = unavailable;
    });
    await expect(store.get(idOf(block))).rejects.toMatchObject({ code: 'unavailable' });
    await expect(collect(store.getMany([idOf(block)]))).rejects.toMatchObject({ code: 'unavailable' });
    await expect(store.has([idOf(block)])).rejects.toMatchObject({ code: 'unavailable' });
    await (silent === 'from' ? to : from).put([block]);
    expect(await store.get(idOf(block))).toEqual(block);
    expect(await collect(store.getMany([idOf(block)]))).toEqual([block]);
  });

  test('find a block that changes places between two questions', async () => {
    const pair = open((places) => {
      const { get } = places.from;
      places.from.get = async (blockId) => {
        // Written above and deleted, after the new place said that it does not have it.
        await pair.to.put([block]);
        await pair.from.delete({ blockId, generation: 1 });
        return get(blockId);
      };
    });
    await pair.from.put([block]);
    expect(await pair.store.get(idOf(block))).toEqual(block);
  });
});

describe('copies', () => {
  const environment = createSimulatedEnvironment({ seed: 1 });
  const copierOf = ({ from, to }: Pair, bytesPerSecond?: number) =>
    createBlockCopier({
      from,
      to,
      verify,
      environment,
      signal: new AbortController().signal,
      ...(bytesPerSecond === undefined ? {} : { bytesPerSecond }),
    });

  test('keep the generation, so that deletes find them, and never write over what is above it', async () => {
    const pair = open();
    await writeAs(pair.from, 5, [block, other]);
    await writeAs(pair.to, 7, [other]);
    const report = await copierOf(pair)([idOf(block), idOf(other)]);
    expect(report).toMatchObject({ copiedBlocks: 2, bad: [], unavailable: [] });
    expect([await generationIn(pair.to, block), await generationIn(pair.to, other)]).toEqual([5, 7]);
    expect(await pair.store.delete({ blockId: idOf(block), generation: 5 })).toBe(true);
    expect(await pair.to.has([idOf(block)])).toEqual([false]);
  });

  test('lift what the new place has from an earlier time to the present generation', async () => {
    const pair = open();
    await writeAs(pair.from, 5);
    await writeAs(pair.to, 2);
    await copierOf(pair)([idOf(block)]);
    expect(await generationIn(pair.to, block)).toBe(5);
  });

  test('tell what nothing has whole, and bring all the others', async () => {
    const pair = open();
    const blocks = Array.from({ length: 50 }, (_, index) => makeBlock(index, 200));
    await pair.from.put(blocks);
    const [rotten, healed] = [blocks[3], blocks[40]] as [StoredBlock, StoredBlock];
    for (const each of [rotten, healed]) pair.from.damage(idOf(each));
    await pair.to.put([healed]);
    const absent = makeBlock(999, 1);
    const report = await copierOf(pair)([...blocks, absent].map(idOf));
    expect(report).toMatchObject({ copiedBlocks: 49, bad: [idOf(rotten), idOf(absent)], unavailable: [] });
    const good = blocks.filter((each) => each !== rotten);
    expect(await collect(pair.to.getMany(good.map(idOf)))).toEqual(good);
    expect(await pair.to.has([idOf(rotten)])).toEqual([false]);
  });

  test('tell those that may be where nobody answers', async () => {
    const pair = open();
    const from: BlockStore = { ...pair.from, get: unavailable, getMany: () => pair.from.getMany([]) };
    const copier = createBlockCopier({
      from,
      to: pair.to,
      verify,
      environment,
      signal: new AbortController().signal,
    });
    expect(await copier([idOf(block)])).toMatchObject({
      copiedBlocks: 0,
      bad: [],
      unavailable: [idOf(block)],
    });
  });

  test('keep to their pace', async () => {
    const pair = open();
    const blocks = Array.from({ length: 4 }, (_, index) => makeBlock(index, 1000));
    await pair.from.put(blocks);
    const copy = copierOf(pair, 1000);
    let copied = 0;
    const done = (async () => {
      for (const each of blocks) copied += (await copy([idOf(each)])).copiedBlocks;
    })();
    const startedMs = environment.clock.monotonicMs();
    while (copied < 4) await environment.advance(100);
    await done;
    expect(environment.clock.monotonicMs() - startedMs).toBeGreaterThanOrEqual(2_900);
  });
});

describe('a store behind which another one is put', () => {
  test('hands calls to the new one, and tells when the old ones have nothing to do any more', async () => {
    const [first, second, third] = [
      createMemoryBlockStore(),
      createMemoryBlockStore(),
      createMemoryBlockStore(),
    ];
    const store = createSwitchingBlockStore(first);
    await store.put([block, other]);
    const reads = store.getMany([idOf(block), idOf(other)])[Symbol.asyncIterator]();
    expect((await reads.next()).value).toEqual(block);
    const ended: string[] = [];
    const toSecond = store.replace(second).then(() => ended.push('first'));
    await store.put([other]);
    expect([await first.has([idOf(other)]), await second.has([idOf(block)])]).toEqual([[true], [false]]);
    // A stream that began two stores ago counts, too.
    const toThird = store.replace(third).then(() => ended.push('second'));
    await new Promise((resolve) => setImmediate(resolve));
    expect(ended).toEqual([]);
    expect((await reads.next()).value).toEqual(other);
    expect((await reads.next()).done).toBe(true);
    await Promise.all([toSecond, toThird]);
    expect(await store.has([idOf(block), idOf(other)])).toEqual([false, false]);
    await store.replace(third);
    await store.close();
    await expect(third.checkHealth()).rejects.toMatchObject({ code: 'unavailable' });
    await first.checkHealth();
  });
});
