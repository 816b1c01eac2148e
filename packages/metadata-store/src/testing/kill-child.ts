/**
 * The victim of the kill test: commits numbered transactions as fast as it can, some of them at once, and prints each
 * number once its commit is acknowledged. Run as `node kill-child.ts FILE AT-ONCE`.
 */
import { writeSync } from 'node:fs';
import { createSystemEnvironment } from '@cairn/environment';
import { addAccount, append, file, id, journalRow, SPACE, version } from '../contract-fixture.ts';
import { openSqliteMetadataStore } from '../sqlite/open-store.ts';

const store = await openSqliteMetadataStore({
  path: process.argv[2] as string,
  environment: createSystemEnvironment(),
});
const known = await store.read((reader) => reader.getSpace(SPACE));
if (known === undefined) await store.transact((transaction) => addAccount(transaction, 'user', SPACE));
let sequence = known?.sequence ?? 0;

async function commitOnAndOn(): Promise<never> {
  for (;;) {
    const mine = await store.transact(async (transaction) => {
      const next = sequence + 1;
      await transaction.insertEntries([file(`f${next}`)]);
      await transaction.insertVersions([version(`f${next}`, { sequence: next })]);
      await append(transaction, [journalRow(next)]);
      await transaction.setValue(id('count'), `${next}`);
      sequence = next;
      return next;
    });
    writeSync(1, `${mine}\n`);
  }
}

await Promise.all(Array.from({ length: Number(process.argv[3]) }, commitOnAndOn));
