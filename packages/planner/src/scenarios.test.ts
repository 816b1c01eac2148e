import { describe, expect, test } from 'vitest';
import { type Files, find, Hands, start } from './testing/hands.ts';
import { ModelWorld } from './testing/model-world.ts';
import { shuffleBatches } from './testing/run-scenario.ts';

/**
 * The numbered scenarios of the reliability list, as tables: a common start, what A and B do without knowing of
 * each other, who reaches the server first (A unless said), and what everybody has at the end.
 * Paths end in `/` for folders; other values are contents.
 */
interface Scenario {
  readonly title: string;
  readonly start: Files;
  readonly a: (hands: Hands) => void;
  readonly b?: (hands: Hands) => void;
  readonly end: Files;
}

const COPY = "(B's Conflict Copy 2026-11-21)";
const scenarios: Scenario[] = [
  {
    title: 'T002 both edit: the first keeps the name, the other becomes a conflict copy [S-21]',
    start: { 'f.txt': '1' },
    a: (a) => a.edit('f.txt', '2'),
    b: (b) => b.edit('f.txt', '3'),
    end: { 'f.txt': '2', [`f ${COPY}.txt`]: '3' },
  },
  {
    title: 'T002 both edit to the same content: nothing happens [S-22]',
    start: { f: '1' },
    a: (a) => a.edit('f', '2'),
    b: (b) => b.edit('f', '2'),
    end: { f: '2' },
  },
  {
    title: 'T006 a rename beats a delete (delete first) [S-23]',
    start: { f: '1' },
    a: (a) => a.remove('f'),
    b: (b) => b.move('f', 'g'),
    end: { g: '1' },
  },
  {
    title: 'T006 a rename beats a delete (rename first) [S-23]',
    start: { f: '1' },
    a: (a) => a.move('f', 'g'),
    b: (b) => b.remove('f'),
    end: { g: '1' },
  },
  {
    title: 'T006 for folders: what is inside a renamed folder stays with it (rename first) [S-23]',
    start: { 'd/x': '1', 'd/e/y': '2' },
    a: (a) => a.move('d', 'n'),
    b: (b) => b.remove('d'),
    end: { 'n/x': '1', 'n/e/y': '2' },
  },
  {
    title: 'T006 for folders: what is inside a renamed folder stays with it (delete first) [S-23]',
    start: { 'd/x': '1', 'd/e/y': '2' },
    a: (a) => a.remove('d'),
    b: (b) => b.move('d', 'n'),
    end: { 'n/x': '1', 'n/e/y': '2' },
  },
  {
    title: 'T007 delete and make again is one update [S-36]',
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
    title: 'T011 both rename: the first wins [S-25]',
    start: { f: '1' },
    a: (a) => a.move('f', 'g'),
    b: (b) => b.move('f', 'h'),
    end: { g: '1' },
  },
  {
    title: 'T012 rename onto a name that another device took [S-27]',
    start: { f: '1' },
    a: (a) => a.make('g', '2'),
    b: (b) => b.move('f', 'g'),
    end: { g: '2', [`g ${COPY}`]: '1' },
  },
  {
    title: 'T012 the other order: new file where another device renamed to [S-27]',
    start: { f: '1' },
    a: (a) => a.move('f', 'g'),
    b: (b) => b.make('g', '2'),
    end: { g: '1', [`g ${COPY}`]: '2' },
  },
  {
    title: 'T014 move into a folder that is deleted elsewhere (delete first) [S-23 S-29]',
    start: { f: '1', 'd/other': '2' },
    a: (a) => a.remove('d'),
    b: (b) => b.move('f', 'd/f'),
    end: { 'd/f': '1' },
  },
  {
    title: 'T014 move into a folder that is deleted elsewhere (move first) [S-23 S-29]',
    start: { f: '1', 'd/other': '2' },
    a: (a) => a.move('f', 'd/f'),
    b: (b) => b.remove('d'),
    end: { 'd/f': '1' },
  },
  {
    title: 'T016 rotation a → b → c → a [S-37]',
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
    title: 'T032 delete a file, make a folder of its name; the file is edited elsewhere (edit first) [S-28]',
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
    title: 'T041 delete a folder in which one file is edited elsewhere (delete first) [S-29]',
    start: { 'd/x': '1', 'd/y': '2', 'd/e/z': '3', 'd/e/w': '4', 'd/k/v': '5' },
    a: (a) => a.remove('d'),
    b: (b) => b.edit('d/e/z', '6'),
    end: { 'd/e/z': '6' },
  },
  {
    title: 'T041 delete a folder in which one file is edited elsewhere (edit first) [S-29]',
    start: { 'd/x': '1', 'd/y': '2', 'd/e/z': '3', 'd/e/w': '4', 'd/k/v': '5' },
    a: (a) => a.edit('d/e/z', '6'),
    b: (b) => b.remove('d'),
    end: { 'd/e/z': '6' },
  },
  {
    title: 'T042 X into Y and Y into X: the first wins [S-26]',
    start: { 'X/x': '1', 'Y/y': '2' },
    a: (a) => a.move('X', 'Y/X'),
    b: (b) => b.move('Y', 'X/Y'),
    end: { 'Y/X/x': '1', 'Y/y': '2' },
  },
  {
    title: 'T044 a/b/c becomes c/b/a [S-37]',
    start: { 'a/b/c/f': '1' },
    a: (a) => {
      a.move('a/b/c', 'c');
      a.move('a/b', 'c/b');
      a.move('a', 'c/b/a');
    },
    end: { 'c/f': '1', 'c/b/a/': '' },
  },
  {
    title: 'T046 a folder becomes a file [S-38]',
    start: { 'd/x': '1' },
    a: (a) => {
      a.remove('d');
      a.make('d', '2');
    },
    end: { d: '2' },
  },
  {
    title: 'T046 a folder becomes a file, edited inside elsewhere (edit first) [S-28 S-38]',
    start: { 'd/x': '1' },
    a: (a) => a.edit('d/x', '3'),
    b: (b) => {
      b.remove('d');
      b.make('d', '2');
    },
    end: { 'd/x': '3', [`d ${COPY}`]: '2' },
  },
  {
    title: 'T046 a file becomes a folder [S-38]',
    start: { f: '1' },
    a: (a) => {
      a.remove('f');
      a.make('f/');
      a.make('f/x', '2');
    },
    end: { 'f/x': '2' },
  },
  {
    title: 'T049 rename A to B, then make an empty A [S-19]',
    start: { 'A/x': '1' },
    a: (a) => {
      a.move('A', 'B');
      a.make('A/');
    },
    end: { 'B/x': '1', 'A/': '' },
  },
  {
    title: 'T057 a change of case only [S-41]',
    start: { Readme: '1' },
    a: (a) => a.move('Readme', 'README'),
    b: (b) => b.edit('Readme', '2'),
    end: { README: '2' },
  },
  {
    title: 'T059 a folder changes case while children are edited elsewhere [S-41]',
    start: { 'docs/x': '1' },
    a: (a) => a.move('docs', 'Docs'),
    b: (b) => b.edit('docs/x', '2'),
    end: { 'Docs/x': '2' },
  },
  {
    title: 'T061 names that differ only by Unicode form [S-40]',
    start: {},
    a: (a) => a.make('\u00e9', '1'),
    b: (b) => b.make('e\u0301', '2'),
    end: { '\u00e9': '1', 'e\u0301 (Case Conflict)': '2' },
  },
  {
    title:
      'S-40 a folder beside a file whose name differs only by case: the later one yields, whatever it is',
    start: { A: '1' },
    a: (a) => {
      a.make('a/');
      a.make('a/x', '2');
    },
    end: { A: '1', 'a (Case Conflict)/x': '2' },
  },
  {
    title: 'P6 both make the same folder [S-27]',
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
    title: 'T076 a file is already named like the conflict copy [S-30]',
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
    title: 'P3 move and edit both apply [S-24]',
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

  test.each(scenarios)('in pieces: $title', ({ start: files, a, b, end }) => {
    for (let seed = 1; seed <= 25; seed++) {
      const [world, first, second] = start(files);
      a(first);
      b?.(second);
      expect(world.converge(20, [first.device])).toBeNull();
      let state = seed;
      const choose = (outOf: number) => {
        state = (state * 48271) % 2147483647;
        return state % outOf;
      };
      for (let round = 0; round < 6; round++) {
        for (const { device } of [second, first]) {
          device.follow();
          const { trees, plan: made } = device.plan();
          device.execute(trees, shuffleBatches(made.operations, choose), () => choose(3) === 0);
        }
      }
      expect(world.converge(40)).toBeNull();
      expect(world.problems()).toEqual([]);
      expect(second.files()).toEqual({ ...end });
    }
  });

  test.each([
    ['a file', { 'd/p/f': '1' }, { 'd/q/f': '2', [`d/q/f ${COPY}`]: '3', 'd/z': '4' }],
    [
      'a file and a folder, two levels deep',
      { 'd/p/o/f': '1', 'd/p/o/g/h': '1' },
      { 'd/q/f': '2', [`d/q/f ${COPY}`]: '3', 'd/q/g/h': '1', 'd/z': '4' },
    ],
  ])(
    'a new folder of an old name has what was in the old one, of which something is kept: %s [S-23]',
    (_, files, end) => {
      const [world, a, b] = start(files);
      const inside = 'd/p/o/f' in files ? 'd/p/o' : 'd/p';
      a.make('new/');
      a.make('new/q/');
      a.move(`${inside}/f`, 'new/q/f');
      if (inside === 'd/p/o') a.move(`${inside}/g`, 'new/q/g');
      a.edit('new/q/f', '2');
      a.remove('d');
      expect(world.converge(20, [a.device])).toBeNull();
      a.move('new', 'd');
      b.edit(`${inside}/f`, '3');
      b.make('d/z', '4');
      expect(world.converge(20, [a.device])).toBeNull();
      expect(world.converge(40)).toBeNull();
      expect(world.problems()).toEqual([]);
      expect([a.files(), b.files()]).toEqual([end, end]);
    },
  );

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

  test('T004 three devices edit one file: one original, two copies [S-30]', () => {
    const world = new ModelWorld([false, false, false]);
    const hands = world.devices.map((device) => new Hands(device));
    hands[0]?.make('f', '1');
    expect(world.converge(20)).toBeNull();
    for (const [index, each] of hands.entries()) each.edit('f', `e${index}`);
    expect(world.converge(20)).toBeNull();
    for (const each of hands) expect(Object.values(each.files()).sort()).toEqual(['e0', 'e1', 'e2']);
  });

  test('T031 touch here, rename there [S-24]', () => {
    const [world, a, b] = start({ f: '1' });
    a.touch('f', 77);
    b.move('f', 'g');
    expect(world.converge(20)).toBeNull();
    expect(find(a.device, 'g').modifiedAtUs).toBe(77);
    expect(find(b.device, 'g').modifiedAtUs).toBe(77);
  });

  test('T022 T149 with the synced tree lost, equal files are not conflicts and nothing is deleted [S-22 S-51]', () => {
    const [world, a] = start({ 'd/x': '1', y: '2' });
    for (const node of a.device.synced.values()) a.device.synced.delete(node.entryId);
    a.device.read.clear();
    a.remove('y');
    expect(world.converge(20)).toBeNull();
    expect(a.files()).toEqual({ 'd/x': '1', y: '2' });
  });
});
