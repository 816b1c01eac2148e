import { execFileSync } from 'node:child_process';
import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BlockLocation, BlockStore } from '../block-store.ts';
import { makeBlock } from '../testing/blocks.ts';
import {
  createFaultyFiles,
  type FaultyFiles,
  type FileAction,
  systemError,
} from '../testing/faulty-files.ts';
import { createPowerCut } from '../testing/power-cut.ts';
import {
  dumpIndex,
  makeStoreDirectory,
  openTestStore,
  removeStoreDirectory,
  segmentPaths,
} from '../testing/segment-store.ts';
import { nodeSegmentFiles } from './segment-files.ts';

let directory: string;
let files: FaultyFiles;
let store: BlockStore;
beforeEach(async () => {
  directory = await makeStoreDirectory();
  files = createFaultyFiles(nodeSegmentFiles);
  store = await openTestStore(directory, { files, maxSegmentBytes: 5000 });
  await store.put([makeBlock(1, 500)]);
});
afterEach(async () => {
  files.onAction = () => null;
  await store.close();
  await removeStoreDirectory(directory);
});

/** Fails the given action on segments, once or until further notice. */
function fail(action: FileAction, code: 'ENOSPC' | 'EIO', after = 0, times = Number.POSITIVE_INFINITY): void {
  let seen = 0;
  files.onAction = (asked, path) => {
    if (asked !== action || !path.includes('segments')) return null;
    seen++;
    return seen > after && seen <= after + times ? systemError(code) : null;
  };
}

describe('a full disk', () => {
  it('acknowledges nothing of the call, takes the files back, and stores again when there is space', async () => {
    const pack = Array.from({ length: 30 }, (_, index) => makeBlock(10 + index, 700));
    const before = await store.usage();
    const [firstPath] = (await segmentPaths(directory)) as [string];
    const sizeBytes = (await stat(firstPath)).size;
    for (const after of [0, 1, 2, 3, 5]) {
      fail('write', 'ENOSPC', after);
      await expect(store.put(pack)).rejects.toMatchObject({ code: 'storage-full' });
      await store.checkHealth();
      expect(await store.has(pack.map((block) => block.blockId))).toEqual(pack.map(() => false));
      expect(await store.usage()).toEqual(before);
      expect(await segmentPaths(directory)).toEqual([firstPath]);
      expect((await stat(firstPath)).size).toBe(sizeBytes);
    }
    files.onAction = () => null;
    await store.put(pack);
    for (const block of pack) expect((await store.get(block.blockId))?.payload).toEqual(block.payload);
    await store.close();
    const index = dumpIndex(directory);
    await rm(join(directory, 'index.sqlite'));
    store = await openTestStore(directory);
    await store.close();
    expect(dumpIndex(directory)).toEqual(index);
  });

  it('does not fail a small put for a large one that shared its group', async () => {
    const large = makeBlock(2, 3000);
    files.onAction = (action, path) => {
      if (action !== 'write' || !path.includes('segments')) return null;
      writes++;
      return writes <= 2 ? systemError('ENOSPC') : null;
    };
    let writes = 0;
    const [first, second] = await Promise.allSettled([store.put([large]), store.put([makeBlock(3, 10)])]);
    expect([first.status, second.status]).toEqual(['rejected', 'fulfilled']);
  });
});

describe('a dying disk', () => {
  for (const action of ['write', 'datasync'] as const) {
    it(`stops for good when ${action} fails, still reads, and is sound after a restart`, async () => {
      fail(action, 'EIO', 0, 1);
      await expect(store.put([makeBlock(2, 500)])).rejects.toMatchObject({ code: 'unavailable' });
      expect(await store.has([makeBlock(2, 500).blockId])).toEqual([false]);
      // The next flush would succeed, and that is exactly what must not be believed.
      await expect(store.put([makeBlock(2, 500)])).rejects.toMatchObject({ code: 'unavailable' });
      await expect(store.put([makeBlock(3, 500)])).rejects.toMatchObject({ code: 'unavailable' });
      await expect(store.checkHealth()).rejects.toMatchObject({ code: 'unavailable' });
      expect((await store.get(makeBlock(1, 500).blockId))?.payload).toEqual(makeBlock(1, 500).payload);
      await store.close();
      const rewritten: string[] = [];
      files.onAction = (asked) => {
        rewritten.push(asked);
        return null;
      };
      store = await openTestStore(directory, { files });
      await store.checkHealth();
      // A whole record of unknown durability is written anew before it counts.
      if (action === 'datasync') {
        expect(rewritten.slice(0, rewritten.indexOf('datasync'))).toContain('write');
      }
      await store.put([makeBlock(2, 500)]);
      expect((await store.get(makeBlock(2, 500).blockId))?.payload).toEqual(makeBlock(2, 500).payload);
    });
  }

  it('acknowledges nothing in a new segment whose name may not last', async () => {
    fail('sync-directory', 'EIO');
    await store.put([makeBlock(2, 500)]);
    await expect(store.put([makeBlock(3, 4800)])).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('stops for good when a full disk cannot be tidied', async () => {
    files.onAction = (action) => {
      if (action === 'write') return systemError('ENOSPC');
      return action === 'truncate' ? systemError('EIO') : null;
    };
    await expect(store.put([makeBlock(2, 500)])).rejects.toMatchObject({ code: 'unavailable' });
    await expect(store.checkHealth()).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('answers for a sector that cannot be read with an error for that block only', async () => {
    await store.put([makeBlock(2, 500)]);
    fail('read', 'EIO', 0, 1);
    await expect(store.get(makeBlock(1, 500).blockId)).rejects.toMatchObject({ code: 'data-damaged' });
    expect((await store.get(makeBlock(2, 500).blockId))?.payload).toEqual(makeBlock(2, 500).payload);
    await store.put([makeBlock(1, 500)]);
    expect((await store.get(makeBlock(1, 500).blockId))?.payload).toEqual(makeBlock(1, 500).payload);
  });
});

describe('a small file system', () => {
  it('fills up, deletes, and goes on, with nothing lost', async (context) => {
    const mounted = await makeStoreDirectory();
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=3m', 'tmpfs', mounted], { stdio: 'pipe' });
    } catch (error) {
      await removeStoreDirectory(mounted);
      return context.skip(`a small tmpfs cannot be mounted here (${String(error).split('\n')[0]})`);
    }
    let small: BlockStore | null = null;
    try {
      const settings = { reserveBytes: 256 * 1024, maxSegmentBytes: 600_000 };
      small = await openTestStore(mounted, settings);
      const stored: { seed: number; location: BlockLocation }[] = [];
      let failures = 0;
      for (let seed = 0; failures < 5 && seed < 1000; seed += 10) {
        const seeds = Array.from({ length: 10 }, (_, index) => seed + index);
        try {
          const locations = await small.put(seeds.map((each) => makeBlock(each, 9000)));
          locations.forEach((location, index) => void stored.push({ seed: seed + index, location }));
        } catch (error) {
          expect(error).toMatchObject({ code: 'storage-full' });
          failures++;
        }
      }
      expect(failures).toBe(5);
      expect(stored.length).toBeGreaterThan(100);
      await small.checkHealth();
      for (const { location } of stored.slice(0, 50)) expect(await small.delete(location)).toBe(true);
      await small.close();
      small = await openTestStore(mounted, settings);
      for (const { seed } of stored.slice(50)) {
        const block = makeBlock(seed, 9000);
        expect(Buffer.compare((await small.get(block.blockId))?.payload as Uint8Array, block.payload)).toBe(
          0,
        );
      }
      expect(await small.has(stored.slice(0, 50).map(({ location }) => location.blockId))).not.toContain(
        true,
      );
      expect((await small.usage()).quarantinedRecords).toBe(0);
      execFileSync('mount', ['-o', 'remount,size=8m', mounted]);
      await small.put([makeBlock(5000, 9000)]);
    } finally {
      await small?.close();
      execFileSync('umount', [mounted]);
      await removeStoreDirectory(mounted);
    }
  });
});

describe('a segment whose name was not flushed when its process was killed', () => {
  it.each(['with the index', 'without the index'])(
    'keeps through a loss of power what is acknowledged after the next start, %s',
    async (index) => {
      await store.close();
      await removeStoreDirectory(directory);
      store = await openTestStore(directory, { files });
      const block = makeBlock(7, 900);
      const power = createPowerCut(directory);
      files.onAction = (action, path) => {
        if (!path.includes('segments')) return null;
        if (action === 'sync-directory') return systemError('EIO');
        power.onAction(action, path);
        return null;
      };
      await expect(store.put([block])).rejects.toMatchObject({ code: 'unavailable' });
      await store.close();
      if (index === 'without the index') await rm(join(directory, 'index.sqlite'));
      files.onAction = (action, path) => {
        if (path.includes('segments')) power.onAction(action, path);
        return null;
      };
      store = await openTestStore(directory, { files });
      await store.put([block]);
      const copy = `${directory}-copy`;
      power.copyTo(copy);
      const after = await openTestStore(copy);
      try {
        expect((await after.get(block.blockId))?.payload).toEqual(block.payload);
      } finally {
        await after.close();
        await removeStoreDirectory(copy);
      }
    },
  );
});
