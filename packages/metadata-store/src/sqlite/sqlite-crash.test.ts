import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdtemp, open, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createSystemEnvironment } from '@cairn/environment';
import { type EntryId, isCairnError } from '@cairn/model';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  addAccount,
  append,
  blockId,
  chunk,
  file,
  folder,
  id,
  journalRow,
  NEW_BLOCKS,
  ROOT,
  SPACE,
  USER,
  version,
} from '../contract-fixture.ts';
import type { MetadataStore } from '../metadata-store.ts';
import { openSqliteMetadataStore } from './open-store.ts';
import { openDatabase } from './sqlite.ts';

const CHILD = fileURLToPath(new URL('../testing/kill-child.ts', import.meta.url));

let folderPath: string;
let path: string;
beforeEach(async () => {
  folderPath = await mkdtemp(join(tmpdir(), 'cairn-crash-'));
  path = join(folderPath, 'metadata.db');
});
afterEach(() => rm(folderPath, { recursive: true, force: true }));
const openStore = (): Promise<MetadataStore> =>
  openSqliteMetadataStore({ path, environment: createSystemEnvironment() });

/** Lets the child commit for a while, kills it with SIGKILL, and returns the last number that it acknowledged. */
async function commitUntilKilled(count: number, atOnce: number): Promise<number> {
  const child = spawn(process.execPath, [CHILD, path, `${atOnce}`], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  let lines = 0;
  const exited = once(child, 'exit');
  for await (const piece of child.stdout) {
    text += piece;
    lines += String(piece).split('\n').length - 1;
    if (lines >= count && !child.killed) child.kill('SIGKILL');
  }
  const [, signal] = await exited;
  expect(signal).toBe('SIGKILL');
  return Number(text.slice(0, text.lastIndexOf('\n')).split('\n').at(-1));
}

describe('a server killed while it commits', () => {
  it.each([
    ['one after the other', 1],
    ['eight at once', 8],
  ])('has every acknowledged transaction afterwards, and no half of one: %s', async (_name, atOnce) => {
    for (const count of [1, 17, 60]) {
      const acknowledged = await commitUntilKilled(count, atOnce);
      expect(acknowledged).toBeGreaterThanOrEqual(count);
      const store = await openStore();
      await store.read(async (reader) => {
        const space = await reader.getSpace(SPACE);
        const last = space?.sequence as number;
        // As many as are under way at once may have become durable just before the kill.
        expect(last).toBeGreaterThanOrEqual(acknowledged);
        expect(last).toBeLessThanOrEqual(acknowledged + atOnce);
        expect(await reader.getValue(id('count'))).toBe(`${last}`);
        expect((await reader.readJournal(SPACE, 0, 10_000)).map((row) => row.sequence)).toEqual(
          Array.from({ length: last }, (_, index) => index + 1),
        );
        const { entries, versions } = await reader.countAll();
        expect([entries, versions]).toEqual([last + 1, last]);
      });
      await store.close();
    }
  });
});

describe('a database that cannot be used', () => {
  async function fill(): Promise<void> {
    const store = await openStore();
    await store.transact(async (transaction) => {
      await addAccount(transaction, 'user', SPACE);
      await transaction.insertEntries(Array.from({ length: 2000 }, (_, index) => folder(`n${index}`)));
    });
    await store.close();
  }
  async function failure(): Promise<unknown> {
    return await openStore().then(
      async (store) => {
        await store.close();
        return null;
      },
      (error: unknown) => error,
    );
  }

  it.each([
    ['is garbage', 0, 20_000],
    ['has damaged pages', 4096 * 30, 4096 * 40],
  ])('is refused when it %s, and stays as it was', async (_name, start, end) => {
    await fill();
    const handle = await open(path, 'r+');
    await handle.write(Buffer.alloc(end - start, 0x5a), 0, end - start, start);
    await handle.close();
    await copyFile(path, `${path}.copy`);
    expect(await failure()).toSatisfy((error) => isCairnError(error, 'data-damaged'));
    expect((await stat(path)).size).toBe((await stat(`${path}.copy`)).size);
  });

  it('is refused when a newer program wrote it, or another one', async () => {
    await fill();
    const database = openDatabase(path, { readOnly: false, busyTimeoutMs: 0 });
    database.exec('PRAGMA user_version = 99');
    expect(await failure()).toSatisfy(
      (error) => isCairnError(error, 'unavailable') && /newer/.test(error.message),
    );
    database.exec('PRAGMA user_version = 1; PRAGMA application_id = 7');
    expect(await failure()).toSatisfy((error) => isCairnError(error, 'data-damaged'));
    database.close();
  });

  it('says that the disk is full, changes nothing, and goes on when there is room', async () => {
    await fill();
    const limited = await openSqliteMetadataStore({
      path,
      environment: createSystemEnvironment(),
      maxPages: 200,
    });
    const attempt = limited.transact((transaction) =>
      transaction.insertEntries(Array.from({ length: 20_000 }, (_, index) => folder(`m${index}`))),
    );
    await expect(attempt).rejects.toSatisfy((error) => isCairnError(error, 'storage-full'));
    expect((await limited.read((reader) => reader.countAll())).entries).toBe(2001);
    await limited.transact((transaction) => transaction.setValue('small', 'fits'));
    await limited.close();
  });
});

describe('many files', () => {
  it('20,000 of them are committed in batches of 1000', async () => {
    const store = await openStore();
    await store.transact((transaction) => addAccount(transaction, 'user', SPACE));
    for (let batch = 0; batch < 20; batch++) {
      const numbers = Array.from({ length: 1000 }, (_, index) => batch * 1000 + index + 1);
      const parent = `p${batch}`;
      await store.transact(async (transaction) => {
        const ids = numbers.map(blockId);
        await transaction.insertBlocks(numbers.map(chunk), NEW_BLOCKS);
        await transaction.leaseBlocks(USER, ids, 100);
        expect((await transaction.canReach(USER, ids, 1)).every(Boolean)).toBe(true);
        await transaction.addReferences(SPACE, ids);
        await transaction.insertEntries([folder(parent, ROOT)]);
        await transaction.insertEntries(numbers.map((n) => file(`f${n}`, id<EntryId>(parent))));
        await transaction.insertVersions(numbers.map((n) => version(`f${n}`, { sequence: n })));
        await append(
          transaction,
          numbers.map((n) => journalRow(n)),
        );
      });
    }
    expect(await store.read((reader) => reader.canReach(USER, [blockId(1), blockId(20_000)], 1))).toEqual([
      true,
      true,
    ]);
    await store.close();
  });
});
