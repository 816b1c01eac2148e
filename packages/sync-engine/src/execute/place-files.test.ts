import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSystemEnvironment } from '@cairn/environment';
import { type Filesystem, openNodeFilesystem, type TemporaryFile } from '@cairn/filesystem';
import { CairnError, type EntryId } from '@cairn/model';
import { createMemoryTreeStore } from '@cairn/tree-store';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { DownloadDeps } from './deps.ts';
import { createPlacer, type Prepared } from './place-files.ts';
import { PlacingNotes } from './placing-notes.ts';

let root: string;
let filesystem: Filesystem;
let failed: string[];
let dirty: string[];
let noted: string[];
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'cairn-placing-'));
  filesystem = await openNodeFilesystem({ root, environment: createSystemEnvironment() });
  failed = [];
  dirty = [];
  noted = [];
});
afterEach(async () => {
  await filesystem.close();
  rmSync(root, { recursive: true, force: true });
});

function placer(changes: Partial<Filesystem> = {}, trees = createMemoryTreeStore('root' as EntryId)) {
  const deps = {
    filesystem: Object.assign(Object.create(filesystem), filesystem, changes),
    touchedFolders: new Set<string>(),
    markDirty: (path: string) => dirty.push(path),
    noteDone: () => undefined,
    failures: { record: (id: string) => failed.push(id), forget: () => undefined },
    local: { put: (node: { name: string }) => noted.push(node.name) },
    trees: { synced: { get: () => undefined, put: () => undefined } },
    placing: new PlacingNotes(trees),
  };
  return createPlacer(deps as unknown as DownloadDeps);
}

function file(name: string): Prepared {
  const entry = {
    entryId: name,
    parentId: 'root',
    name,
    kind: 'file',
    executable: false,
    modifiedAtUs: 1_000_000,
  };
  return { entry: { ...entry, content: {} }, path: name, expected: { absent: true } } as unknown as Prepared;
}

const bytesOf = (text: string) => new TextEncoder().encode(text);
const visible = () => readdirSync(root).filter((name) => name !== '.cairn');

it('places and notes every file, and the failure of one holds up no other [I15]', async () => {
  writeFileSync(join(root, 'file-70'), 'of the user');
  const placing = placer();
  for (let index = 0; index < 200; index++)
    await placing.addBytes(file(`file-${index}`), `t-${index}`, bytesOf(`bytes ${index}`));
  await placing.finish();
  expect(failed).toEqual(['file-70']);
  expect(dirty).toEqual(['']);
  expect(noted.length).toBe(199);
  expect(visible().length).toBe(200);
  expect(readFileSync(join(root, 'file-70'), 'utf8')).toBe('of the user');
  expect(readFileSync(join(root, 'file-199'), 'utf8')).toBe('bytes 199');
});

it('places nothing whose bytes are not durable, and nothing else of a longer temporary that was left', async () => {
  const left = await filesystem.openTemporary('t-left');
  await left.write(bytesOf('a longer text of an earlier run'), 0);
  await left.close();
  const flushed = new Set<TemporaryFile>();
  const placing = placer({
    async openTemporary(name) {
      const temporary = await filesystem.openTemporary(name);
      const { sync } = temporary;
      temporary.sync = async (attributes) => {
        if (name === 't-broken') throw new CairnError('local-io', 'the disk reports damage; check it');
        await sync(attributes);
        flushed.add(temporary);
      };
      return temporary;
    },
    async place(temporary, ...rest) {
      expect(flushed.has(temporary)).toBe(true);
      return filesystem.place(temporary, ...rest);
    },
  });
  for (const name of ['one', 'broken', 'left'])
    await placing.addBytes(file(name), `t-${name}`, bytesOf(`text of ${name}`));
  await placing.finish();
  expect(failed).toEqual(['broken']);
  expect(visible().sort()).toEqual(['left', 'one']);
  expect(readFileSync(join(root, 'left'), 'utf8')).toBe('text of left');
});

it('stops at a full disk, says so, and leaves no temporary open', async () => {
  const placing = placer({
    async openTemporary(name) {
      if (name === 't-2') throw new CairnError('local-disk-full', 'the disk is full; free some space');
      return filesystem.openTemporary(name);
    },
  });
  const given = await filesystem.openTemporary('given');
  const add = async () => {
    for (let index = 0; index < 5; index++)
      await placing.addBytes(file(`f-${index}`), `t-${index}`, bytesOf('x'));
    await placing.add(file('given'), given);
  };
  await Promise.allSettled([add()]);
  await expect(placing.finish()).rejects.toMatchObject({ code: 'local-disk-full' });
  expect(failed).toEqual([]);
  for (const name of ['given', 't-0', 't-1', 't-3', 't-4'])
    await (await filesystem.openTemporary(name)).discard();
});

it('places nothing that could not be noted, says so, and leaves no temporary open', async () => {
  const trees = createMemoryTreeStore('root' as EntryId);
  trees.flushValues = () => {
    throw new CairnError('local-disk-full', 'the test filled the disk');
  };
  const placing = placer({}, trees);
  await placing.addBytes(file('one'), 't-one', bytesOf('bytes'));
  await expect(placing.finish()).rejects.toMatchObject({ code: 'local-disk-full' });
  expect([visible(), failed, noted]).toEqual([[], [], []]);
});
