import type { StoredBlock } from '@cairn/content';
import type { BlockId } from '@cairn/model';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { BlockLocation, BlockStore } from '../block-store.ts';
import { createMemoryBlockStore } from '../memory/memory-block-store.ts';
import { collect, makeBlock } from '../testing/blocks.ts';
import { createMovingBlockStore } from './moving-block-store.ts';

const BLOCKS = [1, 2, 3, 4].map((seed) => makeBlock(seed, 50));
const IDS = BLOCKS.map(({ blockId }) => blockId);
const indexes = fc.subarray([0, 1, 2, 3], { minLength: 1 });

/** What may happen to the two places of a move. */
const step = fc.oneof(
  fc.record({ kind: fc.constant('put' as const), indexes }),
  fc.record({ kind: fc.constant('above' as const), indexes, extra: fc.nat(3) }),
  fc.record({
    kind: fc.constant('delete' as const),
    index: fc.nat(3),
    offset: fc.integer({ min: -2, max: 1 }),
  }),
  fc.record({ kind: fc.constant('copy' as const), indexes }),
  // What a put from before the move leaves, or an earlier time in that place.
  fc.record({
    kind: fc.constant('old' as const),
    index: fc.nat(3),
    generation: fc.integer({ min: 1, max: 6 }),
  }),
  fc.record({ kind: fc.constant('turn' as const) }),
);

test('two places are as one store, whatever is written, deleted, copied and turned round', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      let [from, to]: BlockStore[] = [createMemoryBlockStore(), createMemoryBlockStore()] as const;
      const open = () =>
        createMovingBlockStore({ from: from as BlockStore, to: to as BlockStore, verify: () => true });
      let store = open();
      const present = new Set<number>();
      /** The highest generation that each place ever gave a block; it gives none twice. */
      const given = new Map([from, to].map((place) => [place, new Map<BlockId, number>()]));
      const noteGiven = async () => {
        for (const [place, highest] of given)
          for (const location of await (place as BlockStore).locate(IDS))
            if (location !== null)
              highest.set(
                location.blockId,
                Math.max(highest.get(location.blockId) ?? 0, location.generation),
              );
      };
      /** A place that has given a generation to what was deleted since gives a higher one to what comes. */
      const nextIn = (place: BlockStore, blockId: BlockId) => (given.get(place)?.get(blockId) ?? 0) + 1;
      const generationOf = async (index: number) =>
        (await store.locate([IDS[index] as BlockId]))[0]?.generation ?? 0;
      for (const each of steps) {
        if (each.kind === 'turn') {
          [from, to] = [to, from];
          store = open();
        } else if (each.kind === 'put' || each.kind === 'above') {
          const before = await Promise.all(each.indexes.map(generationOf));
          const held = await (to as BlockStore).has(each.indexes.map((index) => IDS[index] as BlockId));
          const above = new Map<BlockId, number>(
            each.kind === 'put'
              ? []
              : each.indexes.map((index, at) => [IDS[index] as BlockId, (before[at] ?? 0) + each.extra]),
          );
          const written = await store.put(
            each.indexes.map((index) => BLOCKS[index] as StoredBlock),
            above,
          );
          for (const [at, { blockId, generation }] of written.entries()) {
            expect(generation).toBeGreaterThan(above.get(blockId) ?? 0);
            // What is there already keeps its generation, unless it is to be above it.
            if (each.kind === 'put' && before[at] !== 0)
              expect(generation).toBe(
                held[at] ? before[at] : Math.max(before[at] ?? 0, nextIn(to as BlockStore, blockId)),
              );
            // It is in the new place, so that the old one may go at any moment; a delete of anything lower misses it.
            expect(await (to as BlockStore).locate([blockId])).toMatchObject([{ generation }]);
            expect(await store.delete({ blockId, generation: generation - 1 })).toBe(false);
          }
          for (const index of each.indexes) present.add(index);
        } else if (each.kind === 'delete') {
          const generation = await generationOf(each.index);
          const blockId = IDS[each.index] as BlockId;
          const hit = await store.delete({ blockId, generation: generation + each.offset });
          expect(hit).toBe(present.has(each.index) && each.offset === 0);
          if (hit) present.delete(each.index);
        } else if (each.kind === 'copy') {
          const ids = each.indexes.map((index) => IDS[index] as BlockId);
          const before = await store.locate(ids);
          const found = await (from as BlockStore).locate(ids);
          const held = await (to as BlockStore).locate(ids);
          const moved = BLOCKS.filter(({ blockId }) =>
            found.some((location) => location?.blockId === blockId),
          );
          const floors = new Map(
            found.flatMap((at) => (at === null ? [] : [[at.blockId, at.generation - 1]])),
          );
          if (moved.length > 0) await (to as BlockStore).put(moved, floors);
          // A copy keeps the generation, unless the new place has given as high a one to what was deleted since.
          const isCopied = before.map((_, at) => found[at] !== null && held[at] === null);
          expect(await store.locate(ids)).toEqual(
            before.map((location, at) =>
              location === null || isCopied[at] === false
                ? location
                : {
                    ...location,
                    generation: Math.max(location.generation, nextIn(to as BlockStore, location.blockId)),
                  },
            ),
          );
        } else if (!present.has(each.index)) {
          const block = BLOCKS[each.index] as StoredBlock;
          await (from as BlockStore).put([block], new Map([[block.blockId, each.generation - 1]]));
          present.add(each.index);
        }
        await noteGiven();
        expect(await store.has(IDS)).toEqual([0, 1, 2, 3].map((index) => present.has(index)));
        const wanted = BLOCKS.map((block, index) => (present.has(index) ? block : null));
        expect(await collect(store.getMany(IDS))).toEqual(wanted);
        const listed = (await collect(store.list())).map((location: BlockLocation) => location.blockId);
        expect(listed.sort()).toEqual([...present].map((index) => IDS[index]).sort());
        expect(await store.locate(listed)).toEqual(expect.arrayContaining(await collect(store.list())));
      }
    }),
    {
      numRuns: 150,
      examples: [
        // The new place gave a generation to what was deleted there before the old place got the same one.
        [
          [
            { kind: 'above', indexes: [2, 3], extra: 0 },
            { kind: 'delete', index: 2, offset: 0 },
            { kind: 'old', index: 2, generation: 1 },
            { kind: 'put', indexes: [2, 3] },
          ],
        ],
      ],
    },
  );
});
