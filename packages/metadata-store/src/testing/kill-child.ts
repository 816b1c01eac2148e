/**
 * The victim of the kill test: commits numbered transactions as fast as it can and prints each number once its
 * commit is acknowledged. Run as `node kill-child.ts FILE`.
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
for (let sequence = (known?.sequence ?? 0) + 1; ; sequence++) {
  await store.transact(async (transaction) => {
    await transaction.insertEntries([file(`f${sequence}`)]);
    await transaction.insertVersions([version(`f${sequence}`, { sequence })]);
    await append(transaction, [journalRow(sequence)]);
    await transaction.setValue(id('count'), `${sequence}`);
  });
  writeSync(1, `${sequence}\n`);
}
