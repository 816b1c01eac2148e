import { open, readFile, truncate } from 'node:fs/promises';
import { createNodePlatform, encodeBlock, openBlock, type StoredBlock } from '@cairn/content';
import { createSimulatedEnvironment, type SimulatedEnvironment } from '@cairn/environment';
import type { BlockId } from '@cairn/model';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BlockStore } from '../block-store.ts';
import { makeBlock } from '../testing/blocks.ts';
import { createFaultyFiles, type FaultyFiles, systemError } from '../testing/faulty-files.ts';
import {
  damagePayload,
  findRecord,
  flipBit,
  makeStoreDirectory,
  openTestStore,
  removeStoreDirectory,
  type StoreSettings,
  segmentPaths,
} from '../testing/segment-store.ts';
import { recordBytes } from './record-format.ts';
import { nodeSegmentFiles } from './segment-files.ts';

const SIZE = 300;
const blocks = Array.from({ length: 60 }, (_, seed) => makeBlock(seed, SIZE));

let directory: string;
let files: FaultyFiles;
let environment: SimulatedEnvironment;
let settings: StoreSettings;
let store: BlockStore;
beforeEach(async () => {
  directory = await makeStoreDirectory();
  files = createFaultyFiles(nodeSegmentFiles);
  environment = createSimulatedEnvironment({ seed: 1 });
  settings = { maxSegmentBytes: 4000, files, environment };
  store = await openTestStore(directory, settings);
  await store.put(blocks);
});
afterEach(async () => {
  files.onAction = () => null;
  await store.close();
  await removeStoreDirectory(directory);
});

const idOf = (seed: number) => (blocks[seed] as StoredBlock).blockId;

async function overwrite(path: string, offset: number, bytes: Uint8Array): Promise<void> {
  const file = await open(path, 'r+');
  await file.write(bytes, 0, bytes.length, offset);
  await file.close();
}

/** The segments whose files are read while `work` runs, in order. */
async function readPaths(work: () => Promise<unknown>): Promise<string[]> {
  const paths: string[] = [];
  files.onAction = (action, path) => {
    if (action === 'read' && path !== paths[paths.length - 1]) paths.push(path);
    return null;
  };
  await work();
  files.onAction = () => null;
  return paths;
}

describe('a scrub', () => {
  it('finds what is wrong in every way, quarantines only that, and is content after it was put again', async () => {
    const spoiled = new Set<number>();
    const spoil = async (seed: number, how: (path: string, offset: number) => Promise<void>) => {
      const { path, offset } = await findRecord(directory, idOf(seed));
      await how(path, offset);
      spoiled.add(seed);
    };
    await spoil(3, (path, offset) => flipBit(path, offset + 84 + 17, 3));
    await spoil(7, (path, offset) => flipBit(path, offset + 60, 1));
    await spoil(9, (path, offset) => overwrite(path, offset, new Uint8Array(recordBytes(SIZE))));
    // Zeros from the middle of one record into the next.
    await spoil(14, (path, offset) => overwrite(path, offset + 200, new Uint8Array(300)));
    spoiled.add(15);
    // A whole record of another place, and one of another segment.
    for (const [seed, from] of [
      [23, 24],
      [35, 2],
    ] as const) {
      const other = await findRecord(directory, idOf(from));
      const record = (await readFile(other.path)).subarray(other.offset, other.offset + recordBytes(SIZE));
      await spoil(seed, (path, offset) => overwrite(path, offset, record));
    }
    const [, , , , , cut] = await segmentPaths(directory);
    const inCut = [];
    for (const seed of blocks.keys()) {
      const { path, offset } = await findRecord(directory, idOf(seed)).catch(() => ({ path: '', offset: 0 }));
      if (path === cut) inCut.push({ seed, offset });
    }
    const last = inCut[inCut.length - 1] as { seed: number; offset: number };
    await spoil(last.seed, (path, offset) => truncate(path, offset + 100));

    const report = await store.scrub();
    expect(new Set(report.damaged)).toEqual(new Set([...spoiled].map(idOf)));
    expect(report).toMatchObject({
      checkedBlocks: blocks.length,
      checkedBytes: blocks.length * recordBytes(SIZE),
      damagedCount: spoiled.size,
      unreadable: 0,
      stoppedBy: null,
    });
    expect(await store.has(blocks.map((block) => block.blockId))).toEqual(
      blocks.map((_, seed) => !spoiled.has(seed)),
    );
    expect((await store.usage()).quarantinedRecords).toBe(spoiled.size);
    for (const [seed, block] of blocks.entries()) {
      if (spoiled.has(seed))
        await expect(store.get(block.blockId)).rejects.toMatchObject({ code: 'data-damaged' });
      else expect((await store.get(block.blockId))?.payload).toEqual(block.payload);
    }
    await store.put(blocks);
    expect(await store.scrub()).toMatchObject({ checkedBlocks: blocks.length, damagedCount: 0, damaged: [] });
    for (const block of blocks) expect((await store.get(block.blockId))?.payload).toEqual(block.payload);
  });

  it('asks whether the bytes are what the id says', async () => {
    const platform = createNodePlatform();
    await store.close();
    store = await openTestStore(directory, {
      ...settings,
      verify: (block) => {
        try {
          openBlock(platform, block);
          return true;
        } catch {
          return false;
        }
      },
    });
    for (const location of await Array.fromAsync(store.list())) await store.delete(location);
    const right = encodeBlock(platform, 'chunk', Buffer.from('what it says '.repeat(40)));
    const other = encodeBlock(platform, 'chunk', Buffer.from('something else'));
    // As after a fault of memory before the checksum was made: an intact record of wrong bytes.
    const wrong = { ...right, blockId: other.blockId };
    await store.put([right, wrong]);
    expect(await store.scrub()).toMatchObject({ checkedBlocks: 2, damaged: [wrong.blockId] });
    await store.put([other]);
    expect(await store.scrub()).toMatchObject({ checkedBlocks: 2, damaged: [] });
    expect(Buffer.compare((await store.get(other.blockId))?.payload ?? right.payload, other.payload)).toBe(0);
  });

  it('goes on after what cannot be read', async () => {
    const [first, second] = (await segmentPaths(directory)) as [string, string];
    let reads = 0;
    files.onAction = (action, path) => {
      if (action === 'read' && path === first) return systemError('EIO');
      // Only the large read fails, as for one bad sector among good ones.
      return action === 'read' && path === second && reads++ === 0 ? systemError('EIO') : null;
    };
    const report = await store.scrub();
    files.onAction = () => null;
    const inFirst: BlockId[] = [];
    for (const block of blocks) {
      if ((await findRecord(directory, block.blockId)).path === first) inFirst.push(block.blockId);
    }
    expect(inFirst.length).toBeGreaterThan(3);
    expect(report).toMatchObject({
      damagedCount: inFirst.length,
      unreadable: inFirst.length,
      checkedBlocks: 60,
    });
    expect(new Set(report.damaged)).toEqual(new Set(inFirst));
  });

  it('begins with what was never read, then with what was read longest ago, and goes on after an interruption', async () => {
    const paths = await segmentPaths(directory);
    expect((await store.usage()).verifiedAt).toBeNull();
    const abort = new AbortController();
    let seen = 0;
    files.onAction = (action, path) => {
      if (action === 'read' && path === paths[2] && seen++ === 0) abort.abort();
      return null;
    };
    expect(await store.scrub({ signal: abort.signal })).toMatchObject({ stoppedBy: 'aborted' });
    expect((await store.usage()).verifiedAt).toBeNull();
    await store.close();
    store = await openTestStore(directory, settings);
    await environment.advance(1000);
    // Newest first, so what is left is the beginning.
    expect(await readPaths(() => store.scrub({ olderThanMs: 5000 }))).toEqual([paths[1], paths[0]]);
    const first = (await store.usage()).verifiedAt;
    expect(first).toBe(environment.clock.now() - 1000);
    await environment.advance(4500);
    const rest = [...paths.slice(2)].reverse();
    expect(await readPaths(() => store.scrub({ olderThanMs: 5000 }))).toEqual(rest);
    expect((await store.usage()).verifiedAt).toBe(environment.clock.now() - 4500);
    await store.put([makeBlock(500, SIZE)]);
    const after = await segmentPaths(directory);
    expect(await readPaths(() => store.scrub({ olderThanMs: 5000 }))).toEqual([after[after.length - 1]]);
    await store.put([makeBlock(501, SIZE)]);
    expect(await segmentPaths(directory)).toEqual(after);
    expect(await readPaths(() => store.scrub({ olderThanMs: 5000 }))).toEqual([after[after.length - 1]]);
    expect(await readPaths(() => store.scrub({ olderThanMs: 5000 }))).toEqual([]);
    // A clock that was set back must not put a scrub off.
    await store.close();
    store = await openTestStore(directory, {
      ...settings,
      environment: createSimulatedEnvironment({ seed: 2, startAt: 5 }),
    });
    expect((await store.scrub({ olderThanMs: 5000 })).checkedBlocks).toBe(62);
  });

  it('is safe beside puts, deletes and compaction', async () => {
    let over = false;
    const scrubbing = (async () => {
      let rounds = 0;
      for (; !over || rounds < 3; rounds++) expect((await store.scrub()).damaged).toEqual([]);
      return rounds;
    })();
    for (let round = 0; round < 8; round++) {
      const extra = Array.from({ length: 30 }, (_, at) => makeBlock(1000 + at, SIZE));
      for (const location of (await store.put(extra)).slice(0, 28)) await store.delete(location);
      await store.compact({ minGarbageRatio: 0.1 });
      const rewritten = blocks.slice(round * 5, round * 5 + 3);
      for (const location of await store.locate(rewritten.map((block) => block.blockId)))
        if (location !== null) await store.delete(location);
      await store.put(rewritten);
    }
    over = true;
    expect(await scrubbing).toBeGreaterThan(2);
    for (const block of blocks) expect((await store.get(block.blockId))?.payload).toEqual(block.payload);
    expect((await store.usage()).quarantinedRecords).toBe(0);
  });

  it('runs once at a time, and ends with the store', async () => {
    const running = store.scrub();
    await expect(store.scrub()).rejects.toMatchObject({ code: 'already-running' });
    await running;
    const slow = store.scrub({ bytesPerSecond: 1 });
    await store.close();
    expect((await slow).stoppedBy).toBe('aborted');
    await expect(store.scrub()).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('does not call damaged what only lies in a file that is gone for now', async () => {
    const [path] = (await segmentPaths(directory)) as [string];
    await damagePayload(directory, idOf(20));
    await nodeSegmentFiles.rename(path, `${path}.away`);
    const report = await store.scrub();
    expect(report.damagedCount).toBeGreaterThan(3);
    expect((await store.usage()).quarantinedRecords).toBe(1);
    await nodeSegmentFiles.rename(`${path}.away`, path);
    expect((await store.scrub()).damaged).toEqual([]);
  });
});
