import { copyFile, readFile, rename, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { StoredBlock } from '@cairn/content';
import { createSystemEnvironment } from '@cairn/environment';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { collect, makeBlock } from '../testing/blocks.ts';
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
import { RECORD_HEADER_BYTES, recordBytes } from './record-format.ts';
import { rebuildSegmentIndex } from './segment-block-store.ts';

let directory: string;
beforeEach(async () => {
  directory = await makeStoreDirectory();
});
afterEach(() => removeStoreDirectory(directory));

const [first, second, third] = [makeBlock(1, 60), makeBlock(2, 70), makeBlock(3, 80)];

/**
 * A folder as a crash leaves it: `second` is in the segment and the index does not know it yet. Returns the
 * segment's bytes with it, and where it begins.
 */
async function crashBeforeIndex(): Promise<{ path: string; bytes: Buffer; from: number }> {
  const store = await openTestStore(directory);
  await store.put([first]);
  await store.close();
  const [path] = (await segmentPaths(directory)) as [string];
  const from = (await stat(path)).size;
  for (const name of ['index.sqlite'])
    await copyFile(join(directory, name), join(directory, `${name}.before`));
  const again = await openTestStore(directory);
  await again.put([second]);
  await again.close();
  await rename(join(directory, 'index.sqlite.before'), join(directory, 'index.sqlite'));
  return { path, bytes: await readFile(path), from };
}

async function keepIndex(run: () => Promise<void>): Promise<void> {
  const saved = await readFile(join(directory, 'index.sqlite'));
  await run();
  await writeFile(join(directory, 'index.sqlite'), saved);
}

describe('after the watermark', () => {
  it('takes in whole records that the index does not know', async () => {
    await crashBeforeIndex();
    const store = await openTestStore(directory);
    expect((await store.get(second.blockId))?.payload).toEqual(second.payload);
    expect((await store.usage()).quarantinedRecords).toBe(0);
    await store.close();
  });

  it('cuts a torn tail at every byte of the last record, and goes on writing there', async () => {
    const { path, bytes, from } = await crashBeforeIndex();
    for (let length = from; length < bytes.length; length++) {
      await keepIndex(async () => {
        await writeFile(path, bytes.subarray(0, length));
        const store = await openTestStore(directory);
        expect(await store.get(second.blockId)).toBeNull();
        expect((await stat(path)).size).toBe(from);
        expect((await store.get(first.blockId))?.payload).toEqual(first.payload);
        if (length % 20 === 0) {
          await store.put([third]);
          expect((await store.get(third.blockId))?.payload).toEqual(third.payload);
        }
        expect((await store.usage()).quarantinedRecords).toBe(0);
        await store.close();
      });
    }
  });

  it('cuts a tail of zeros and one of noise', async () => {
    const { path, bytes, from } = await crashBeforeIndex();
    for (const tail of [Buffer.alloc(5000), Buffer.from(makeBlock(9, 5000).payload)]) {
      await keepIndex(async () => {
        await writeFile(path, Buffer.concat([bytes.subarray(0, from), tail]));
        const store = await openTestStore(directory);
        expect((await stat(path)).size).toBe(from);
        expect(await store.usage()).toMatchObject({ blocks: 1, quarantinedRecords: 0, diskBytes: from });
        await store.close();
      });
    }
  });

  it('takes no record whose header or payload has any bit wrong', async () => {
    const { path, bytes, from } = await crashBeforeIndex();
    for (let offset = from; offset < bytes.length; offset += offset < from + RECORD_HEADER_BYTES ? 1 : 7) {
      await keepIndex(async () => {
        await writeFile(path, bytes);
        await flipBit(path, offset, offset % 8);
        const store = await openTestStore(directory);
        expect(await store.get(second.blockId)).toBeNull();
        await store.close();
      });
    }
  });

  it('never drops an intact record that follows a damaged one', async () => {
    const { path, bytes, from } = await crashBeforeIndex();
    await keepIndex(async () => {
      const store = await openTestStore(directory);
      await store.put([third]);
      await store.close();
    });
    await flipBit(path, from + 3);
    const store = await openTestStore(directory);
    expect((await store.get(third.blockId))?.payload).toEqual(third.payload);
    expect((await store.usage()).quarantinedRecords).toBe(1);
    expect((await stat(path)).size).toBe(bytes.length + recordBytes(80));
    await store.close();
  });

  it('rejects a record that was copied to another place or another segment', async () => {
    const { path, bytes, from } = await crashBeforeIndex();
    const record = bytes.subarray(from);
    await keepIndex(async () => {
      await writeFile(path, Buffer.concat([bytes.subarray(0, from), Buffer.alloc(1), record]));
      const store = await openTestStore(directory);
      expect(await store.get(second.blockId)).toBeNull();
      expect((await stat(path)).size).toBe(from);
      await store.close();
    });
    const elsewhere = await makeStoreDirectory();
    const other = await openTestStore(elsewhere);
    await other.put([first]);
    await other.close();
    const [otherPath] = (await segmentPaths(elsewhere)) as [string];
    await writeFile(otherPath, Buffer.concat([await readFile(otherPath), record]));
    const reopened = await openTestStore(elsewhere);
    expect(await reopened.has([first.blockId, second.blockId])).toEqual([true, false]);
    await reopened.close();
    await removeStoreDirectory(elsewhere);
  });
});

describe('before the watermark', () => {
  it('quarantines a record with any wrong bit of its header, keeps the bytes, and heals by a put', async () => {
    for (const delta of [0, 5, 10, 45, 53, 60, 73, 78, 82]) {
      const store = await openTestStore(directory);
      const block = makeBlock(100 + delta, 200);
      const [location] = await store.put([block, makeBlock(200 + delta, 50)]);
      const { path, offset } = await findRecord(directory, block.blockId);
      await flipBit(path, offset + delta);
      const sizeBytes = (await stat(path)).size;
      await expect(store.get(block.blockId)).rejects.toMatchObject({ code: 'data-damaged' });
      await store.close();
      expect((await stat(path)).size).toBe(sizeBytes);
      const reopened = await openTestStore(directory);
      await expect(reopened.get(block.blockId)).rejects.toMatchObject({ code: 'data-damaged' });
      const [again] = await reopened.put([block]);
      expect(again?.generation).toBe((location?.generation as number) + 1);
      expect((await reopened.get(block.blockId))?.payload).toEqual(block.payload);
      await reopened.close();
    }
  });

  it('reports the blocks of a segment that is cut short or gone as damaged, and has them again when it is back', async () => {
    const store = await openTestStore(directory, { maxSegmentBytes: 300 });
    await store.put([first, second, third]);
    await store.close();
    const [path] = (await segmentPaths(directory)) as [string];
    const bytes = await readFile(path);
    for (const spoil of [() => truncate(path, 100), () => rm(path)]) {
      await spoil();
      const spoiled = await openTestStore(directory, { maxSegmentBytes: 300 });
      await expect(spoiled.get(first.blockId)).rejects.toMatchObject({ code: 'data-damaged' });
      expect(await spoiled.has([first.blockId, third.blockId])).toEqual([false, true]);
      await spoiled.put([makeBlock(50, 10)]);
      await spoiled.close();
      await writeFile(path, bytes);
      const back = await openTestStore(directory, { maxSegmentBytes: 300 });
      expect((await back.get(first.blockId))?.payload).toEqual(first.payload);
      await back.close();
    }
  });
});

describe('the index from the segments alone', () => {
  async function makeHistory(): Promise<void> {
    const store = await openTestStore(directory, { maxSegmentBytes: 4000 });
    const blocks = Array.from({ length: 60 }, (_, index) => makeBlock(index, 100 + index * 3));
    const locations = await store.put(blocks);
    for (const location of locations.slice(10, 30)) await store.delete(location);
    await store.put(blocks.slice(10, 20));
    for (const block of blocks.slice(40, 43)) {
      await damagePayload(directory, block.blockId);
      await expect(store.get(block.blockId)).rejects.toMatchObject({ code: 'data-damaged' });
    }
    await store.put(blocks.slice(40, 41));
    await store.close();
  }

  it('is the same as the old one: blocks, deletes, generations, quarantine, counts', async () => {
    await makeHistory();
    const before = dumpIndex(directory);
    await rm(join(directory, 'index.sqlite'));
    const store = await openTestStore(directory, { maxSegmentBytes: 4000 });
    expect((await collect(store.list())).length).toBe(48);
    await store.close();
    expect(dumpIndex(directory)).toEqual(before);
    await rebuildSegmentIndex({ directory, environment: createSystemEnvironment() });
    expect(dumpIndex(directory)).toEqual(before);
  });

  it('is made again when the old one is not a database or is damaged inside', async () => {
    await makeHistory();
    const before = dumpIndex(directory);
    const bytes = await readFile(join(directory, 'index.sqlite'));
    const damagedInside = Buffer.from(bytes);
    damagedInside.fill(0xa5, 4096, 8192);
    for (const wrong of [Buffer.from('no database at all'.repeat(300)), Buffer.alloc(0), damagedInside]) {
      await writeFile(join(directory, 'index.sqlite'), wrong);
      const store = await openTestStore(directory, { maxSegmentBytes: 4000 });
      await store.close();
      expect(dumpIndex(directory)).toEqual(before);
    }
  });

  it('is made again at the next start when damage shows only while the store runs', async () => {
    const blocks = Array.from({ length: 400 }, (_, index) => makeBlock(index, 20));
    const store = await openTestStore(directory);
    await store.put(blocks);
    await store.close();
    const before = dumpIndex(directory);
    const path = join(directory, 'index.sqlite');
    const bytes = await readFile(path);
    const at = bytes.lastIndexOf(Buffer.from((blocks[200] as StoredBlock).blockId, 'hex'));
    bytes.fill(0xff, at - (at % 4096), at - (at % 4096) + 64);
    await writeFile(path, bytes);
    const wrong = await openTestStore(directory);
    const found = await Promise.allSettled(blocks.map((block) => wrong.get(block.blockId)));
    const refused = found.filter((each) => each.status === 'rejected');
    expect(refused.length).toBeGreaterThan(0);
    for (const each of refused) expect(each.reason).toMatchObject({ code: 'unavailable' });
    await wrong.close();
    await (await openTestStore(directory)).close();
    expect(dumpIndex(directory)).toEqual(before);
  });

  it('cuts nothing, since a torn tail and rot look alike without a watermark', async () => {
    const { path, bytes } = await crashBeforeIndex();
    await flipBit(path, bytes.length - 1);
    await rm(join(directory, 'index.sqlite'));
    const store = await openTestStore(directory);
    expect((await stat(path)).size).toBe(bytes.length);
    await expect(store.get(second.blockId)).rejects.toMatchObject({ code: 'data-damaged' });
    await store.put([third]);
    await store.close();
    await rm(join(directory, 'index.sqlite'));
    const again = await openTestStore(directory);
    expect((await again.get(third.blockId))?.payload).toEqual(third.payload);
    await again.close();
  });

  it('does without an intact file header', async () => {
    const store = await openTestStore(directory);
    await store.put([first]);
    await store.close();
    const [path] = (await segmentPaths(directory)) as [string];
    await flipBit(path, 20);
    await rm(join(directory, 'index.sqlite'));
    const again = await openTestStore(directory);
    expect((await again.get(first.blockId))?.payload).toEqual(first.payload);
    await again.close();
  });

  it('sets aside a segment whose creation never finished, and leaves alone one of another store', async () => {
    const store = await openTestStore(directory);
    await store.put([first]);
    await store.close();
    const elsewhere = await makeStoreDirectory();
    const other = await openTestStore(elsewhere);
    await other.put([second]);
    await other.close();
    const [foreign] = (await segmentPaths(elsewhere)) as [string];
    await copyFile(foreign, foreign.replace(elsewhere, directory).replace('00000001-', '00000007-'));
    await writeFile(join(directory, 'segments', `00000002-${'ab'.repeat(16)}.segment`), Buffer.alloc(30));
    const reopened = await openTestStore(directory);
    expect(await reopened.has([first.blockId, second.blockId])).toEqual([true, false]);
    await reopened.put([third]);
    await reopened.close();
    expect((await segmentPaths(directory)).length).toBe(2);
    await removeStoreDirectory(elsewhere);
  });
});
