import { expect, describe as group, it } from 'vitest';
import { blockId, chunk, NEW_BLOCKS } from './contract-fixture.ts';
import type { BlockLocationRecord, BlockMoveRecord } from './location-port.ts';
import type { MetadataStore } from './metadata-store.ts';

const folder = { placeId: 'a', setting: 'file:/a' };
const nodes = { placeId: 'b', setting: 'nodes:' };
const move: BlockMoveRecord = {
  target: nodes,
  phase: 'copying',
  isReturn: false,
  leavesDamaged: true,
  bytesPerSecond: 5,
  startedAt: 1,
  position: 2,
  checkedBlocks: 3,
  copiedBlocks: 4,
  copiedBytes: 5,
  badBlocks: 6,
};
const location: BlockLocationRecord = {
  serverId: 's',
  place: folder,
  previous: null,
  movedAt: null,
  leftBlocks: 0,
  move: null,
};

/** The part of the contract about where blocks are. */
export function describeLocation(store: () => MetadataStore): void {
  const set = (record: BlockLocationRecord) =>
    store().transact((transaction) => transaction.setBlockLocation(record));
  const get = () => store().read((reader) => reader.getBlockLocation());

  group('the place of blocks', () => {
    it('is not known at first, is kept with a move to another one, and changes as a whole', async () => {
      expect(await get()).toBeUndefined();
      const steps: BlockLocationRecord[] = [
        location,
        { ...location, move },
        { ...location, move: { ...move, phase: 'held', isReturn: true, bytesPerSecond: null } },
        { ...location, place: nodes, previous: folder, movedAt: 7, leftBlocks: 2 },
      ];
      for (const step of steps) {
        await set(step);
        expect(await get()).toEqual(step);
      }
    });

    it('cannot be in an impossible state', async () => {
      await set(location);
      const attempts: BlockLocationRecord[] = [
        { ...location, move: { ...move, target: folder } },
        { ...location, previous: nodes },
        { ...location, previous: folder, movedAt: 1 },
        { ...location, place: { ...folder, setting: '' } },
        { ...location, move: { ...move, position: -1 } },
        { ...location, move: { ...move, bytesPerSecond: 0 } },
      ];
      for (const attempt of attempts) await expect(set(attempt)).rejects.toThrow();
      expect(await get()).toEqual(location);
    });

    it('makes those put again who put before it changed', async () => {
      const before = await store().read((reader) => reader.countPrunings());
      await store().transact((transaction) => transaction.refuseEarlierPuts());
      await store().transact(async (transaction) => {
        const put = { ...NEW_BLOCKS, prunings: before };
        expect(await transaction.insertBlocks([chunk(1)], put)).toEqual(new Map([[blockId(1), 0]]));
        expect((await transaction.getBlocks([blockId(1)]))[0]).toBeUndefined();
        const again = { ...NEW_BLOCKS, prunings: await transaction.countPrunings() };
        expect(await transaction.insertBlocks([chunk(1)], again)).toEqual(new Map());
      });
    });
  });
}
