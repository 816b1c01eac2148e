import type { EntryId } from '@cairn/model';
import { describe, expect, test } from 'vitest';
import { describeReason, explainEntry, plan } from './index.ts';
import { contentOf, localOf, type ModelDevice, ROOT } from './testing/model-device.ts';
import { ModelWorld } from './testing/model-world.ts';
import type { LocalNode, TreeReader, Trees } from './trees.ts';

/**
 * The numbered scenarios of the reliability list, as tables: a common start, what A and B do without knowing of
 * each other, who reaches the server first (A unless said), and what everybody has at the end.
 * Paths end in `/` for folders; other values are contents.
 */
type Files = Record<string, string>;

function find(device: ModelDevice, path: string): LocalNode {
  let at = device.disk.get(ROOT) as LocalNode;
  for (const name of path.split('/').filter((part) => part !== '')) {
    const next = device.disk.children(at.entryId).find((id) => device.disk.get(id)?.name === name);
    if (next === undefined) throw new Error(`${device.name} has no ${path}`);
    at = device.disk.get(next) as LocalNode;
  }
  return at;
}

function split(path: string): [parent: string, name: string] {
  const clean = path.replace(/\/$/, '');
  const slash = clean.lastIndexOf('/');
  return [clean.slice(0, Math.max(0, slash)), clean.slice(slash + 1)];
}

class Hands {
  readonly device: ModelDevice;
  constructor(device: ModelDevice) {
    this.device = device;
  }
  make(path: string, value = ''): void {
    const [parent, name] = split(path);
    const folder = path.endsWith('/');
    this.device.disk.set(
      localOf(this.device.freshId(), find(this.device, parent).entryId, name, {
        kind: folder ? 'folder' : 'file',
        content: folder ? null : contentOf(value),
        fingerprint: value,
      }),
    );
  }
  edit(path: string, value: string): void {
    const node = find(this.device, path);
    this.device.read.delete(node.entryId);
    this.device.disk.set({ ...node, content: contentOf(value), fingerprint: value });
  }
  move(from: string, to: string): void {
    const node = find(this.device, from);
    const [parent, name] = split(to);
    this.device.disk.set({ ...node, parentId: find(this.device, parent).entryId, name });
  }
  remove(path: string): void {
    for (const id of this.device.disk.below(find(this.device, path).entryId).reverse()) {
      this.device.disk.delete(id);
      this.device.read.delete(id);
      this.device.userRemoved.add(id);
    }
  }
  touch(path: string, modifiedAtUs: number): void {
    this.device.disk.set({ ...find(this.device, path), modifiedAtUs });
  }
  files(): Files {
    const found: Files = {};
    const walk = (id: EntryId, prefix: string) => {
      for (const child of this.device.disk.children(id)) {
        const node = this.device.disk.get(child) as LocalNode;
        const path = `${prefix}${node.name}`;
        if (node.kind === 'folder') {
          if (this.device.disk.children(child).length === 0) found[`${path}/`] = '';
          walk(child, `${path}/`);
        } else found[path] = node.content?.contentId ?? node.target ?? '';
      }
    };
    walk(ROOT, '');
    return found;
  }
}

interface Scenario {
  readonly title: string;
  readonly start: Files;
  readonly a: (hands: Hands) => void;
  readonly b?: (hands: Hands) => void;
  readonly end: Files;
}

function start(files: Files, folds: readonly boolean[] = [false, false]): [ModelWorld, Hands, Hands] {
  const world = new ModelWorld(folds);
  const hands = world.devices.map((device) => new Hands(device)) as [Hands, Hands];
  for (const [path, value] of Object.entries(files)) {
    const parts = path.replace(/\/$/, '').split('/');
    for (let index = 1; index < parts.length; index++) {
      const folder = parts.slice(0, index).join('/');
      try {
        find(hands[0].device, folder);
      } catch {
        hands[0].make(`${folder}/`);
      }
    }
    hands[0].make(path, value);
  }
  expect(world.converge(20)).toBeNull();
  return [world, ...hands];
}

const COPY = "(B's Conflict Copy 2026-11-21)";
const scenarios: Scenario[] = [
  {
    title: 'T002 both edit: the first keeps the name, the other becomes a conflict copy',
    start: { 'f.txt': '1' },
    a: (a) => a.edit('f.txt', '2'),
    b: (b) => b.edit('f.txt', '3'),
    end: { 'f.txt': '2', [`f ${COPY}.txt`]: '3' },
  },
  {
    title: 'T002 both edit to the same content: nothing happens',
    start: { f: '1' },
    a: (a) => a.edit('f', '2'),
    b: (b) => b.edit('f', '2'),
    end: { f: '2' },
  },
  {
    title: 'T006 a rename beats a delete (delete first)',
    start: { f: '1' },
    a: (a) => a.remove('f'),
    b: (b) => b.move('f', 'g'),
    end: { g: '1' },
  },
  {
    title: 'T006 a rename beats a delete (rename first)',
    start: { f: '1' },
    a: (a) => a.move('f', 'g'),
    b: (b) => b.remove('f'),
    end: { g: '1' },
  },
  {
    title: 'T006 for folders: what is inside a renamed folder stays with it (rename first)',
    start: { 'd/x': '1', 'd/e/y': '2' },
    a: (a) => a.move('d', 'n'),
    b: (b) => b.remove('d'),
    end: { 'n/x': '1', 'n/e/y': '2' },
  },
  {
    title: 'T006 for folders: what is inside a renamed folder stays with it (delete first)',
    start: { 'd/x': '1', 'd/e/y': '2' },
    a: (a) => a.remove('d'),
    b: (b) => b.move('d', 'n'),
    end: { 'n/x': '1', 'n/e/y': '2' },
  },
  {
    title: 'T007 delete and make again is one update',
    start: { f: '1' },
    a: (a) => {
      a.remove('f');
      a.make('f', '2');
    },
    end: { f: '2' },
  },
  {
    title: 'T009 both delete',
    start: { f: '1' },
    a: (a) => a.remove('f'),
    b: (b) => b.remove('f'),
    end: {},
  },
  {
    title: 'T011 both rename: the first wins',
    start: { f: '1' },
    a: (a) => a.move('f', 'g'),
    b: (b) => b.move('f', 'h'),
    end: { g: '1' },
  },
  {
    title: 'T012 rename onto a name that another device took',
    start: { f: '1' },
    a: (a) => a.make('g', '2'),
    b: (b) => b.move('f', 'g'),
    end: { g: '2', [`g ${COPY}`]: '1' },
  },
  {
    title: 'T012 the other order: new file where another device renamed to',
    start: { f: '1' },
    a: (a) => a.move('f', 'g'),
    b: (b) => b.make('g', '2'),
    end: { g: '1', [`g ${COPY}`]: '2' },
  },
  {
    title: 'T014 move into a folder that is deleted elsewhere (delete first)',
    start: { f: '1', 'd/other': '2' },
    a: (a) => a.remove('d'),
    b: (b) => b.move('f', 'd/f'),
    end: { 'd/f': '1' },
  },
  {
    title: 'T014 move into a folder that is deleted elsewhere (move first)',
    start: { f: '1', 'd/other': '2' },
    a: (a) => a.move('f', 'd/f'),
    b: (b) => b.remove('d'),
    end: { 'd/f': '1' },
  },
  {
    title: 'T016 rotation a → b → c → a',
    start: { a: '1', b: '2', c: '3' },
    a: (a) => {
      a.move('a', 't');
      a.move('c', 'a');
      a.move('b', 'c');
      a.move('t', 'b');
    },
    end: { a: '3', b: '1', c: '2' },
  },
  {
    title: 'T019 move f over g',
    start: { f: '1', g: '2' },
    a: (a) => {
      a.remove('g');
      a.move('f', 'g');
    },
    end: { g: '1' },
  },
  {
    title: 'T027 edit and edit back elsewhere',
    start: { f: '1' },
    a: (a) => a.edit('f', '2'),
    b: (b) => b.edit('f', '1'),
    end: { f: '2' },
  },
  {
    title: 'T032 delete a file, make a folder of its name; the file is edited elsewhere (edit first)',
    start: { f: '1' },
    a: (a) => a.edit('f', '2'),
    b: (b) => {
      b.remove('f');
      b.make('f/');
      b.make('f/in', '3');
    },
    end: { 'f/in': '3', [`f ${COPY}`]: '2' },
  },
  {
    title: 'T041 delete a folder in which one file is edited elsewhere (delete first)',
    start: { 'd/x': '1', 'd/y': '2', 'd/e/z': '3', 'd/e/w': '4', 'd/k/v': '5' },
    a: (a) => a.remove('d'),
    b: (b) => b.edit('d/e/z', '6'),
    end: { 'd/e/z': '6' },
  },
  {
    title: 'T041 delete a folder in which one file is edited elsewhere (edit first)',
    start: { 'd/x': '1', 'd/y': '2', 'd/e/z': '3', 'd/e/w': '4', 'd/k/v': '5' },
    a: (a) => a.edit('d/e/z', '6'),
    b: (b) => b.remove('d'),
    end: { 'd/e/z': '6' },
  },
  {
    title: 'T042 X into Y and Y into X: the first wins',
    start: { 'X/x': '1', 'Y/y': '2' },
    a: (a) => a.move('X', 'Y/X'),
    b: (b) => b.move('Y', 'X/Y'),
    end: { 'Y/X/x': '1', 'Y/y': '2' },
  },
  {
    title: 'T044 a/b/c becomes c/b/a',
    start: { 'a/b/c/f': '1' },
    a: (a) => {
      a.move('a/b/c', 'c');
      a.move('a/b', 'c/b');
      a.move('a', 'c/b/a');
    },
    end: { 'c/f': '1', 'c/b/a/': '' },
  },
  {
    title: 'T046 a folder becomes a file',
    start: { 'd/x': '1' },
    a: (a) => {
      a.remove('d');
      a.make('d', '2');
    },
    end: { d: '2' },
  },
  {
    title: 'T046 a folder becomes a file, edited inside elsewhere (edit first)',
    start: { 'd/x': '1' },
    a: (a) => a.edit('d/x', '3'),
    b: (b) => {
      b.remove('d');
      b.make('d', '2');
    },
    end: { 'd/x': '3', [`d ${COPY}`]: '2' },
  },
  {
    title: 'T046 a file becomes a folder',
    start: { f: '1' },
    a: (a) => {
      a.remove('f');
      a.make('f/');
      a.make('f/x', '2');
    },
    end: { 'f/x': '2' },
  },
  {
    title: 'T049 rename A to B, then make an empty A',
    start: { 'A/x': '1' },
    a: (a) => {
      a.move('A', 'B');
      a.make('A/');
    },
    end: { 'B/x': '1', 'A/': '' },
  },
  {
    title: 'T057 a change of case only',
    start: { Readme: '1' },
    a: (a) => a.move('Readme', 'README'),
    b: (b) => b.edit('Readme', '2'),
    end: { README: '2' },
  },
  {
    title: 'T059 a folder changes case while children are edited elsewhere',
    start: { 'docs/x': '1' },
    a: (a) => a.move('docs', 'Docs'),
    b: (b) => b.edit('docs/x', '2'),
    end: { 'Docs/x': '2' },
  },
  {
    title: 'T061 names that differ only by Unicode form',
    start: {},
    a: (a) => a.make('\u00e9', '1'),
    b: (b) => b.make('e\u0301', '2'),
    end: { '\u00e9': '1', 'e\u0301 (Case Conflict)': '2' },
  },
  {
    title: 'P6 both make the same folder',
    start: {},
    a: (a) => {
      a.make('d/');
      a.make('d/x', '1');
    },
    b: (b) => {
      b.make('D/');
      b.make('D/y', '2');
    },
    end: { 'd/x': '1', 'd/y': '2' },
  },
  {
    title: 'T076 a file is already named like the conflict copy',
    start: { f: '1', [`f ${COPY}`]: '9' },
    a: (a) => a.edit('f', '2'),
    b: (b) => b.edit('f', '3'),
    end: { f: '2', [`f ${COPY}`]: '9', [`f (B's Conflict Copy 2026-11-21 2)`]: '3' },
  },
  {
    title: 'T077 names that objects have',
    start: { '__proto__/constructor': '1' },
    a: (a) => a.move('__proto__', 'hasOwnProperty'),
    end: { 'hasOwnProperty/constructor': '1' },
  },
  {
    title: 'P3 move and edit both apply',
    start: { f: '1', 'd/': '' },
    a: (a) => a.move('f', 'd/g'),
    b: (b) => b.edit('f', '2'),
    end: { 'd/g': '2' },
  },
];

describe('scenarios', () => {
  test.each(scenarios)('$title', ({ start: files, a, b, end }) => {
    const [world, first, second] = start(files);
    a(first);
    b?.(second);
    expect(world.converge(20, [first.device])).toBeNull();
    expect(world.converge(40)).toBeNull();
    expect(world.problems()).toEqual([]);
    expect(first.files()).toEqual({ ...end });
    expect(second.files()).toEqual({ ...end });
  });

  test('T007 keeps the id, T019 keeps that of the moved file', () => {
    const [world, a] = start({ f: '1', g: '2' });
    const ids = ['f', 'g'].map((path) => find(a.device, path).entryId);
    a.remove('g');
    a.move('f', 'g');
    a.make('f', '3');
    expect(world.converge(20)).toBeNull();
    expect(find(a.device, 'g').entryId).toBe(ids[0]);
    expect(a.files()).toEqual({ f: '3', g: '1' });
  });

  test('T004 three devices edit one file: one original, two copies', () => {
    const world = new ModelWorld([false, false, false]);
    const hands = world.devices.map((device) => new Hands(device));
    hands[0]?.make('f', '1');
    expect(world.converge(20)).toBeNull();
    for (const [index, each] of hands.entries()) each.edit('f', `e${index}`);
    expect(world.converge(20)).toBeNull();
    for (const each of hands) expect(Object.values(each.files()).sort()).toEqual(['e0', 'e1', 'e2']);
  });

  test('T031 touch here, rename there', () => {
    const [world, a, b] = start({ f: '1' });
    a.touch('f', 77);
    b.move('f', 'g');
    expect(world.converge(20)).toBeNull();
    expect(find(a.device, 'g').modifiedAtUs).toBe(77);
    expect(find(b.device, 'g').modifiedAtUs).toBe(77);
  });

  test('T022 T149 with the synced tree lost, equal files are not conflicts and nothing is deleted', () => {
    const [world, a] = start({ 'd/x': '1', y: '2' });
    for (const node of a.device.synced.values()) a.device.synced.delete(node.entryId);
    a.device.read.clear();
    a.remove('y');
    expect(world.converge(20)).toBeNull();
    expect(a.files()).toEqual({ 'd/x': '1', y: '2' });
  });
});

describe('what cannot be seen', () => {
  test('T086 I7 an unreadable folder deletes nothing, and heals', () => {
    const [world, a, b] = start({ 'd/x': '1', 'd/e/y': '2', z: '3' });
    const folder = find(a.device, 'd');
    for (const id of a.device.disk.below(folder.entryId).slice(1).reverse()) a.device.disk.delete(id);
    a.device.unknown.add(folder.entryId);
    b.edit('d/x', '4');
    b.make('d/new', '5');
    for (let round = 0; round < 5; round++) {
      for (const { device } of [b, a]) {
        device.follow();
        const { trees, plan: made } = device.plan();
        device.execute(trees, made.operations, () => true);
      }
    }
    const { plan: stuck } = a.device.plan();
    expect(stuck.operations).toEqual([]);
    expect(stuck.issues.find((issue) => issue.entryId === folder.entryId)?.code).toBe('unreadable');
    expect(b.files()).toEqual({ 'd/x': '4', 'd/e/y': '2', 'd/new': '5', z: '3' });
    expect(world.server.trash.size).toBe(0);
  });

  test('T066 a local name that cannot be synced is an issue, for it and what is below', () => {
    const [, a] = start({});
    const name = 'x'.repeat(256);
    a.make(`${name}/`);
    a.make(`${name}/in`, '1');
    const { plan: made } = a.device.plan();
    expect(made.operations).toEqual([]);
    expect(made.issues.map((issue) => issue.code)).toEqual(['bad-local-name', 'waiting-for-parent']);
  });

  test('T069 folders 2,000 deep are reported, not followed into the ground', () => {
    const [, a] = start({});
    let parentId = ROOT;
    for (let depth = 0; depth < 2000; depth++) {
      const id = `deep${String(depth).padStart(5, '0')}` as EntryId;
      a.device.disk.set(localOf(id, parentId, 'd', {}));
      parentId = id;
    }
    const { plan: made } = a.device.plan();
    expect(made.operations).toHaveLength(512);
    expect(made.issues.every((issue) => issue.code === 'too-deep')).toBe(true);
  });
});

describe('I8 the brake', () => {
  const many: Files = Object.fromEntries(
    Array.from({ length: 20 }, (_, index) => [`d/f${index}`, `${index}`]),
  );
  const brake = { count: 10, share: 0.5 };

  test('holds deletes towards the server until confirmed', () => {
    const [world, a, b] = start(many);
    a.device.options = { ...a.device.options, brake };
    a.remove('d');
    expect(a.device.plan().plan.held).toMatchObject({ direction: 'up', count: 21, sizeBytes: 20 });
    expect(world.converge(10)).toBeNull();
    expect(Object.keys(b.files())).toHaveLength(20);
    a.device.options = { ...a.device.options, confirmed: new Set(['up'] as const) };
    expect(world.converge(10)).toBeNull();
    expect(b.files()).toEqual({});
  });

  test('holds deletes towards the disk, and lets everything else through', () => {
    const [world, a, b] = start({ ...many, other: '1' });
    b.device.options = { ...b.device.options, brake };
    a.remove('d');
    a.edit('other', '2');
    expect(world.converge(10)).toBeNull();
    expect(Object.keys(b.files())).toHaveLength(21);
    expect(b.files()['other']).toBe('2');
    expect(b.device.plan().plan.held).toMatchObject({ direction: 'down', count: 21, sizeBytes: 20 });
    b.device.options = { ...b.device.options, confirmed: new Set(['down'] as const) };
    expect(world.converge(10)).toBeNull();
    expect(b.files()).toEqual({ other: '2' });
  });
});

describe('explain', () => {
  test('says what differs, what happens next and why', () => {
    const [world, a, b] = start({ f: '1' });
    const id = find(a.device, 'f').entryId;
    expect(explainEntry(a.device.observe(), id, a.device.options).inSync).toBe(true);
    b.edit('f', '2');
    expect(world.converge(10, [b.device])).toBeNull();
    a.device.follow();
    const explanation = explainEntry(a.device.observe(), id, a.device.options);
    expect(explanation.operations.map(({ operation }) => operation.kind)).toEqual(['download']);
    expect(explanation.sentences).toContain('Since then it was edited on the server.');
    expect(explanation.sentences.join(' ')).toContain(describeReason('edited-on-server'));
  });
});

describe('speed', () => {
  test('one change among 100,000 entries looks at few of them', () => {
    const [, a] = start({ 'd/f': '1' });
    a.edit('d/f', '2');
    const { device } = a;
    const folder = find(device, 'd').entryId;
    const entry = device.remote.get(folder);
    const base = device.synced.get(folder);
    if (entry === undefined || base === undefined) throw new Error('the folder is not in sync');
    for (let index = 0; index < 100_000; index++) {
      const place = { entryId: `x${index}` as EntryId, parentId: ROOT, name: `n${index}` };
      device.remote.set({ ...entry, ...place });
      device.synced.set({ ...base, ...place });
      device.disk.set(localOf(place.entryId, ROOT, place.name, {}));
    }
    const trees = device.observe();
    const reads = { count: 0 };
    const counted = <Node>(tree: TreeReader<Node>): TreeReader<Node> => ({
      get: (id) => {
        reads.count++;
        return tree.get(id);
      },
      children: (id) => tree.children(id),
      values: () => tree.values(),
      size: tree.size,
    });
    const watched: Trees = {
      rootId: ROOT,
      remote: counted(trees.remote),
      local: counted(trees.local),
      synced: counted(trees.synced),
    };
    const made = plan(watched, device.options, [find(device, 'd/f').entryId]);
    expect(made.operations.map(({ operation }) => operation.kind)).toEqual(['inspect']);
    expect(reads.count).toBeLessThan(100);
  });
});
