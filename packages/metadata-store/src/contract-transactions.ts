import { describe, expect, it } from 'vitest';
import { folder, ROOT, SPACE } from './contract-fixture.ts';
import type { MetadataStore, MetadataTransaction } from './metadata-store.ts';

/** Part of the contract: snapshots, and transactions one at a time. */
export function describeTransactions(getStore: () => MetadataStore): void {
  const names = async (): Promise<string[]> =>
    (await getStore().read((reader) => reader.listChildren(SPACE, ROOT, null, 1000))).map(
      (entry) => entry.name,
    );

  describe('transactions', () => {
    it('shows a reader one snapshot, whatever is committed meanwhile', async () => {
      const store = getStore();
      const seen = await store.read(async (reader) => {
        const first = await reader.listChildren(SPACE, ROOT, null, 10);
        await store.transact((transaction) => transaction.insertEntries([folder('new')]));
        expect(await names()).toEqual(['new']);
        return [first, await reader.listChildren(SPACE, ROOT, null, 10)];
      });
      expect(seen).toEqual([[], []]);
    });

    it('hides a running transaction from readers, and shows it its own writes', async () => {
      const store = getStore();
      await store.transact(async (transaction) => {
        await transaction.insertEntries([folder('new')]);
        expect(await names()).toEqual([]);
        expect(await transaction.findChild(SPACE, ROOT, 'new')).toBeDefined();
      });
      expect(await names()).toEqual(['new']);
    });

    it('runs one at a time, and none is lost', async () => {
      const store = getStore();
      let running = 0;
      await Promise.all(
        Array.from({ length: 50 }, () =>
          store.transact(async (transaction) => {
            expect(++running).toBe(1);
            const count = Number((await transaction.getValue('count')) ?? '0');
            await Promise.resolve();
            await transaction.setValue('count', `${count + 1}`);
            running--;
          }),
        ),
      );
      expect(await store.read((reader) => reader.getValue('count'))).toBe('50');
    });

    it('refuses a transaction inside another one at once, and goes on', async () => {
      const store = getStore();
      const inner = async (): Promise<void> => {
        await store.transact((transaction) => transaction.setValue('inner', '1'));
      };
      await expect(store.transact(inner)).rejects.toThrow(/inside another one/);
      // From what a transaction has started, once it is over, another one may begin.
      let later: Promise<void> | undefined;
      const over = Promise.withResolvers<void>();
      await store.transact(async (transaction) => {
        await transaction.setValue('outer', '1');
        later = over.promise.then(inner);
      });
      over.resolve();
      await later;
      await store.read(async (reader) => {
        expect([await reader.getValue('outer'), await reader.getValue('inner')]).toEqual(['1', '1']);
      });
    });

    it('leaves no trace when the work throws, at once or later', async () => {
      const store = getStore();
      await expect(
        store.transact(async (transaction) => {
          await transaction.insertEntries([folder('x')]);
          throw new Error('no');
        }),
      ).rejects.toThrow('no');
      expect(await names()).toEqual([]);
      let leaked: MetadataTransaction | undefined;
      await store.transact(async (transaction) => {
        leaked = transaction;
      });
      await expect(leaked?.setValue('late', '1')).rejects.toThrow(/over/);
    });

    it('serves many readers at once and frees what a failed one held', async () => {
      const store = getStore();
      const results = await Promise.allSettled(
        Array.from({ length: 40 }, (_, index) =>
          store.read(async (reader) => {
            await Promise.resolve();
            if (index % 2 === 0) throw new Error('no');
            return await reader.countUsers();
          }),
        ),
      );
      expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(20);
      expect(await store.read((reader) => reader.countUsers())).toBe(1);
    });
  });
}
