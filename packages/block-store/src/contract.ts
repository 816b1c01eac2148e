import type { StoredBlock } from '@cairn/content';
import type { BlockId } from '@cairn/model';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BlockLocation, BlockStore } from './block-store.ts';
import { collect, makeBlock } from './testing/blocks.ts';

export { collect, makeBlock };

/** One store under test and what can be done to it from outside. */
export interface BlockStoreSubject {
  readonly store: BlockStore;
  /** Closes the store and opens it again on the same blocks; `null` where nothing outlives the store. */
  readonly reopen: (() => Promise<BlockStore>) | null;
  /** Damages the stored payload of a block behind the store's back. */
  readonly damage: (blockId: BlockId) => Promise<void>;
  /** How often the store has each block; 1 unless told. */
  readonly copies?: number;
  /** How many times its bytes a block takes; as many as there are copies unless told. */
  readonly takes?: number;
  /** A put writes again what is there in another form, with a higher generation. */
  readonly rewrites?: boolean;
  /** Closes the store, if it is open, and removes everything. */
  readonly dispose: () => Promise<void>;
}

/** What every block store must do. `open` gives an empty one. */
export function describeBlockStore(name: string, open: () => Promise<BlockStoreSubject>): void {
  describe(`block store contract: ${name}`, () => {
    let subject: BlockStoreSubject;
    let store: BlockStore;

    beforeEach(async () => {
      subject = await open();
      store = subject.store;
    });
    afterEach(() => subject.dispose());

    it('gives back what was put', async () => {
      const blocks: StoredBlock[] = [
        makeBlock(1, 10),
        makeBlock(2, 5000, 'manifest'),
        { ...makeBlock(3, 100), codec: 'zstd', plainBytes: 4000 },
        makeBlock(4, 0),
        makeBlock(5, 3 * 1024 * 1024),
      ];
      const locations = await store.put(blocks);
      expect(locations.map((location) => location.blockId)).toEqual(blocks.map((block) => block.blockId));
      expect(locations.map((location) => location.storedBytes)).toEqual([10, 5000, 100, 0, 3 * 1024 * 1024]);
      for (const block of blocks) {
        const got = (await store.get(block.blockId)) as StoredBlock;
        expect({ ...got, payload: null }).toEqual({ ...block, payload: null });
        expect(Buffer.compare(got.payload, block.payload)).toBe(0);
      }
    });

    it('answers null for what it does not have', async () => {
      expect(await store.get(makeBlock(1, 10).blockId)).toBeNull();
      expect(await store.put([])).toEqual([]);
    });

    it('stores a block once, also within a call and in calls at the same time', async () => {
      const block = makeBlock(1, 1000);
      const other = makeBlock(2, 1000);
      const answers = await Promise.all([
        store.put([block, block]),
        store.put([other, block]),
        store.put([block]),
      ]);
      expect(answers.map((answer) => answer.length)).toEqual([2, 2, 1]);
      const { liveBytes } = await store.usage();
      await store.put([block, other]);
      expect(await store.usage()).toMatchObject({ blocks: 2, liveBytes });
      expect(new Set(answers.flat().map((location) => location.generation)).size).toBe(1);
    });

    it('tells which blocks it has, in order', async () => {
      const [a, b, c] = [makeBlock(1, 5), makeBlock(2, 5), makeBlock(3, 5)];
      await store.put([a, c]);
      expect(await store.has([c.blockId, b.blockId, a.blockId, a.blockId])).toEqual([
        true,
        false,
        true,
        true,
      ]);
    });

    it('reads many in the order asked, absent ones as null', async () => {
      const blocks = Array.from({ length: 300 }, (_, index) => makeBlock(index, 200 + index));
      await store.put(blocks);
      const asked = [...blocks]
        .reverse()
        .flatMap((block, index) => (index % 7 === 0 ? [block, block] : [block]));
      const absent = makeBlock(9999, 1).blockId;
      const ids = [absent, ...asked.map((block) => block.blockId), absent];
      const got = await collect(store.getMany(ids));
      expect(got.map((block) => block?.blockId ?? null)).toEqual([
        null,
        ...asked.map((each) => each.blockId),
        null,
      ]);
      expect(
        got
          .slice(1, -1)
          .every(
            (block, index) =>
              Buffer.compare(block?.payload as Uint8Array, asked[index]?.payload as Uint8Array) === 0,
          ),
      ).toBe(true);
    });

    it('lets a reader stop early', async () => {
      const blocks = Array.from({ length: 50 }, (_, index) => makeBlock(index, 1000));
      await store.put(blocks);
      for await (const block of store.getMany(blocks.map((each) => each.blockId))) {
        expect(block?.blockId).toBe(blocks[0]?.blockId);
        break;
      }
    });

    it('deletes only the generation that is named, and counts generations up', async () => {
      const block = makeBlock(1, 100);
      const [first] = await store.put([block]);
      const generation = first?.generation as number;
      expect(await store.delete({ blockId: block.blockId, generation: generation + 1 })).toBe(false);
      expect(await store.delete({ blockId: block.blockId, generation })).toBe(true);
      expect(await store.delete({ blockId: block.blockId, generation })).toBe(false);
      expect(await store.get(block.blockId)).toBeNull();
      expect(await store.has([block.blockId])).toEqual([false]);
      const [second] = await store.put([block]);
      expect(second?.generation).toBeGreaterThan(generation);
      expect(await store.delete({ blockId: block.blockId, generation })).toBe(false);
      expect(await store.get(block.blockId)).not.toBeNull();
    });

    it('keeps a put that comes while a delete is under way', async () => {
      const block = makeBlock(1, 100);
      const [location] = await store.put([block]);
      const deleting = store.delete(location as { blockId: BlockId; generation: number });
      const [again] = await store.put([block]);
      await deleting;
      expect(await store.get(block.blockId)).not.toBeNull();
      expect(again?.generation).toBe((location?.generation as number) + 1);
    });

    it('writes a block again above a generation whose delete may be on its way', async () => {
      const [block, other] = [makeBlock(1, 100), makeBlock(2, 100)];
      const [first] = await store.put([block, other]);
      const generation = first?.generation as number;
      const [again, same] = await store.put([block, other], new Map([[block.blockId, generation]]));
      expect(again?.generation).toBe(generation + 1);
      if (subject.rewrites !== true) expect(same?.generation).toBe(generation);
      expect(await store.delete({ blockId: block.blockId, generation })).toBe(false);
      expect(await store.get(block.blockId)).not.toBeNull();
      const [once] = await store.put([block], new Map([[block.blockId, generation]]));
      if (subject.rewrites !== true) expect(once).toEqual(again);
      const [high] = await store.put([makeBlock(3, 10)], new Map([[makeBlock(3, 10).blockId, 7]]));
      expect(high?.generation).toBe(8);
      expect((await store.usage()).blocks).toBe(3);
    });

    it('tells where blocks are, in order', async () => {
      const [a, b, c] = [makeBlock(1, 5), makeBlock(2, 500), makeBlock(3, 7)];
      const [first, third] = await store.put([a, c]);
      expect(await store.locate([c.blockId, b.blockId, a.blockId])).toEqual([third, null, first]);
      await store.delete(first as BlockLocation);
      await subject.damage(c.blockId);
      await expect(store.get(c.blockId)).rejects.toMatchObject({ code: 'data-damaged' });
      expect(await store.locate([a.blockId, c.blockId])).toEqual([null, null]);
    });

    it('lists live blocks and counts them', async () => {
      const blocks = Array.from({ length: 20 }, (_, index) => makeBlock(index, 50));
      const locations = await store.put(blocks);
      for (const location of locations.slice(0, 5)) await store.delete(location);
      const byId = (a: { blockId: string }, b: { blockId: string }) => (a.blockId < b.blockId ? -1 : 1);
      const listed = await collect(store.list());
      expect([...listed].sort(byId)).toEqual([...locations.slice(5)].sort(byId));
      for (const told of [0, 6, 14]) {
        expect(await collect(store.list(listed[told]?.blockId))).toEqual(listed.slice(told + 1));
      }
      const usage = await store.usage();
      expect(usage.blocks).toBe(15);
      expect(usage.liveBytes).toBeGreaterThanOrEqual(15 * 50);
      expect(usage.diskBytes).toBeGreaterThanOrEqual(usage.liveBytes);
      expect(usage.quarantinedRecords).toBe(0);
    });

    it('never returns damaged bytes, and heals with the next put', async () => {
      const [bad, good] = [makeBlock(1, 500), makeBlock(2, 500)];
      const [before] = await store.put([bad, good]);
      await subject.damage(bad.blockId);
      await expect(store.get(bad.blockId)).rejects.toMatchObject({ code: 'data-damaged' });
      await expect(collect(store.getMany([good.blockId, bad.blockId]))).rejects.toMatchObject({
        code: 'data-damaged',
      });
      expect(await store.has([bad.blockId, good.blockId])).toEqual([false, true]);
      expect(await store.usage()).toMatchObject({ blocks: 1, quarantinedRecords: 1 });
      const [after] = await store.put([bad]);
      expect(after?.generation).toBeGreaterThan(before?.generation as number);
      expect(Buffer.compare((await store.get(bad.blockId))?.payload as Uint8Array, bad.payload)).toBe(0);
    });

    it('gives back the space of what was deleted, and changes nothing else', async () => {
      const blocks = Array.from({ length: 60 }, (_, index) => makeBlock(index, 300));
      const locations = await store.put(blocks);
      for (const [index, location] of locations.entries()) if (index % 6 !== 0) await store.delete(location);
      await store.put(blocks.slice(1, 4));
      const before = await store.usage();
      const listed = new Set((await collect(store.list())).map((each) => JSON.stringify(each)));
      const report = await store.compact();
      expect(report).toMatchObject({ skippedDamaged: 0, stoppedBy: null });
      const after = await store.usage();
      if (report.freedBytes > 0) expect(after.diskBytes).toBeLessThan(before.diskBytes);
      else expect(after.diskBytes).toBe(before.diskBytes);
      expect({ ...after, diskBytes: 0 }).toEqual({ ...before, diskBytes: 0 });
      expect(new Set((await collect(store.list())).map((each) => JSON.stringify(each)))).toEqual(listed);
      const got = await collect(store.getMany(blocks.map((block) => block.blockId)));
      expect(got).toEqual(
        blocks.map((block, index) => (index % 6 === 0 || (index > 0 && index < 4) ? block : null)),
      );
      const [again] = await store.put([makeBlock(5, 300)]);
      expect(again?.generation).toBe((locations[5]?.generation as number) + 1);
    });

    it('finds damage that nobody asked for, once, and is content after a put', async () => {
      const blocks = Array.from({ length: 20 }, (_, index) => makeBlock(index, 400));
      const locations = await store.put(blocks);
      await store.delete(locations[0] as BlockLocation);
      const [bad] = [blocks[7] as StoredBlock];
      await subject.damage(bad.blockId);
      const copies = subject.copies ?? 1;
      const report = await store.scrub();
      expect(report).toMatchObject({
        checkedBlocks: 19 * copies,
        damaged: [bad.blockId],
        damagedCount: copies,
        unreadable: 0,
        stoppedBy: null,
      });
      expect(report.checkedBytes).toBeGreaterThanOrEqual(19 * 400 * (subject.takes ?? copies));
      expect(await store.has([bad.blockId])).toEqual([false]);
      expect((await store.usage()).quarantinedRecords).toBe(1);
      expect(await store.scrub()).toMatchObject({ checkedBlocks: 18 * copies, damagedCount: 0 });
      await store.put([bad]);
      expect(await store.scrub()).toMatchObject({ checkedBlocks: 19 * copies, damaged: [] });
      expect((await store.scrub({ signal: AbortSignal.abort() })).stoppedBy).toBe('aborted');
    });

    it('keeps blocks, deletes and generations over a reopen', async (context) => {
      if (subject.reopen === null) return context.skip('nothing outlives this store');
      const [kept, gone] = [makeBlock(1, 300), makeBlock(2, 300)];
      const [, location] = await store.put([kept, gone]);
      await store.delete(location as { blockId: BlockId; generation: number });
      const usage = await store.usage();
      const reopened = await subject.reopen();
      expect(await reopened.usage()).toEqual(usage);
      expect(Buffer.compare((await reopened.get(kept.blockId))?.payload as Uint8Array, kept.payload)).toBe(0);
      expect(await reopened.get(gone.blockId)).toBeNull();
      const [again] = await reopened.put([gone]);
      expect(again?.generation).toBe((location?.generation as number) + 1);
    });

    it('is healthy until closed, and refuses work after', async () => {
      await store.checkHealth();
      await store.close();
      await store.close();
      await expect(store.checkHealth()).rejects.toMatchObject({ code: 'unavailable' });
      await expect(store.put([makeBlock(1, 1)])).rejects.toMatchObject({ code: 'unavailable' });
      await expect(store.get(makeBlock(1, 1).blockId)).rejects.toMatchObject({ code: 'unavailable' });
      await expect(store.compact()).rejects.toMatchObject({ code: 'unavailable' });
      await expect(store.scrub()).rejects.toMatchObject({ code: 'unavailable' });
    });
  });
}
