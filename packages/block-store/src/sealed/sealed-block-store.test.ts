import { cpSync } from 'node:fs';
import { copyFile, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createNodePlatform, encodeBlock, openBlock, type StoredBlock } from '@cairn/content';
import { createSystemEnvironment } from '@cairn/environment';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { describeBlockStore } from '../contract.ts';
import {
  parseRecordHeader,
  parseSegmentFileName,
  payloadChecksum,
  RECORD_HEADER_BYTES,
  writeRecordHeader,
} from '../segments/record-format.ts';
import { nodeSegmentFiles } from '../segments/segment-files.ts';
import { collect, makeBlock } from '../testing/blocks.ts';
import { findDifferences, openCompactableStore, SMALL_SEGMENTS } from '../testing/compactable-store.ts';
import { createFaultyFiles } from '../testing/faulty-files.ts';
import {
  damagePayload,
  findRecord,
  makeStoreDirectory,
  openTestStore,
  removeStoreDirectory,
} from '../testing/segment-store.ts';
import type { Sealing } from './sealing.ts';
import { openStoreKeys, type StoreKey } from './store-keys.ts';

const FIRST: StoreKey = { current: Buffer.alloc(32, 1) };
const SECOND: StoreKey = { current: Buffer.alloc(32, 2) };
const KEY_FILES = ['store.keys', 'store.keys.copy'] as const;

async function sealingOf(directory: string, key: StoreKey): Promise<Sealing> {
  const place = {
    directory,
    segmentsDirectory: join(directory, 'segments'),
    files: nodeSegmentFiles,
    environment: createSystemEnvironment(),
  };
  return (await openStoreKeys(place, key)) as Sealing;
}

for (const [name, settings] of [
  ['sealed segments', {}],
  ['sealed tiny segments', { maxSegmentBytes: 1500 }],
] as const) {
  describeBlockStore(name, async () => {
    const directory = await makeStoreDirectory();
    let store = await openTestStore(directory, { ...settings, key: FIRST });
    return {
      store,
      async reopen() {
        await store.close();
        store = await openTestStore(directory, { ...settings, key: FIRST });
        return store;
      },
      damage: async (blockId) => {
        await damagePayload(directory, (await sealingOf(directory, FIRST)).blind(blockId));
      },
      async dispose() {
        await store.close();
        await removeStoreDirectory(directory);
      },
    };
  });
}

let directory: string;
beforeEach(async () => {
  directory = await makeStoreDirectory();
});
afterEach(() => removeStoreDirectory(directory));

/** All that is on the disk, but for who had the lock last. */
async function readDisk(): Promise<Map<string, Buffer>> {
  const contents = new Map<string, Buffer>();
  for (const item of await readdir(directory, { recursive: true, withFileTypes: true })) {
    if (!item.isFile() || item.name.startsWith('lock.')) continue;
    const path = join(item.parentPath, item.name);
    contents.set(path.slice(directory.length), await readFile(path));
  }
  return contents;
}

/** What of the blocks can be seen on the disk. */
async function findTraces(blocks: readonly StoredBlock[]): Promise<string[]> {
  const traces: string[] = [];
  for (const [path, bytes] of await readDisk()) {
    for (const { blockId, payload } of blocks) {
      // A few bytes of a digest are enough to recognise it.
      const digest = blockId.slice(2, 18);
      if (bytes.includes(Buffer.from(digest, 'hex')) || bytes.includes(digest)) traces.push(`${path}: id`);
      if (bytes.includes(payload.subarray(0, 16))) traces.push(`${path}: contents`);
    }
  }
  return traces;
}

async function makeHistory(key: StoreKey | undefined): Promise<StoredBlock[]> {
  const blocks = Array.from({ length: 60 }, (_, seed) =>
    makeBlock(seed, 300, seed % 7 ? 'chunk' : 'manifest'),
  );
  const store = await openTestStore(directory, { ...SMALL_SEGMENTS, ...(key === undefined ? {} : { key }) });
  const locations = await store.put(blocks);
  for (const location of locations.slice(0, 40)) await store.delete(location);
  await store.compact({ minGarbageRatio: 0.1 });
  await store.close();
  return blocks;
}

describe('a stolen disk', () => {
  it('shows neither contents nor ids, dead or alive, in segments, index or anywhere', async () => {
    const blocks = await makeHistory(FIRST);
    expect(await findTraces(blocks)).toEqual([]);
    await rm(join(directory, 'index.sqlite'));
    const store = await openTestStore(directory, { ...SMALL_SEGMENTS, key: FIRST });
    expect(new Set((await collect(store.list())).map((each) => each.blockId))).toEqual(
      new Set(blocks.slice(40).map((block) => block.blockId)),
    );
    await store.close();
    expect(await findTraces(blocks)).toEqual([]);
    const bytes = Buffer.concat([...(await readDisk()).values()]);
    expect(bytes.includes(FIRST.current)).toBe(false);
    expect(bytes.includes(Buffer.from(FIRST.current).toString('hex'))).toBe(false);
  });

  it('shows them without a key, so that this test would notice', async () => {
    const traces = await findTraces(await makeHistory(undefined));
    expect(traces.some((each) => each.includes('index.sqlite: id'))).toBe(true);
    expect(traces.some((each) => each.includes('.segment: id'))).toBe(true);
    expect(traces.some((each) => each.includes('.segment: contents'))).toBe(true);
  });
});

describe('a sealed store', () => {
  it('keeps everything over compaction, reopens and a lost index', async () => {
    const { store, expected } = await openCompactableStore(directory, { key: FIRST });
    expect((await store.compact()).freedBytes).toBeGreaterThan(0);
    expect(await findDifferences(store, expected)).toEqual([]);
    await store.close();
    for (const withoutIndex of [false, true]) {
      if (withoutIndex) await rm(join(directory, 'index.sqlite'));
      const again = await openTestStore(directory, { ...SMALL_SEGMENTS, key: FIRST });
      expect(await findDifferences(again, expected)).toEqual([]);
      await again.close();
    }
  });

  it('names blocks as its callers do when they are damaged, and hands plain blocks to who verifies them', async () => {
    const platform = createNodePlatform();
    const verify = (block: StoredBlock) => {
      try {
        openBlock(platform, block);
        return true;
      } catch {
        return false;
      }
    };
    const store = await openTestStore(directory, { key: FIRST, verify });
    const good = encodeBlock(platform, 'chunk', Buffer.from('good '.repeat(100)));
    const bad = encodeBlock(platform, 'chunk', Buffer.from('bad '.repeat(100)));
    const wrong = { ...good, blockId: makeBlock(1, 1).blockId };
    await store.put([good, bad, wrong]);
    await damagePayload(directory, (await sealingOf(directory, FIRST)).blind(bad.blockId));
    expect(new Set((await store.scrub()).damaged)).toEqual(new Set([bad.blockId, wrong.blockId]));
    await expect(store.get(bad.blockId)).rejects.toMatchObject({
      code: 'data-damaged',
      message: expect.stringContaining(bad.blockId),
      details: { blockId: bad.blockId },
    });
    await expect(collect(store.getMany([good.blockId, bad.blockId]))).rejects.toMatchObject({
      details: { blockId: bad.blockId },
    });
    await store.put([bad]);
    expect(Buffer.compare((await store.get(bad.blockId))?.payload as Uint8Array, bad.payload)).toBe(0);
    await store.close();
  });

  it('gives out nothing of a record that was changed with its checksums, or that is another block', async () => {
    const [first, second] = [makeBlock(1, 200), makeBlock(2, 200)];
    const store = await openTestStore(directory, { key: FIRST });
    await store.put([first, second]);
    const { blind } = await sealingOf(directory, FIRST);
    const source = await findRecord(directory, blind(second.blockId));
    const target = await findRecord(directory, blind(first.blockId));
    const bytes = await readFile(target.path);
    const name = parseSegmentFileName(target.path.split('/').pop() as string);
    const uuid = Buffer.from(name?.segmentUuid as string, 'hex');
    const header = parseRecordHeader(bytes, target.offset, uuid, target.offset);
    const payload = bytes.subarray(
      source.offset + RECORD_HEADER_BYTES,
      source.offset + RECORD_HEADER_BYTES + 235,
    );
    payload.copy(bytes, target.offset + RECORD_HEADER_BYTES);
    const forged = { ...(header as NonNullable<typeof header>), payloadChecksum: payloadChecksum(payload) };
    writeRecordHeader(bytes, target.offset, forged, uuid, target.offset);
    await writeFile(target.path, bytes);
    await expect(store.get(first.blockId)).rejects.toMatchObject({
      code: 'data-damaged',
      details: { blockId: first.blockId, problem: 'seal' },
    });
    expect((await store.get(second.blockId))?.payload).toEqual(second.payload);
    await store.put([first]);
    expect((await store.get(first.blockId))?.payload).toEqual(first.payload);
    await store.close();
  });
});

describe('keys', () => {
  const open = (key: StoreKey | undefined) =>
    openTestStore(directory, { ...SMALL_SEGMENTS, ...(key === undefined ? {} : { key }) });

  async function expectRefused(key: StoreKey | undefined, code: string): Promise<void> {
    const before = await readDisk();
    await expect(open(key)).rejects.toMatchObject({
      code,
      message: expect.stringContaining('nothing was changed'),
    });
    expect(await readDisk()).toEqual(before);
  }

  async function expectWhole(key: StoreKey, blocks: readonly StoredBlock[]): Promise<void> {
    const store = await open(key);
    const ids = blocks.slice(40).map((block) => block.blockId);
    const got = await collect(store.getMany(ids));
    expect(got).toEqual(blocks.slice(40));
    expect(await store.has(blocks.slice(0, 40).map((block) => block.blockId))).not.toContain(true);
    expect((await store.usage()).quarantinedRecords).toBe(0);
    await store.close();
  }

  it('are asked for, and a wrong one changes nothing', async () => {
    const blocks = await makeHistory(FIRST);
    await expectRefused(undefined, 'not-configured');
    await expectRefused(SECOND, 'wrong-credentials');
    await expect(open({ current: Buffer.alloc(16) })).rejects.toThrow(RangeError);
    await expectWhole(FIRST, blocks);
  });

  it('cannot be given to a store that began without one, and the other way round', async () => {
    await makeHistory(undefined);
    await expectRefused(FIRST, 'not-configured');
    await (await open(undefined)).close();
    await removeStoreDirectory(directory);
    directory = await makeStoreDirectory();
    await (await open(FIRST)).close();
    await expectRefused(undefined, 'not-configured');
  });

  it('change without a change of what is stored, and the old one is of no use any more', async () => {
    const blocks = await makeHistory(FIRST);
    const segments = async () =>
      [...(await readDisk())].filter(([path]) => path.endsWith('.segment')).map(([, bytes]) => bytes);
    const before = await segments();
    await expectWhole({ ...SECOND, previous: [Buffer.alloc(32, 9), FIRST.current] }, blocks);
    expect(await segments()).toEqual(before);
    await expectRefused(FIRST, 'wrong-credentials');
    await expectWhole(SECOND, blocks);
    expect(await findTraces(blocks)).toEqual([]);
  });

  it('survive a kill at any moment of a change', async () => {
    const blocks = await makeHistory(FIRST);
    const both = { ...SECOND, previous: [FIRST.current] };
    const copies: string[] = [];
    const parent = await makeStoreDirectory();
    const files = createFaultyFiles(nodeSegmentFiles);
    files.onAction = () => {
      const copy = join(parent, String(copies.length));
      cpSync(directory, copy, { recursive: true });
      copies.push(copy);
      return null;
    };
    const original = directory;
    await (await openTestStore(directory, { ...SMALL_SEGMENTS, files, key: both })).close();
    expect(copies.length).toBeGreaterThan(8);
    for (const copy of copies) {
      directory = copy;
      await expectWhole(both, blocks);
      await expectWhole(SECOND, blocks);
    }
    directory = original;
    await removeStoreDirectory(parent);
  });

  it('are in two files, each of which mends the other; without both the store stays as it is', async () => {
    const blocks = await makeHistory(FIRST);
    const [first, second] = KEY_FILES.map((name) => join(directory, name)) as [string, string];
    for (const path of [first, second]) {
      await rm(path);
      await expectWhole(FIRST, blocks);
      await writeFile(path, 'rot');
      await expectWhole(FIRST, blocks);
      expect(JSON.parse(await readFile(path, 'utf8'))).toMatchObject({ format: 1 });
    }
    for (const path of [first, second]) await rename(path, `${path}.away`);
    await expectRefused(FIRST, 'not-configured');
    await expectRefused(undefined, 'not-configured');
    await copyFile(`${second}.away`, second);
    await expectWhole(FIRST, blocks);
  });

  it('of another store are refused', async () => {
    await makeHistory(FIRST);
    const elsewhere = await makeStoreDirectory();
    await (await openTestStore(elsewhere, { key: FIRST })).close();
    for (const name of KEY_FILES) await copyFile(join(elsewhere, name), join(directory, name));
    await removeStoreDirectory(elsewhere);
    await expectRefused(FIRST, 'not-configured');
  });
});
