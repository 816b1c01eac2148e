import { linkSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
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

/** Scans in which most folders are as they were: those are not matched, and must count all the same. */

let root: string;
let filesystem: Filesystem;
let local: LocalTree;
let scanner: Scanner;
const held = new Set<EntryId>();
/** What seems to go while its folder is read. */
let unreadPath = '';
let readPaths: string[] = [];

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'cairn-scan-test-'));
  const environment = createSystemEnvironment(silentLog);
  const disk = await openNodeFilesystem({ root, environment });
  unreadPath = '';
  filesystem = Object.assign(Object.create(disk), {
    list: async (path: string) => {
      readPaths.push(path);
      return (await disk.list(path)).map((item) =>
        `${path}/${item.name}` === unreadPath ? { ...item, status: null } : item,
      );
    },
  });
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
  for (const folder of ['a', 'b', 'c', 'c/d']) {
    mkdirSync(join(root, folder));
    for (const name of ['1', '2', '3']) writeFileSync(join(root, folder, name), `${folder} ${name}`);
  }
});
afterEach(async () => {
  await filesystem.close();
  rmSync(root, { recursive: true, force: true });
});

const scan = () => scanner.scan({ paths: [''], recursive: true });
const idOf = (path: string) => local.findByPath(path)?.entryId;
const paths = () => [...local.sketches()].map(({ entryId }) => local.path(entryId)).sort();

describe('folders in which nothing changed', () => {
  test('are counted, and nothing is changed', async () => {
    expect(await scan()).toMatchObject({ changed: true, folders: 5, items: 16 });
    expect(await scan()).toMatchObject({ changed: false, folders: 5, items: 16 });
  });

  test('a move between two folders beside them is one [S-19]', async () => {
    await scan();
    const id = idOf('a/1');
    const before = paths().length;
    renameSync(join(root, 'a/1'), join(root, 'b/moved'));
    expect((await scan()).changed).toBe(true);
    expect(idOf('b/moved')).toBe(id);
    expect(paths()).toHaveLength(before);
  });

  test('a folder moves with them in it [S-19]', async () => {
    await scan();
    const [folder, file] = [idOf('c/d'), idOf('c/d/1')];
    renameSync(join(root, 'c'), join(root, 'e'));
    await scan();
    expect([idOf('e/d'), idOf('e/d/1'), idOf('c')]).toEqual([folder, file, undefined]);
  });

  test('another folder takes the name, with an untouched folder in it [S-19]', async () => {
    await scan();
    const [inner, file] = [idOf('c/d'), idOf('c/d/1')];
    renameSync(join(root, 'c'), join(root, 'old'));
    mkdirSync(join(root, 'c'));
    renameSync(join(root, 'old/d'), join(root, 'c/d'));
    await scan();
    expect([idOf('c/d'), idOf('c/d/1')]).toEqual([inner, file]);
    expect(paths()).toContain('old/1');
    expect(paths()).not.toContain('c/1');
  });

  test('a new name for a file in one of them is a new entry', async () => {
    await scan();
    const id = idOf('c/1');
    linkSync(join(root, 'c/1'), join(root, 'a/link'));
    await scan();
    expect(idOf('c/1')).toBe(id);
    expect(idOf('a/link')).not.toBe(id);
    expect(idOf('a/link')).toBeDefined();
  });

  test('what could not be read before is known again, and a held file keeps its folder looked at', async () => {
    await scan();
    const node = local.findByPath('c/1');
    if (node === undefined) throw new Error('missing');
    local.put({ ...node, state: 'unknown' });
    expect((await scan()).changed).toBe(true);
    expect(local.findByPath('c/1')?.state).toBe('known');
    held.add(node.entryId);
    expect([...(await scan()).again]).toEqual(['c']);
  });

  test('beside a held file, what is gone is gone, and another thing has its name [S-66]', async () => {
    await scan();
    held.add(idOf('c/1') as EntryId);
    const [second, third] = [idOf('c/2'), idOf('c/3')];
    renameSync(join(root, 'c/2'), join(root, 'c/d/moved'));
    mkdirSync(join(root, 'c/2'));
    rmSync(join(root, 'c/3'));
    await scan();
    expect(idOf('c/d/moved')).toBe(second);
    expect(local.findByPath('c/2')?.kind).toBe('folder');
    expect([...local.sketches()].some(({ entryId }) => entryId === third)).toBe(false);
    expect(new Set(paths()).size).toBe(paths().length);
  });

  test('in a folder that was not read whole, no two things get one name, and the next look finds them all', async () => {
    await scan();
    const [second, third] = [idOf('c/2'), idOf('c/3')];
    rmSync(join(root, 'c/1'));
    mkdirSync(join(root, 'c/1'));
    writeFileSync(join(root, 'c/1/inner'), 'new');
    renameSync(join(root, 'c/2'), join(root, 'c/1/moved'));
    renameSync(join(root, 'a'), join(root, 'c/2'));
    const folder = idOf('a');
    unreadPath = 'c/3';
    expect([...(await scan()).again]).toEqual(['c']);
    expect(new Set(paths()).size).toBe(paths().length);
    for (const id of [second, third, folder, idOf('b/1')])
      expect([...local.sketches()].some(({ entryId }) => entryId === id)).toBe(true);
    unreadPath = '';
    await scan();
    expect([idOf('c/1/moved'), idOf('c/2'), idOf('c/3')]).toEqual([second, folder, third]);
    expect(local.findByPath('c/1')?.kind).toBe('folder');
    expect(idOf('c/1/inner')).toBeDefined();
    expect(new Set(paths()).size).toBe(paths().length);
  });

  test('a file that was removed is gone, its neighbours stay', async () => {
    await scan();
    rmSync(join(root, 'c/d/2'));
    await scan();
    expect(idOf('c/d/2')).toBeUndefined();
    expect(paths()).toHaveLength(16);
  });
});

describe('a folder that moved, where only its parents are looked at', () => {
  const look = (...folders: string[]) => scanner.scan({ paths: folders, recursive: false });
  beforeEach(async () => {
    await scan();
    readPaths = [];
  });

  test('takes along what is in it unread, to be looked at later', async () => {
    const [folder, file] = [idOf('c/d'), idOf('c/d/1')];
    renameSync(join(root, 'c'), join(root, 'a/e'));
    const { changed, later } = await look('', 'a');
    expect(changed).toBe(true);
    expect([idOf('a/e/d'), idOf('a/e/d/1'), idOf('c')]).toEqual([folder, file, undefined]);
    expect(readPaths.toSorted()).toEqual(['', 'a']);
    expect([...later].toSorted()).toEqual(['a/e', 'a/e/d']);
    expect(await look(...later)).toMatchObject({ changed: false, items: 7 });
  });

  test('what changed in it meanwhile is found then', async () => {
    writeFileSync(join(root, 'c/d/1'), 'longer than before');
    writeFileSync(join(root, 'c/d/4'), 'new');
    rmSync(join(root, 'c/1'));
    renameSync(join(root, 'c'), join(root, 'e'));
    const { later } = await look('');
    expect(await look(...later)).toMatchObject({ changed: true });
    expect(local.findByPath('e/d/1')?.content).toBe(null);
    expect([idOf('e/d/4') !== undefined, idOf('e/1')]).toEqual([true, undefined]);
  });

  test('is read where something is missing that may have been put into it [S-19]', async () => {
    const id = idOf('a/1');
    renameSync(join(root, 'a/1'), join(root, 'c/d/moved'));
    renameSync(join(root, 'c'), join(root, 'e'));
    expect((await look('', 'a')).later.size).toBe(0);
    expect(idOf('e/d/moved')).toBe(id);
  });

  test('is read where another has taken its place, to which a part of it went back [S-19]', async () => {
    const [inner, file] = [idOf('c/d'), idOf('c/d/1')];
    renameSync(join(root, 'c'), join(root, 'e'));
    mkdirSync(join(root, 'c'));
    renameSync(join(root, 'e/d'), join(root, 'c/d'));
    expect((await look('')).later.size).toBe(0);
    expect([idOf('c/d'), idOf('c/d/1')]).toEqual([inner, file]);
    expect([idOf('e/1') !== undefined, idOf('c/1')]).toEqual([true, undefined]);
  });

  test('a copy of it is read, and so is a folder that is new', async () => {
    mkdirSync(join(root, 'new/inner'), { recursive: true });
    writeFileSync(join(root, 'new/inner/1'), 'new');
    expect((await look('')).later.size).toBe(0);
    expect(idOf('new/inner/1')).toBeDefined();
  });

  test('what is ignored in its new place is left alone at once where rules go by paths', async () => {
    writeFileSync(join(root, '.cairnignore'), '/e/d/\n');
    await scanner.loadRules();
    await look('');
    const id = idOf('c/d');
    renameSync(join(root, 'c'), join(root, 'e'));
    expect((await look('')).later.size).toBe(0);
    expect([idOf('e') !== undefined, idOf('e/d'), id !== undefined]).toEqual([true, undefined, true]);
  });
});
