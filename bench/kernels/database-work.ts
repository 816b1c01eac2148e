import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { createSystemEnvironment } from '@cairn/environment';
import { type BlockRecord, openSqliteMetadataStore } from '@cairn/metadata-store';
import { type BlockId, createId, type UserId } from '@cairn/model';
import type { Defer } from '../world/cleanup.ts';
import type { Measurement } from './measure.ts';

const PER_TRANSACTION = 1000;
const TRANSACTIONS = 10;

function makeBlocks(): BlockRecord[] {
  return Array.from({ length: PER_TRANSACTION }, () => ({
    blockId: `01${randomBytes(32).toString('hex')}` as BlockId,
    kind: 'chunk',
    plainBytes: 4096,
    storedBytes: 4096,
    coveredBytes: 4096,
    depth: 0,
    parts: null,
    createdAt: 1,
  }));
}

/** The metadata store as storing a pack uses it: rows of blocks, a thousand in a durable transaction. */
export async function databaseMeasurements(folder: string, defer: Defer): Promise<Measurement[]> {
  const store = await openSqliteMetadataStore({
    path: join(folder, 'metadata.sqlite'),
    environment: createSystemEnvironment(),
  });
  defer(() => store.close());
  const userId = createId<UserId>(randomBytes(16));
  let known: BlockId[][] = [];
  let fresh: BlockRecord[][] = [];
  const amount = (PER_TRANSACTION * TRANSACTIONS) / 1000;
  return [
    {
      name: 'block rows inserted, 1000 a transaction',
      amount,
      unit: 'k',
      bar: { kind: 'rate', least: 100 },
      prepare() {
        fresh = Array.from({ length: TRANSACTIONS }, makeBlocks);
      },
      async work() {
        for (const records of fresh) {
          const generations = new Map(records.map(({ blockId }) => [blockId, 1]));
          await store.transact((transaction) =>
            transaction.insertBlocks(records, { generations, prunings: 0 }),
          );
        }
        known = fresh.map((records) => records.map(({ blockId }) => blockId));
      },
    },
    {
      name: 'block rows got by id',
      amount,
      unit: 'k',
      bar: { kind: 'rate', least: 200 },
      async work() {
        for (const ids of known) await store.read((reader) => reader.getBlocks(ids));
      },
    },
    {
      name: 'blocks looked up for an account',
      amount,
      unit: 'k',
      bar: { kind: 'rate', least: 300 },
      async work() {
        for (const ids of known) await store.read((reader) => reader.canReach(userId, ids, 1));
      },
    },
  ];
}
