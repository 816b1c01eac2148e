import { linkSync, mkdirSync, mkdtempSync, renameSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSystemEnvironment, silentLog } from '@cairn/environment';
import { type Filesystem, openNodeFilesystem } from '@cairn/filesystem';
import { createId, type EntryId } from '@cairn/model';
import { createMemoryTreeStore } from '@cairn/tree-store';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { LocalTree } from '../local-tree.ts';
import { noteRoot } from '../root-marker.ts';
import { Selection } from '../selection.ts';
import { createScanner, type Scanner } from './scan.ts';

let root: string;
let filesystem: Filesystem;
let local: LocalTree;
let scanner: Scanner;
const held = new Set<EntryId>();
const at = (path: string) => join(root, path);

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'cairn-edits-test-'));
  const environment = createSystemEnvironment(silentLog);
  filesystem = await openNodeFilesystem({ root, environment });
  const rootId = createId<EntryId>(environment.random.bytes(16));
  const trees = createMemoryTreeStore(rootId);
  await noteRoot({ filesystem, trees }, rootId);
  local = new LocalTree(trees.local, rootId);
  held.clear();
  scanner = createScanner({
    filesystem,
    local,
    environment,
    selection: new Selection(trees, rootId),
    isHeld: ({ entryId }) => held.has(entryId),
    leaveAlone: () => undefined,
    folderMoved: () => undefined,
    takeLateHints: async () => new Set(),
  });
  for (const folder of ['a', 'b']) {
    mkdirSync(at(folder));
    for (const name of ['1', '2', '3']) writeFileSync(at(`${folder}/${name}`), `${folder} ${name}`);
  }
  await scanner.scan({ paths: [''], recursive: true });
});
afterEach(async () => {
  await filesystem.close();
  rmSync(root, { recursive: true, force: true });
});

const areOnlyEdits = (...paths: string[]) => scanner.areOnlyEdits(new Set(paths));

describe('a save that needs no waiting for its other half [S-36]', () => {
  test('new bytes written in place, and a file renamed over another', async () => {
    writeFileSync(at('a/1'), 'other bytes');
    expect(await areOnlyEdits('a')).toBe(true);
    writeFileSync(at('b/new'), 'a whole new file');
    renameSync(at('b/new'), at('b/2'));
    expect(await areOnlyEdits('b')).toBe(true);
    expect(await areOnlyEdits('a', 'b')).toBe(true);
  });

  test.each<[string, () => void]>([
    ['a new name, perhaps of a file that will be renamed', () => writeFileSync(at('a/1.tmp'), 'x')],
    ['a name that went', () => unlinkSync(at('a/1'))],
    ['a name that changed, as editors do with the version before', () => renameSync(at('a/1'), at('a/1~'))],
    ['a file that was emptied, to be written anew', () => writeFileSync(at('a/1'), '')],
    ['a file that came from another folder', () => renameSync(at('b/1'), at('a/1'))],
    [
      'two files that changed places',
      () => {
        renameSync(at('a/1'), at('a/t'));
        renameSync(at('a/2'), at('a/1'));
        renameSync(at('a/t'), at('a/2'));
      },
    ],
    [
      'a second name of a known file',
      () => {
        unlinkSync(at('a/1'));
        linkSync(at('b/2'), at('a/1'));
      },
    ],
    [
      'a folder in the place of a file',
      () => {
        unlinkSync(at('a/1'));
        mkdirSync(at('a/1'));
      },
    ],
  ])('not beside %s', async (_title, change) => {
    writeFileSync(at('a/3'), 'other bytes');
    expect(await areOnlyEdits('a')).toBe(true);
    change();
    expect(await areOnlyEdits('a')).toBe(false);
  });

  test('not where nothing differs, or the folder went', async () => {
    expect(await areOnlyEdits('a')).toBe(false);
    rmSync(at('a'), { recursive: true });
    expect(await areOnlyEdits('a')).toBe(false);
  });

  test('not a file of which a snapshot is on its way', async () => {
    const node = local.findByPath('a/1');
    if (node !== undefined) held.add(node.entryId);
    writeFileSync(at('a/1'), 'more');
    expect(await areOnlyEdits('a')).toBe(false);
  });

  test('not the rules of what is ignored', async () => {
    writeFileSync(at('.cairnignore'), 'x');
    await scanner.scan({ paths: [''], recursive: true });
    writeFileSync(at('.cairnignore'), 'y');
    expect(await areOnlyEdits('')).toBe(false);
  });

  test('looking draws no conclusion', async () => {
    const before = local.findByPath('a/1');
    writeFileSync(at('a/1'), 'other bytes');
    await areOnlyEdits('a');
    expect(local.findByPath('a/1')).toEqual(before);
  });
});
