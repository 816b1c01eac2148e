import { expect, describe as group, it } from 'vitest';
import {
  addAccount,
  blockId,
  chunk,
  id,
  manifestBlockId,
  NEW_BLOCKS,
  SPACE,
  USER,
} from './contract-fixture.ts';
import type { MetadataStore } from './metadata-store.ts';
import type { BlockRecord } from './records.ts';

const manifest: BlockRecord = {
  ...chunk(9),
  blockId: manifestBlockId(9),
  kind: 'manifest',
  depth: 1,
  coveredBytes: 20,
  parts: [{ block: blockId(1), sizeBytes: 20 }],
};
const BLOCK_COUNT = 5;
const at = (now: number) => ({ now, touchedBefore: now });
const writing = (number: number, generation: number) => ({ blockId: blockId(number), generation });
const swept = (number: number, generation: number, deletedAt: number) => ({
  ...writing(number, generation),
  storedBytes: 9,
  deletedAt,
  reclaimedAt: null,
});

/** The part of the contract about blocks that go: condemned, swept, reclaimed and forgotten. */
export function describeCollection(store: () => MetadataStore): void {
  /** The chunks 1 to 4 and a manifest block, made at 1: 1 leased until 100, 2 referenced. */
  async function fill(): Promise<void> {
    await store().transact(async (transaction) => {
      await addAccount(transaction, 'other', id('otherspace'));
      await transaction.insertBlocks([1, 2, 3, 4].map(chunk), NEW_BLOCKS);
      await transaction.insertBlocks([manifest], NEW_BLOCKS);
      await transaction.leaseBlocks(USER, [blockId(1)], 100);
      await transaction.addReferences(SPACE, [blockId(2), blockId(2)]);
    });
  }

  async function unused(now: number, touchedBefore = now): Promise<string[]> {
    const found: string[] = [];
    for (let after: number | null = 0; after !== null; ) {
      const from: number = after;
      const page = await store().read((reader) => reader.pageUnused({ now, touchedBefore }, from, 2));
      found.push(...page.blocks.map((block) => block.blockId));
      after = page.next;
    }
    return found;
  }

  const condemn = (numbers: readonly number[], now: number) =>
    store().transact((transaction) =>
      transaction.condemnBlocks(
        numbers.map((number) => writing(number, 1)),
        at(now),
      ),
    );
  const sweep = (now: number, condemnedBefore = now) =>
    store().transact((transaction) => transaction.sweepCondemned({ now, condemnedBefore, limit: 10 }));
  const known = (...numbers: number[]) =>
    store()
      .read((reader) => reader.getBlocks(numbers.map(blockId)))
      .then((records) => records.map((record) => record !== undefined));

  group('blocks that go', () => {
    it('finds blocks that nothing uses, some at a time', async () => {
      await fill();
      expect(await unused(99)).toEqual([blockId(3), blockId(4), manifestBlockId(9)]);
      expect(await unused(100)).toEqual([blockId(1), blockId(3), blockId(4), manifestBlockId(9)]);
      expect(await unused(99, 0)).toEqual([]);
      const page = await store().read((reader) => reader.pageUnused(at(99), 0, BLOCK_COUNT + 1));
      expect(page).toMatchObject({ next: null, blocks: [{ storedBytes: 9 }, {}, {}] });
    });

    it('releases references as often as they were added, and tells which are gone', async () => {
      await fill();
      const release = (numbers: number[], now: number) =>
        store().transact((transaction) => transaction.releaseReferences(SPACE, numbers.map(blockId), now));
      const held = () => store().read((reader) => reader.hasReferences(SPACE, [blockId(2)]));
      expect(await release([2], 50)).toEqual([]);
      expect(await held()).toEqual([true]);
      await expect(release([2, 2], 50)).rejects.toMatchObject({ rules: ['block_reference_exists'] });
      await expect(release([2, 3], 50)).rejects.toMatchObject({ rules: ['block_reference_exists'] });
      expect(await release([2], 60)).toEqual([blockId(2)]);
      expect(await held()).toEqual([false]);
      // It was made long ago, and is unused since the release.
      expect(await unused(70, 59)).not.toContain(blockId(2));
      expect(await unused(70, 60)).toContain(blockId(2));
    });

    it('keeps what another space references, or this one again', async () => {
      await fill();
      await store().transact(async (transaction) => {
        await transaction.addReferences(id('otherspace'), [blockId(2)]);
        expect(await transaction.releaseReferences(SPACE, [blockId(2), blockId(2)], 50)).toEqual([
          blockId(2),
        ]);
      });
      expect(await unused(99)).not.toContain(blockId(2));
      await store().transact(async (transaction) => {
        await transaction.addReferences(SPACE, [blockId(2)]);
        await transaction.releaseReferences(id('otherspace'), [blockId(2)], 60);
      });
      expect(await unused(99)).not.toContain(blockId(2));
    });

    it('condemns what is unused at that moment, once', async () => {
      await fill();
      expect(await condemn([1, 2, 3, 7], 99)).toEqual([blockId(3)]);
      expect(await condemn([1, 3], 100)).toEqual([blockId(1)]);
      expect(await unused(200)).toEqual([blockId(4), manifestBlockId(9)]);
      expect(
        await store().transact((transaction) =>
          transaction.condemnBlocks([writing(4, 1)], { now: 200, touchedBefore: 0 }),
        ),
      ).toEqual([]);
    });

    it('gives a condemned block to nobody, until it is stored again', async () => {
      await fill();
      await condemn([1], 100);
      const rules = ['condemned_blocks_are_out_of_use'];
      await expect(
        store().transact((transaction) => transaction.leaseBlocks(USER, [blockId(1)], 300)),
      ).rejects.toMatchObject({ rules });
      await expect(
        store().transact((transaction) => transaction.addReferences(SPACE, [blockId(1)])),
      ).rejects.toMatchObject({ rules });
      expect(await store().read((reader) => reader.canReach(USER, [blockId(1)], 0))).toEqual([false]);
      await store().transact(async (transaction) => {
        expect(await transaction.insertBlocks([chunk(1)], NEW_BLOCKS)).toEqual(new Map());
        await transaction.leaseBlocks(USER, [blockId(1)], 300);
      });
      expect(await sweep(200)).toEqual([]);
      expect(await known(1)).toEqual([true]);
    });

    it('sweeps what was condemned long enough, oldest first', async () => {
      await fill();
      await condemn([3], 50);
      await condemn([4], 60);
      expect(await sweep(70, 49)).toEqual([]);
      expect(
        await store().transact((transaction) =>
          transaction.sweepCondemned({ now: 70, condemnedBefore: 70, limit: 1 }),
        ),
      ).toEqual([swept(3, 1, 70)]);
      expect(await known(3, 4)).toEqual([false, true]);
      expect(await sweep(80)).toEqual([swept(4, 1, 80)]);
      expect(await store().read((reader) => reader.listUnreclaimed(10))).toEqual([
        swept(3, 1, 70),
        swept(4, 1, 80),
      ]);
    });

    it('refuses a block whose delete may be on its way, and inserts nothing then', async () => {
      await fill();
      await condemn([3], 50);
      await sweep(60);
      const insert = (generation: number) =>
        store().transact((transaction) =>
          transaction.insertBlocks([chunk(5), chunk(3)], {
            generations: new Map([[blockId(3), generation]]),
            prunings: 0,
          }),
        );
      expect(await insert(0)).toEqual(new Map([[blockId(3), 1]]));
      expect(await insert(1)).toEqual(new Map([[blockId(3), 1]]));
      expect(await known(3, 5)).toEqual([false, false]);
      // Whether it was deleted by now makes no difference.
      await store().transact((transaction) => transaction.markReclaimed([writing(3, 1)], 70));
      expect(await insert(1)).toEqual(new Map([[blockId(3), 1]]));
      expect(await insert(2)).toEqual(new Map());
      expect(await known(3, 5)).toEqual([true, true]);
    });

    it('keeps the highest generation of a block that goes again', async () => {
      await fill();
      await condemn([3], 50);
      await sweep(60);
      await store().transact(async (transaction) => {
        await transaction.markReclaimed([writing(3, 1)], 70);
        await transaction.insertBlocks([chunk(3)], { generations: new Map([[blockId(3), 5]]), prunings: 0 });
        await transaction.condemnBlocks([writing(3, 5)], at(80));
        expect(await transaction.sweepCondemned({ now: 90, condemnedBefore: 80, limit: 5 })).toHaveLength(1);
        await transaction.markReclaimed([writing(3, 1)], 95);
        expect(await transaction.getTombstones([blockId(3), blockId(4)])).toEqual([
          swept(3, 5, 90),
          undefined,
        ]);
      });
    });

    it('forgets tombstones some time after, and asks those who put before to put again', async () => {
      await fill();
      await condemn([3, 4], 50);
      await sweep(60);
      const prune = (before: number, limit = 10) =>
        store().transact((transaction) => transaction.pruneTombstones(before, limit));
      expect(await prune(1000)).toBe(0);
      expect(await store().read((reader) => reader.countPrunings())).toBe(0);
      await store().transact((transaction) => transaction.markReclaimed([writing(3, 1), writing(4, 1)], 70));
      expect(await prune(69)).toBe(0);
      expect(await prune(70, 1)).toBe(1);
      expect(await store().read((reader) => reader.readGenerationFloor())).toBeGreaterThan(0);
      expect(await prune(70)).toBe(1);
      expect(await store().read((reader) => reader.countPrunings())).toBe(2);
      await store().transact(async (transaction) => {
        const generations = new Map([[blockId(3), 1]]);
        expect(await transaction.insertBlocks([chunk(3)], { generations, prunings: 1 })).toEqual(
          new Map([[blockId(3), 0]]),
        );
        expect(await transaction.insertBlocks([chunk(3)], { generations, prunings: 2 })).toEqual(new Map());
      });
    });

    it('tells orphans: what no row and no delete to come accounts for', async () => {
      await fill();
      await condemn([3, 4], 50);
      await sweep(60);
      await store().transact((transaction) => transaction.markReclaimed([writing(4, 1)], 70));
      expect(
        await store().read((reader) =>
          reader.areOrphans([writing(1, 9), writing(3, 1), writing(3, 2), writing(4, 1), writing(8, 1)]),
        ),
      ).toEqual([false, false, true, true, true]);
    });

    it('sweeps orphans that still have no row, in the generation that was seen first', async () => {
      await fill();
      const note = (number: number, generation: number, now: number) =>
        store().transact((transaction) =>
          transaction.noteOrphans([{ ...writing(number, generation), storedBytes: 9 }], now),
        );
      expect(await note(7, 1, 50)).toEqual([blockId(7)]);
      expect(await note(7, 1, 60)).toEqual([]);
      expect(await note(8, 1, 50)).toEqual([blockId(8)]);
      expect(await note(8, 2, 60)).toEqual([blockId(8)]);
      expect(await note(1, 1, 50)).toEqual([blockId(1)]);
      const look = (seenBefore: number) =>
        store().transact((transaction) => transaction.sweepOrphans({ now: 70, seenBefore, limit: 10 }));
      expect(await look(50)).toEqual({ swept: [swept(7, 1, 70)], looked: 2 });
      expect(await look(59)).toEqual({ swept: [], looked: 0 });
      expect(await look(60)).toEqual({ swept: [swept(8, 2, 70)], looked: 1 });
      expect(await known(1)).toEqual([true]);
    });

    it('counts what is in each state', async () => {
      await fill();
      await condemn([3], 50);
      await sweep(60);
      await condemn([4], 70);
      await store().transact((transaction) =>
        transaction.noteOrphans([{ ...writing(7, 1), storedBytes: 5 }], 80),
      );
      const count = (condemnedBefore: number, seenBefore: number) =>
        store().read((reader) => reader.countGarbage({ condemnedBefore, seenBefore }));
      const [none, one] = [
        { blocks: 0, storedBytes: 0 },
        { blocks: 1, storedBytes: 9 },
      ];
      expect(await count(69, 79)).toEqual({
        condemned: one,
        sweepable: none,
        unreclaimed: one,
        orphans: { blocks: 1, storedBytes: 5 },
        sweepableOrphans: none,
      });
      expect(await count(70, 80)).toMatchObject({
        sweepable: one,
        sweepableOrphans: { blocks: 1, storedBytes: 5 },
      });
    });

    it('lists all references, some at a time', async () => {
      await fill();
      await store().transact(async (transaction) => {
        await transaction.addReferences(id('otherspace'), [blockId(2), manifestBlockId(9)]);
      });
      const first = await store().read((reader) => reader.pageReferences(null, 1));
      const rest = await store().read((reader) => reader.pageReferences(first.next, 5));
      const row = { kind: 'chunk', condemned: false };
      expect([...first.references, ...rest.references]).toEqual([
        { ...row, spaceId: id('otherspace'), blockId: blockId(2) },
        { ...row, spaceId: SPACE, blockId: blockId(2) },
        { ...row, spaceId: id('otherspace'), blockId: manifestBlockId(9), kind: 'manifest' },
      ]);
      expect(rest.next).toBeNull();
    });

    it('removes what is over, some at a time', async () => {
      await fill();
      await store().transact(async (transaction) => {
        await transaction.leaseBlocks(USER, [blockId(3), blockId(4)], 100);
        expect(await transaction.deleteExpired(99, 10)).toBe(0);
        expect(await transaction.deleteExpired(100, 2)).toBe(2);
        expect(await transaction.deleteExpired(100, 2)).toBe(1);
      });
    });
  });

  group('leases of jobs', () => {
    it('gives a job to one holder at a time, each with a higher token', async () => {
      const take = (holder: string, now: number, expiresAt: number) =>
        store().transact((transaction) => transaction.takeJobLease('job', holder, now, expiresAt));
      expect(await take('a', 10, 20)).toBe(1);
      expect(await take('b', 19, 30)).toBeNull();
      expect(await take('a', 15, 40)).toBe(1);
      expect(await take('b', 39, 50)).toBeNull();
      expect(await take('b', 40, 50)).toBe(2);
      expect(await take('a', 45, 60)).toBeNull();
      // Its own, after it was over: somebody else may have had it.
      expect(await take('b', 55, 60)).toBe(3);
      await store().transact(async (transaction) => {
        await transaction.releaseJobLease('job', 'a', 3);
        await transaction.releaseJobLease('job', 'b', 2);
        expect(await transaction.takeJobLease('job', 'a', 56, 70)).toBeNull();
        await transaction.releaseJobLease('job', 'b', 3);
        expect(await transaction.takeJobLease('job', 'a', 56, 70)).toBe(4);
        expect(await transaction.takeJobLease('another', 'b', 56, 70)).toBe(1);
      });
    });
  });
}
