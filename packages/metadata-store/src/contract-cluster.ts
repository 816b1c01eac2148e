import { expect, describe as group, it } from 'vitest';
import type { JoinTokenRecord, StorageNodeRecord } from './cluster-port.ts';
import { blockId, chunk, NEW_BLOCKS } from './contract-fixture.ts';
import type { MetadataStore } from './metadata-store.ts';

const node = (nodeId: string, changes: Partial<StorageNodeRecord> = {}): StorageNodeRecord => ({
  nodeId,
  address: '127.0.0.1:9001',
  zone: 'a',
  weight: 1.5,
  state: 'active',
  sealedKey: Uint8Array.of(1, 2, 3),
  storeUuid: null,
  bootCount: 0,
  joinedAt: 5,
  ...changes,
});
const token: JoinTokenRecord = {
  tokenId: 'token',
  sealedSecret: Uint8Array.of(9),
  createdAt: 1,
  expiresAt: 10,
};

/** The part of the contract about storage nodes. */
export function describeCluster(store: () => MetadataStore): void {
  group('storage nodes', () => {
    it('are listed in the order in which they joined, and change in part', async () => {
      await store().transact(async (transaction) => {
        await transaction.insertStorageNode(node('b', { joinedAt: 7 }));
        await transaction.insertStorageNode(node('c'));
        await transaction.updateStorageNode('c', { state: 'draining', storeUuid: 's', bootCount: 3 });
        await transaction.updateStorageNode('b', { address: 'other:1', zone: '', weight: 2 });
      });
      await store().read(async (reader) => {
        expect(await reader.listStorageNodes()).toEqual([
          node('c', { state: 'draining', storeUuid: 's', bootCount: 3 }),
          node('b', { joinedAt: 7, address: 'other:1', zone: '', weight: 2 }),
        ]);
        expect(await reader.getStorageNode('none')).toBeUndefined();
      });
      await store().transact((transaction) => transaction.deleteStorageNode('c'));
      expect(await store().read((reader) => reader.getStorageNode('c'))).toBeUndefined();
      expect((await store().read((reader) => reader.getStorageNode('b')))?.weight).toBe(2);
    });

    it('that are removed make those who put before put again', async () => {
      await store().transact((transaction) => transaction.insertStorageNode(node('gone')));
      const prunings = await store().read((reader) => reader.countPrunings());
      await store().transact((transaction) => transaction.deleteStorageNode('gone'));
      const generations = new Map([[blockId(3), 1]]);
      const insert = (count: number) =>
        store().transact((transaction) =>
          transaction.insertBlocks([chunk(3)], { generations, prunings: count }),
        );
      expect(await insert(prunings)).toEqual(new Map([[blockId(3), 0]]));
      expect(await insert(prunings + 1)).toEqual(new Map());
    });

    it('cannot be in an impossible state', async () => {
      const attempts: ((store: MetadataStore) => Promise<void>)[] = [
        (each) => each.transact((transaction) => transaction.insertStorageNode(node('x', { weight: 0 }))),
        (each) => each.transact((transaction) => transaction.insertStorageNode(node('x', { address: '' }))),
        (each) => each.transact((transaction) => transaction.updateStorageNode('none', { weight: 1 })),
        (each) => each.transact((transaction) => transaction.deleteStorageNode('none')),
      ];
      for (const attempt of attempts) await expect(attempt(store())).rejects.toThrow();
    });

    it('hold every block there is, told in pages', async () => {
      await store().transact((transaction) => transaction.insertBlocks([1, 2, 3].map(chunk), NEW_BLOCKS));
      await store().read(async (reader) => {
        const first = await reader.pageBlockIds(0, 2);
        const second = await reader.pageBlockIds(first.next as number, 2);
        expect([...first.blockIds, ...second.blockIds].sort()).toEqual([1, 2, 3].map(blockId).sort());
        expect(second.next).toBeNull();
      });
    });

    it('join with tokens that work once and end', async () => {
      await store().transact((transaction) => transaction.insertJoinToken(token));
      expect(await store().read((reader) => reader.getJoinToken('token'))).toEqual(token);
      await store().transact((transaction) => transaction.deleteOldJoinTokens(9));
      expect(await store().transact((transaction) => transaction.deleteJoinToken('token'))).toBe(true);
      expect(await store().transact((transaction) => transaction.deleteJoinToken('token'))).toBe(false);
      await store().transact((transaction) => transaction.insertJoinToken(token));
      await store().transact((transaction) => transaction.deleteOldJoinTokens(10));
      expect(await store().read((reader) => reader.getJoinToken('token'))).toBeUndefined();
    });
  });
}
