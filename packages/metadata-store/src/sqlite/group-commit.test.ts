import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSystemEnvironment } from '@cairn/environment';
import { CairnError, type EntryId, isCairnError } from '@cairn/model';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { addAccount, file, folder, id, ROOT, SPACE } from '../contract-fixture.ts';
import { InvalidStateError } from '../invalid-state.ts';
import type { MetadataStore } from '../metadata-store.ts';
import { openSqliteMetadataStore } from './open-store.ts';

interface Flush {
  readonly pass: () => Promise<void>;
  readonly fail: () => void;
}

let folderPath: string;
let store: MetadataStore;
/** Flushes that were begun and wait for the test; `null` before it wants to decide. */
let flushes: Flush[] | null;
let begun: PromiseWithResolvers<void>;

beforeEach(async () => {
  folderPath = await mkdtemp(join(tmpdir(), 'cairn-group-'));
  flushes = null;
  begun = Promise.withResolvers();
  store = await openSqliteMetadataStore({
    path: join(folderPath, 'metadata.db'),
    environment: createSystemEnvironment(),
    flushLog: async (flush) => {
      if (flushes === null) return await flush();
      const decided = Promise.withResolvers<void>();
      flushes.push({
        pass: async () => decided.resolve(await flush()),
        fail: () => decided.reject(new Error('EIO')),
      });
      begun.resolve();
      begun = Promise.withResolvers();
      await decided.promise;
    },
  });
  await store.transact((transaction) => addAccount(transaction, 'user', SPACE));
  flushes = [];
});
afterEach(async () => {
  await store.close();
  await rm(folderPath, { recursive: true, force: true });
});

/** What has settled, by name, in the order it did. */
function watch() {
  const settled: string[] = [];
  return {
    settled,
    as: (name: string, work: Promise<unknown>): Promise<void> =>
      work.then(
        () => void settled.push(name),
        (error: unknown) => {
          const why = error instanceof InvalidStateError ? 'invalid' : isCairnError(error) ? error.code : '?';
          settled.push(`${name}: ${why}`);
        },
      ),
  };
}

const insert = (...ids: string[]) =>
  store.transact((transaction) => transaction.insertEntries(ids.map((name) => folder(name))));
const count = (sees: 'durable' | 'latest') =>
  store.read(async (reader) => (await reader.countAll()).entries, { sees });

/** All that the transactions have to do but the flush is done when a later one has had its turn. */
async function commitsAreDone(): Promise<void> {
  while ((await store.read((reader) => reader.getValue(id('done')), { sees: 'latest' })) === undefined);
}

describe('transactions that share a flush', () => {
  it('are acknowledged after it and not before, and so is what others saw of them', async () => {
    const { settled, as } = watch();
    const started = begun.promise;
    const first = as('first', insert('a'));
    await started;
    const others = [as('second', insert('b')), as('third', insert('c')), as('refused', insert('a'))];
    others.push(
      as(
        'last',
        store.transact((transaction) => transaction.setValue(id('done'), 'yes')),
      ),
    );
    await commitsAreDone();
    expect(await count('latest')).toBe(4);
    const reading = as('read', count('durable'));
    expect(flushes).toHaveLength(1);
    expect(settled).toEqual([]);

    const next = begun.promise;
    await flushes?.[0]?.pass();
    await first;
    await next;
    // One flush for all that were committed during the first, which may have begun before them.
    expect(flushes).toHaveLength(2);
    expect(settled).toEqual(['first']);
    await flushes?.[1]?.pass();
    await Promise.all([...others, reading]);
    expect(settled.sort()).toEqual(['first', 'last', 'read', 'refused: invalid', 'second', 'third']);
    expect(flushes).toHaveLength(2);
    expect(await count('durable')).toBe(4);
  });

  it('stand for themselves: one that throws, breaks a rule or breaks a reference takes no other with it', async () => {
    const { settled, as } = watch();
    const all = [
      as('before', insert('a')),
      as(
        'throws',
        store.transact(async (transaction) => {
          await transaction.insertEntries([folder('lost')]);
          throw new CairnError('conflict', 'no');
        }),
      ),
      as('breaks a rule', insert('b', 'b')),
      as('between', insert('c')),
      // Only the commit sees that the parent is missing.
      as(
        'breaks a reference',
        store.transact((transaction) =>
          transaction.insertEntries([folder('d', ROOT), file('e', id<EntryId>('nobody'))]),
        ),
      ),
      as('after', insert('f')),
      as(
        'last',
        store.transact((transaction) => transaction.setValue(id('done'), 'yes')),
      ),
    ];
    await commitsAreDone();
    expect(settled).toEqual([]);
    const next = begun.promise;
    await flushes?.[0]?.pass();
    await next;
    await flushes?.[1]?.pass();
    await Promise.all(all);
    expect(settled.sort()).toEqual([
      'after',
      'before',
      'between',
      'breaks a reference: invalid',
      'breaks a rule: invalid',
      'last',
      'throws: conflict',
    ]);
    const ids = ['a', 'b', 'c', 'd', 'e', 'f', 'lost'].map((name) => id<EntryId>(name));
    const found = await store.read((reader) => reader.getEntries(SPACE, ids));
    expect(found.map((entry) => entry !== undefined)).toEqual([true, false, true, false, false, true, false]);
  });

  it('all fail with a flush that fails, and the store is over: the flush is not tried again', async () => {
    const { settled, as } = watch();
    const started = begun.promise;
    const all = [as('first', insert('a'))];
    await started;
    all.push(
      as('second', insert('b')),
      as(
        'last',
        store.transact((transaction) => transaction.setValue(id('done'), 'yes')),
      ),
    );
    await commitsAreDone();
    all.push(as('read', count('durable')));
    flushes?.[0]?.fail();
    await Promise.all(all);
    expect(settled.sort()).toEqual(['first', 'last', 'read', 'second'].map((name) => `${name}: unavailable`));
    await expect(insert('c')).rejects.toMatchObject({ code: 'unavailable' });
    await expect(count('latest')).rejects.toMatchObject({ code: 'unavailable' });
    expect(flushes).toHaveLength(1);
  });
});
