import { cpSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isCairnError } from '@cairn/model';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BlockStore } from '../block-store.ts';
import {
  type Expected,
  findDifferences,
  openCompactableStore,
  SMALL_SEGMENTS,
} from '../testing/compactable-store.ts';
import {
  createFaultyFiles,
  type FaultyFiles,
  type FileAction,
  systemError,
} from '../testing/faulty-files.ts';
import { createPowerCut } from '../testing/power-cut.ts';
import { makeStoreDirectory, openTestStore, removeStoreDirectory } from '../testing/segment-store.ts';
import { nodeSegmentFiles } from './segment-files.ts';

let directory: string;
let template: string;
let files: FaultyFiles;
let store: BlockStore | null;
let expected: Expected;
beforeEach(async () => {
  directory = await makeStoreDirectory();
  template = join(directory, 'template');
  files = createFaultyFiles(nodeSegmentFiles);
  const made = await openCompactableStore(template, { files });
  expected = made.expected;
  await made.store.close();
  store = null;
});
afterEach(async () => {
  files.onAction = () => null;
  await store?.close();
  await removeStoreDirectory(directory);
});

function copyOf(name: string): string {
  const copy = join(directory, name);
  cpSync(template, copy, { recursive: true });
  return copy;
}

/** Opens, compares, closes; the second time without an index. */
async function check(folder: string): Promise<string[]> {
  const differences: string[] = [];
  for (const withoutIndex of [false, true]) {
    if (withoutIndex) await rm(join(folder, 'index.sqlite'), { force: true });
    store = await openTestStore(folder, SMALL_SEGMENTS);
    differences.push(...(await findDifferences(store, expected)));
    if ((await store.usage()).quarantinedRecords > 0) differences.push('records are quarantined');
    // What was begun can be ended.
    const report = await store.compact();
    if (report.stoppedBy !== null || report.skippedDamaged > 0) differences.push(JSON.stringify(report));
    differences.push(...(await findDifferences(store, expected)));
    await store.close();
    store = null;
  }
  return differences;
}

const OPTIONS = { minGarbageRatio: 0.2 };

async function listActions(): Promise<FileAction[]> {
  const actions: FileAction[] = [];
  store = await openTestStore(copyOf('count'), { ...SMALL_SEGMENTS, files });
  files.onAction = (action, path) => {
    if (path.includes('segments')) actions.push(action);
    return null;
  };
  await store.compact(OPTIONS);
  files.onAction = () => null;
  await store.close();
  store = null;
  return actions;
}

describe('compaction on a disk that fails', () => {
  it.each(['EIO', 'ENOSPC'] as const)(
    'loses nothing when any one of its file operations ends in %s',
    async (code) => {
      const actions = await listActions();
      expect(new Set(actions)).toEqual(
        new Set(['open', 'read', 'create', 'write', 'datasync', 'sync-directory', 'remove']),
      );
      let stoppedByFull = 0;
      let quarantines = 0;
      for (const [position, action] of actions.entries()) {
        const folder = copyOf(`fault-${position}`);
        store = await openTestStore(folder, { ...SMALL_SEGMENTS, files });
        let seen = 0;
        files.onAction = (_, path) =>
          path.includes('segments') && seen++ === position ? systemError(code) : null;
        const report = await store.compact(OPTIONS).catch((error: unknown) => error);
        files.onAction = () => null;
        const told = `${action} at ${position}: ${JSON.stringify(report)}`;
        if (report instanceof Error) expect(isCairnError(report, 'unavailable'), told).toBe(true);
        else if ((report as { stoppedBy: unknown }).stoppedBy === 'storage-full') stoppedByFull++;
        const differences = await findDifferences(store, expected);
        await store.close();
        store = null;
        if (differences.length > 0 && code === 'EIO' && (action === 'read' || action === 'open')) {
          // One block is quarantined; its bytes are where they were, as an index made anew shows.
          expect({ told, differences: differences.length }).toEqual({ told, differences: 4 });
          await rm(join(folder, 'index.sqlite'));
          quarantines++;
        } else expect({ told, differences }).toEqual({ told, differences: [] });
        expect({ told, found: await check(folder) }).toEqual({ told, found: [] });
        await rm(folder, { recursive: true });
      }
      if (code === 'ENOSPC') expect(stoppedByFull).toBeGreaterThan(3);
      else expect(quarantines).toBeGreaterThan(0);
    },
  );

  it('loses nothing when the process ends at any one of its file operations', async () => {
    const actions = await listActions();
    const folder = copyOf('running');
    const copies: string[] = [];
    store = await openTestStore(folder, { ...SMALL_SEGMENTS, files });
    files.onAction = (_, path) => {
      if (!path.includes('segments')) return null;
      const copy = join(directory, `killed-${copies.length}`);
      // What is in the files now is what a killed process leaves.
      cpSync(folder, copy, { recursive: true });
      copies.push(copy);
      return null;
    };
    await store.compact(OPTIONS);
    files.onAction = () => null;
    await store.close();
    expect(copies.length).toBe(actions.length);
    for (const [position, copy] of copies.entries()) {
      const told = `${actions[position]} at ${position}`;
      expect({ told, found: await check(copy) }).toEqual({ told, found: [] });
    }
  });

  it('loses nothing when the power fails at any one of them, and with it all that was not flushed', async () => {
    const folder = copyOf('running');
    const copies: string[] = [];
    store = await openTestStore(folder, { ...SMALL_SEGMENTS, files });
    const powerCut = createPowerCut(folder);
    files.onAction = (action, path) => {
      if (!path.includes('segments')) return null;
      powerCut.onAction(action, path);
      const copy = join(directory, `cut-${copies.length}-${action}`);
      powerCut.copyTo(copy);
      copies.push(copy);
      return null;
    };
    await store.compact(OPTIONS);
    files.onAction = () => null;
    await store.close();
    expect(copies.length).toBeGreaterThan(30);
    for (const copy of copies) expect({ copy, found: await check(copy) }).toEqual({ copy, found: [] });
  });
});
