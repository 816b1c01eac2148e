import { setImmediate } from 'node:timers/promises';
import type { EntryId } from '@cairn/model';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createTestWorld, type TestDevice, type TestWorld } from './testing/world.ts';

/**
 * What programs and people do to files within moments, and what must come of it: the same entries, with their
 * histories, on the server and on another device.
 */

let world: TestWorld;
let a: TestDevice;
let b: TestDevice;

beforeEach(async () => {
  world = await createTestWorld();
  a = await world.addDevice('Laptop');
  b = await world.addDevice('Desktop');
});
afterEach(() => world.close());

type User = TestDevice['disk']['user'];
type Step = (user: User) => void;

/** Contents by path; folders end in `/`. */
type Files = Readonly<Record<string, string>>;

async function prepare(files: Files): Promise<void> {
  const { user } = a.disk;
  const made = new Set<string>();
  for (const [path, content] of Object.entries(files)) {
    const parts = path.split('/');
    for (let index = 1; index < parts.length; index++) {
      const folder = parts.slice(0, index).join('/');
      if (!made.has(folder)) user.makeFolder(folder);
      made.add(folder);
    }
    if (!path.endsWith('/')) user.writeFile(path, content);
  }
  a.start();
  b.start();
  await world.settle([a, b]);
}

/** Paths on the server with their entry ids. */
async function ids(): Promise<Map<string, EntryId>> {
  const page = await world.data.spaces.readSnapshot(world.principal, world.spaceId, null, 1000);
  const byId = new Map(page.entries.map((entry) => [entry.entryId, entry]));
  const pathOf = (id: EntryId): string => {
    const entry = byId.get(id);
    if (entry === undefined || entry.parentId === null) return '';
    const parent = pathOf(entry.parentId);
    return parent === '' ? entry.name : `${parent}/${entry.name}`;
  };
  return new Map(
    page.entries.filter((each) => each.parentId !== null).map((each) => [pathOf(each.entryId), each.entryId]),
  );
}

async function versionsOf(entryId: EntryId): Promise<number> {
  return (await world.data.files.listVersions(world.principal, entryId)).length;
}

function files(device: TestDevice): Files {
  const found: Record<string, string> = {};
  for (const item of device.disk.user.walk())
    if (item.bytes !== null) found[item.path] = new TextDecoder().decode(item.bytes);
  return found;
}

/** All steps within one moment, or with other work coming in between. */
const PACES = [
  ['at once', async () => undefined],
  ['with a breath between', async () => setImmediate()],
] as const;

async function perform(steps: readonly Step[], pause: () => Promise<unknown>): Promise<void> {
  for (const step of steps) {
    step(a.disk.user);
    await pause();
  }
  await world.until('A has seen it', () => {
    const { state, sequence } = a.engine.status();
    return state === 'in-sync' && sequence > 0;
  });
  await world.settle([a, b]);
}

interface Save {
  readonly name: string;
  readonly steps: readonly Step[];
  /** What is there afterwards beside `d/f`. */
  readonly also?: Files;
}

const write =
  (path: string, content: string): Step =>
  (user) =>
    user.writeFile(path, content);
const rename =
  (from: string, to: string): Step =>
  (user) =>
    user.rename(from, to);
const remove =
  (path: string): Step =>
  (user) =>
    user.remove(path);

const SAVES: readonly Save[] = [
  {
    name: 'T107 vim: probe, backup by renaming, write, delete the backup',
    steps: [
      write('d/4913', ''),
      remove('d/4913'),
      rename('d/f', 'd/f~'),
      write('d/f', 'new'),
      remove('d/f~'),
    ],
  },
  {
    name: 'T107 vim that copies the backup',
    steps: [write('d/f~', 'old'), write('d/f', 'new'), remove('d/f~')],
  },
  {
    name: 'T109 temporary, then rename over (VS Code, Helix, sed -i)',
    steps: [write('d/sedX1Y2', 'new'), rename('d/sedX1Y2', 'd/f')],
  },
  {
    name: 'T109 gedit with a backup: hard link, then rename over',
    steps: [
      write('d/.goutputstream-ABC', 'new'),
      (user) => user.makeHardLink('d/f', 'd/f~'),
      rename('d/.goutputstream-ABC', 'd/f'),
    ],
    also: { 'd/f~': 'old' },
  },
  {
    name: 'emacs: the backup stays',
    steps: [rename('d/f', 'd/f~'), write('d/f', 'new')],
    also: { 'd/f~': 'old' },
  },
  {
    name: 'Word: temporary, original aside, temporary in its place, delete',
    steps: [
      write('d/~WRD0001.tmp', 'new'),
      rename('d/f', 'd/~WRL0002.tmp'),
      rename('d/~WRD0001.tmp', 'd/f'),
      remove('d/~WRL0002.tmp'),
    ],
  },
  {
    name: 'safe save by exchange (macOS)',
    steps: [
      write('d/f.sb-1', 'new'),
      (user) => {
        // One step for whoever looks.
        user.rename('d/f', 'd/x');
        user.rename('d/f.sb-1', 'd/f');
        user.rename('d/x', 'd/f.sb-1');
      },
      remove('d/f.sb-1'),
    ],
  },
  {
    name: 'T007 delete and make again',
    steps: [remove('d/f'), write('d/f', 'new')],
  },
  {
    name: 'empty it, then write in pieces',
    steps: [write('d/f', ''), write('d/f', 'n'), write('d/f', 'ne'), write('d/f', 'new')],
  },
  {
    name: 'T019 move another file over it',
    steps: [write('d/other', 'new'), rename('d/other', 'd/f')],
  },
];

describe.each(PACES)('saves, %s', (_pace, pause) => {
  test.each(SAVES)('$name is one new version of the same entry [S-36]', async ({ steps, also }) => {
    await prepare({ 'd/f': 'old' });
    const before = await ids();
    await perform(steps, pause);
    await world.until('it is saved', () => files(b)['d/f'] === 'new');
    await world.settle([a, b]);
    const after = await ids();
    expect([...after.keys()].sort()).toEqual(['d', 'd/f', ...Object.keys(also ?? {})].sort());
    expect(after.get('d/f')).toBe(before.get('d/f'));
    expect(files(b)).toEqual({ 'd/f': 'new', ...also });
    // An empty file in between may have been saved, too: it was there.
    expect(await versionsOf(after.get('d/f') as EntryId)).toBe(2);
  });
});

interface Rearranging {
  readonly name: string;
  readonly start: Files;
  readonly steps: readonly Step[];
  /** Paths afterwards, and where each was before; `null` for what is new. */
  readonly end: Readonly<Record<string, string | null>>;
}

const REARRANGINGS: readonly Rearranging[] = [
  {
    name: 'swap of two files',
    start: { a: '1', b: '2' },
    steps: [rename('a', 't'), rename('b', 'a'), rename('t', 'b')],
    end: { a: 'b', b: 'a' },
  },
  {
    name: 'swap of two folders',
    start: { 'a/x': '1', 'b/y': '2' },
    steps: [rename('a', 't'), rename('b', 'a'), rename('t', 'b')],
    end: { a: 'b', b: 'a', 'b/x': 'a/x', 'a/y': 'b/y' },
  },
  {
    name: 'T016 rotation of three',
    start: { a: '1', b: '2', c: '3' },
    steps: [rename('a', 't'), rename('c', 'a'), rename('b', 'c'), rename('t', 'b')],
    end: { a: 'c', b: 'a', c: 'b' },
  },
  {
    name: 'T017 there and back again',
    start: { a: '1' },
    steps: [rename('a', 'b'), rename('b', 'c'), rename('c', 'b')],
    end: { b: 'a' },
  },
  {
    name: 'T034 out of a folder, into another',
    start: { 'x/f': '1', 'y/': '' },
    steps: [rename('x/f', 'y/g')],
    end: { x: 'x', y: 'y', 'y/g': 'x/f' },
  },
  {
    name: 'T044 a/b/c becomes c/b/a',
    start: { 'a/b/c/f': '1' },
    steps: [rename('a/b/c', 'c'), rename('a/b', 'c/b'), rename('a', 'c/b/a')],
    end: { c: 'a/b/c', 'c/b': 'a/b', 'c/b/a': 'a', 'c/f': 'a/b/c/f' },
  },
  {
    name: 'T046 a folder becomes a file',
    start: { 'd/x': '1' },
    steps: [remove('d'), write('d', '2')],
    end: { d: null },
  },
  {
    name: 'T046 a file becomes a folder',
    start: { d: '1' },
    steps: [remove('d'), (user) => user.makeFolder('d'), write('d/x', '2')],
    end: { d: null, 'd/x': null },
  },
  {
    name: 'T047 a folder becomes a link to where it went',
    start: { 'd/x': '1' },
    steps: [rename('d', 'e'), (user) => user.makeLink('d', 'e')],
    end: { e: 'd', 'e/x': 'd/x', d: null },
  },
  {
    name: 'T046 a file becomes a link',
    start: { d: '1' },
    steps: [remove('d'), (user) => user.makeLink('d', 'elsewhere')],
    end: { d: null },
  },
  {
    name: 'T049 rename A to B, then make an empty A',
    start: { 'A/x': '1' },
    steps: [rename('A', 'B'), (user) => user.makeFolder('A')],
    end: { B: 'A', 'B/x': 'A/x', A: null },
  },
  {
    name: 'T057 a change of case only',
    start: { 'Readme/x': '1' },
    steps: [rename('Readme', 'README')],
    end: { README: 'Readme', 'README/x': 'Readme/x' },
  },
  {
    name: 'T114 a download that is renamed when it is complete',
    start: { d: '1' },
    steps: [write('film.part', '1'), write('film.part', '12'), rename('film.part', 'film')],
    end: { d: 'd', film: null },
  },
];

describe.each(PACES)('rearranging, %s', (_pace, pause) => {
  test.each(REARRANGINGS)(
    '$name keeps ids and makes no version [S-19 S-37 S-38]',
    async ({ start, steps, end }) => {
      await prepare(start);
      const before = await ids();
      await perform(steps, pause);
      await world.until('all is there', async () => {
        const paths = [...(await ids()).keys()].sort();
        return JSON.stringify(paths) === JSON.stringify(Object.keys(end).sort());
      });
      await world.settle([a, b]);
      const after = await ids();
      const from = new Map([...before].map(([path, id]) => [id, path]));
      const origins = [...after].map(([path, id]) => [path, from.get(id) ?? null]);
      expect(Object.fromEntries(origins)).toEqual(end);
      for (const [path, id] of after)
        if (end[path] !== null && files(a)[path] !== undefined) expect(await versionsOf(id)).toBe(1);
      expect(files(b)).toEqual(files(a));
    },
  );
});

describe('changes of kind', () => {
  test.each([
    ['a file that became a folder', (user: User) => user.makeFolder('d')],
    ['a file that became a link', (user: User) => user.makeLink('d', 'elsewhere')],
  ])('T046 the content of %s is in the trash [S-38]', async (_name, make) => {
    await prepare({ d: 'old' });
    const before = (await ids()).get('d');
    await perform([remove('d'), make], async () => undefined);
    await world.until('it is there', async () => (await ids()).get('d') !== before);
    await world.settle([a, b]);
    const { items } = await world.data.trash.list(world.principal, null, { offset: 0, limit: 10 });
    expect(items).toMatchObject([{ entryId: before, path: '/d', sizeBytes: 3 }]);
  });
});
