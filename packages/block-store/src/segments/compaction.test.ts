import { copyFile, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BlockStore } from '../block-store.ts';
import { collect, makeBlock } from '../testing/blocks.ts';
import {
  blockOf,
  type Expected,
  findDifferences,
  openCompactableStore,
  SMALL_SEGMENTS,
} from '../testing/compactable-store.ts';
import { createFaultyFiles, type FaultyFiles } from '../testing/faulty-files.ts';
import {
  damagePayload,
  dumpIndex,
  findRecord,
  flipBit,
  makeStoreDirectory,
  openTestStore,
  removeStoreDirectory,
  segmentPaths,
} from '../testing/segment-store.ts';
import { nodeSegmentFiles } from './segment-files.ts';
import { Database } from './sqlite.ts';

let directory: string;
let files: FaultyFiles;
let store: BlockStore;
let expected: Expected;
beforeEach(async () => {
  directory = await makeStoreDirectory();
  files = createFaultyFiles(nodeSegmentFiles);
  ({ store, expected } = await openCompactableStore(directory, { files }));
});
afterEach(async () => {
  files.onAction = () => null;
  await store.close();
  await removeStoreDirectory(directory);
});

async function diskBytes(): Promise<number> {
  let total = 0;
  for (const path of await segmentPaths(directory)) total += (await stat(path)).size;
  return total;
}

async function reopen(withoutIndex: boolean): Promise<void> {
  await store.close();
  if (withoutIndex) await rm(join(directory, 'index.sqlite'));
  store = await openTestStore(directory, { ...SMALL_SEGMENTS, files });
}

/** The live blocks of an index, apart from where they are. */
function liveOf(dump: unknown): unknown {
  const { blocks } = dump as { blocks: Record<string, unknown>[] };
  return blocks.map(({ block_id, generation, state, stored_bytes }) => [
    Buffer.from(block_id as Uint8Array).toString('hex'),
    generation,
    state,
    stored_bytes,
  ]);
}

describe('compaction', () => {
  it('frees what is not needed, keeps blocks and generations, over reopens and without an index', async () => {
    const before = await diskBytes();
    const report = await store.compact();
    expect(report).toMatchObject({ skippedDamaged: 0, stoppedBy: null });
    expect(report.segmentsRewritten).toBeGreaterThan(1);
    expect(report.segmentsRemoved).toBeGreaterThan(0);
    const after = await diskBytes();
    expect(after).toBeLessThan(before * 0.7);
    expect((await store.usage()).diskBytes).toBe(after);
    expect(await findDifferences(store, expected)).toEqual([]);
    await reopen(false);
    expect(await findDifferences(store, expected)).toEqual([]);
    expect((await store.usage()).diskBytes).toBe(after);
    await store.close();
    const index = dumpIndex(directory);
    await rm(join(directory, 'index.sqlite'));
    store = await openTestStore(directory, SMALL_SEGMENTS);
    expect(await findDifferences(store, expected)).toEqual([]);
    await store.close();
    expect(dumpIndex(directory)).toEqual(index);
    store = await openTestStore(directory, SMALL_SEGMENTS);
    // Deleted blocks are remembered by their tombstones, which went along.
    const [again] = await store.put([blockOf(30)]);
    expect(again?.generation).toBe((expected.get(30)?.generation as number) + 1);
  });

  it('leaves alone what has less garbage than asked, the segment that is written, and a store without any', async () => {
    const paths = await segmentPaths(directory);
    expect(await store.compact({ minGarbageRatio: 1.01 })).toMatchObject({ freedBytes: 0, movedBytes: 0 });
    expect(await segmentPaths(directory)).toEqual(paths);
    await store.compact({ minGarbageRatio: 0 });
    expect(await segmentPaths(directory)).toContain(paths[paths.length - 1]);
    expect(await findDifferences(store, expected)).toEqual([]);
    const second = await store.compact({ minGarbageRatio: 0 });
    expect(second.freedBytes).toBeLessThan(5000);
  });

  it('runs once at a time, and ends when its caller or the end of the store wants it', async () => {
    const running = store.compact();
    await expect(store.compact()).rejects.toMatchObject({ code: 'already-running' });
    expect((await running).stoppedBy).toBeNull();
    ({ store, expected } = await (async () => {
      await store.close();
      await removeStoreDirectory(directory);
      directory = await makeStoreDirectory();
      return openCompactableStore(directory, { files });
    })());
    expect((await store.compact({ signal: AbortSignal.abort() })).stoppedBy).toBe('aborted');
    const slow = store.compact({ bytesPerSecond: 10 });
    await store.close();
    expect((await slow).stoppedBy).toBe('aborted');
    store = await openTestStore(directory, { ...SMALL_SEGMENTS, files });
    expect(await findDifferences(store, expected)).toEqual([]);
  });

  it('never disturbs readers, and removes no file that one has open', async () => {
    const open = new Map<string, number>();
    const removedWhileOpen: string[] = [];
    const watched = {
      ...files,
      async open(path: string, mode: 'create' | 'append' | 'read') {
        const file = await files.open(path, mode);
        open.set(path, (open.get(path) ?? 0) + 1);
        return {
          ...file,
          async read(into: Uint8Array, position: number) {
            await new Promise((resolve) => setImmediate(resolve));
            return file.read(into, position);
          },
          async close() {
            open.set(path, (open.get(path) as number) - 1);
            await file.close();
          },
        };
      },
      async remove(path: string) {
        if ((open.get(path) ?? 0) > 0) removedWhileOpen.push(path);
        await files.remove(path);
      },
    };
    await store.close();
    store = await openTestStore(directory, { ...SMALL_SEGMENTS, files: watched });
    const live = [...expected].filter(([, each]) => each.isLive).map(([seed]) => blockOf(seed));
    let over = false;
    const read = async (ids: typeof live) => {
      let rounds = 0;
      for (; !over || rounds < 2; rounds++) {
        const got = await collect(store.getMany(ids.map((block) => block.blockId)));
        expect(got.map((block) => block?.blockId)).toEqual(ids.map((block) => block.blockId));
        for (const block of ids.slice(0, 3))
          expect((await store.get(block.blockId))?.payload).toEqual(block.payload);
      }
      return rounds;
    };
    const readers = [read(live), read([...live].reverse()), read(live.slice(5)), read(live.slice(9))];
    let freedBytes = 0;
    for (let round = 0; round < 6; round++) {
      freedBytes += (await store.compact({ minGarbageRatio: 0.2 })).freedBytes;
      const extra = await store.put(Array.from({ length: 40 }, (_, at) => makeBlock(1000 + at, 300)));
      for (const location of extra) await store.delete(location);
    }
    over = true;
    await Promise.all(readers);
    expect(freedBytes).toBeGreaterThan(40_000);
    expect(removedWhileOpen).toEqual([]);
    expect(await findDifferences(store, expected)).toEqual([]);
  });

  it('removes a segment while a reader waits for its turn, who then finds its block where it is now', async () => {
    const removed = Promise.withResolvers<void>();
    const waiting: Promise<unknown>[] = [];
    let isCopied = false;
    const live = [...expected].flatMap(([seed, { isLive }]) => (isLive ? [seed] : []));
    const get = (seed: number) => store.get(blockOf(seed).blockId);
    const watched = {
      ...files,
      async open(path: string, mode: 'create' | 'append' | 'read') {
        const file = await files.open(path, mode);
        return {
          ...file,
          async read(into: Uint8Array, position: number) {
            if (isCopied) await removed.promise;
            return file.read(into, position);
          },
        };
      },
      async remove(path: string) {
        await files.remove(path);
        removed.resolve();
      },
    };
    await store.close();
    store = await openTestStore(directory, { ...SMALL_SEGMENTS, files: watched });
    files.onAction = (action) => {
      if (action !== 'write' || isCopied) return null;
      isCopied = true;
      // Of the newest segment, which stays: all turns to read are taken until the first one is gone.
      for (let turn = 0; turn < 100; turn++) waiting.push(get(26));
      waiting.push(...live.map(get));
      return null;
    };
    await store.compact({ minGarbageRatio: 0.2 });
    files.onAction = () => null;
    const got = await Promise.all(waiting);
    expect(got.slice(100)).toMatchObject(live.map((seed) => ({ blockId: blockOf(seed).blockId })));
    expect(await findDifferences(store, expected)).toEqual([]);
  }, 30_000);

  it.each([
    ['while a copy is on its way', ['write', 'datasync']],
    ['between the read and the write of a copy', ['read']],
  ] as const)('gives way to deletes and puts that come %s', async (_, actions) => {
    const live: { seed: number; path: string }[] = [];
    for (const [seed, { isLive }] of expected)
      if (isLive) live.push({ seed, path: (await findRecord(directory, blockOf(seed).blockId)).path });
    const work: Promise<unknown>[] = [];
    files.onAction = (action, path) => {
      if (!path.includes('segments') || !(actions as readonly string[]).includes(action)) return null;
      const at = action === 'read' ? live.findIndex((each) => each.path === path) : 0;
      const seed = live[at]?.seed;
      if (at < 0 || seed === undefined) return null;
      live.splice(at, 1);
      const block = blockOf(seed);
      const { generation } = expected.get(seed) as { generation: number };
      const isWrittenAgain = work.length % 2 === 0;
      expected.set(seed, { generation: generation + (isWrittenAgain ? 1 : 0), isLive: isWrittenAgain });
      if (isWrittenAgain) work.push(store.put([block], new Map([[block.blockId, generation]])));
      else {
        const deleting = store.delete({ blockId: block.blockId, generation });
        work.push(deleting.then((hit) => expect(hit).toBe(true)));
      }
      return null;
    };
    await store.compact({ minGarbageRatio: 0 });
    files.onAction = () => null;
    await Promise.all(work);
    expect(work.length).toBeGreaterThan(3);
    expect(await findDifferences(store, expected)).toEqual([]);
    await store.compact({ minGarbageRatio: 0 });
    expect(await findDifferences(store, expected)).toEqual([]);
    for (const withoutIndex of [false, true]) {
      await reopen(withoutIndex);
      expect(await findDifferences(store, expected)).toEqual([]);
    }
  });
});

describe('compaction and damage', () => {
  it('keeps the file of a record that is damaged and nowhere else, until its block is put again', async () => {
    const bad = blockOf(9);
    const { path, offset } = await findRecord(directory, bad.blockId);
    await flipBit(path, offset + 90);
    const report = await store.compact({ minGarbageRatio: 0 });
    expect(report.skippedDamaged).toBe(1);
    expect(await segmentPaths(directory)).toContain(path);
    await expect(store.get(bad.blockId)).rejects.toMatchObject({ code: 'data-damaged' });
    expect(await findDifferences(store, expected)).toEqual([
      expect.stringContaining('9: CairnError'),
      expect.stringContaining('9 has generation undefined'),
      expect.stringContaining('listed'),
      expect.stringContaining('counted'),
    ]);
    expect((await store.usage()).quarantinedRecords).toBe(1);
    // Known damage is not read or copied around again.
    expect(await store.compact({ minGarbageRatio: 0 })).toMatchObject({ skippedDamaged: 1 });
    const [again] = await store.put([bad]);
    expected.set(9, { generation: again?.generation as number, isLive: true });
    expect(await store.compact({ minGarbageRatio: 0 })).toMatchObject({ skippedDamaged: 0 });
    expect(await segmentPaths(directory)).not.toContain(path);
    expect((await store.usage()).quarantinedRecords).toBe(0);
    for (const withoutIndex of [false, true]) {
      await reopen(withoutIndex);
      expect(await findDifferences(store, expected)).toEqual([]);
      expect((await store.usage()).quarantinedRecords).toBe(0);
    }
  });

  it('lets go of a damaged record whose block was deleted', async () => {
    const bad = blockOf(9);
    await damagePayload(directory, bad.blockId);
    await expect(store.get(bad.blockId)).rejects.toMatchObject({ code: 'data-damaged' });
    const { generation } = expected.get(9) as { generation: number };
    await store.delete({ blockId: bad.blockId, generation });
    expected.set(9, { generation, isLive: false });
    expect(await store.compact({ minGarbageRatio: 0 })).toMatchObject({ skippedDamaged: 0 });
    expect((await store.usage()).quarantinedRecords).toBe(0);
    await reopen(true);
    expect(await findDifferences(store, expected)).toEqual([]);
  });

  it('is not undone by an index from before it', async () => {
    await store.close();
    const index = join(directory, 'index.sqlite');
    await copyFile(index, `${index}.before`);
    const before = liveOf(dumpIndex(directory));
    store = await openTestStore(directory, SMALL_SEGMENTS);
    await store.compact({ minGarbageRatio: 0.1 });
    await store.close();
    expect((await readdir(directory)).includes('index.sqlite-wal')).toBe(false);
    await copyFile(`${index}.before`, index);
    store = await openTestStore(directory, SMALL_SEGMENTS);
    expect(await findDifferences(store, expected)).toEqual([]);
    await store.close();
    const { segments } = dumpIndex(directory) as { segments: unknown[] };
    expect(segments.length).toBe((await segmentPaths(directory)).length);
    expect(liveOf(dumpIndex(directory))).toEqual(before);
    store = await openTestStore(directory, SMALL_SEGMENTS);
  });
});

describe('an index of the first schema', () => {
  it('is brought to the present one', async () => {
    await store.close();
    const before = dumpIndex(directory);
    const database = new Database(join(directory, 'index.sqlite'));
    database.exec(`DROP INDEX blocks_by_place; ALTER TABLE segments DROP COLUMN last_verified_at;
      ALTER TABLE segments DROP COLUMN deleted_records; PRAGMA user_version = 1;`);
    database.close();
    store = await openTestStore(directory, SMALL_SEGMENTS);
    expect(await findDifferences(store, expected)).toEqual([]);
    await store.close();
    expect(dumpIndex(directory)).toEqual(before);
    store = await openTestStore(directory, SMALL_SEGMENTS);
    expect((await store.compact()).freedBytes).toBeGreaterThan(0);
    expect(await findDifferences(store, expected)).toEqual([]);
  });
});
