import type { ConflictPolicy } from '@cairn/model';
import { describe, expect, test } from 'vitest';
import { find, Hands, start } from './testing/hands.ts';
import { contentOf } from './testing/model-nodes.ts';
import { ModelWorld } from './testing/model-world.ts';

const COPY = "(B's Conflict Copy 2026-11-21)";

/** Says it of the folder at a path; `''` is the root. */
function say(world: ModelWorld, path: string, policy: ConflictPolicy): void {
  const [device] = world.devices;
  if (device === undefined) return;
  const entryId = path === '' ? 'root' : find(device, path).entryId;
  const ids = world.server.tree
    .values()
    .filter((entry) => entry.kind === 'folder')
    .map((entry) => entry.entryId as string)
    .sort();
  world.setPolicy(ids.indexOf(entryId), policy);
}

describe('folders in which the last write wins', () => {
  test('P1 the later edit becomes current under the same id, the other is a version [S-35]', () => {
    const [world, a, b] = start({ 'd/f': '1' });
    const { entryId } = find(a.device, 'd/f');
    say(world, 'd', 'last-write-wins');
    a.edit('d/f', '2');
    b.edit('d/f', '3');
    expect(world.converge(20, [a.device])).toBeNull();
    expect(world.converge(20)).toBeNull();
    expect(a.files()).toEqual({ 'd/f': '3' });
    expect(b.files()).toEqual({ 'd/f': '3' });
    expect(find(b.device, 'd/f').entryId).toBe(entryId);
    expect([...world.server.versions]).toEqual(['1', '2', '3']);
    expect(b.device.counts.get('last-write-wins')).toBe(1);
    expect(a.device.counts.get('last-write-wins')).toBeUndefined();
  });

  test('P6 two files of one name become one, the later content current [S-35]', () => {
    const [world, a, b] = start({ 'd/': '' });
    say(world, '', 'last-write-wins');
    a.make('d/f', '2');
    b.make('d/f', '3');
    expect(world.converge(20, [a.device])).toBeNull();
    const { entryId } = find(a.device, 'd/f');
    expect(world.converge(20)).toBeNull();
    expect(a.files()).toEqual({ 'd/f': '3' });
    expect(find(b.device, 'd/f').entryId).toBe(entryId);
    expect([...world.server.versions]).toEqual(['2', '3']);
  });

  test('the nearest folder that says anything counts, and moving out of it ends it', () => {
    const [world, a, b] = start({ 'd/keep/f': '1', 'd/g': '1', 'd/h': '1' });
    say(world, 'd', 'last-write-wins');
    say(world, 'd/keep', 'keep-both');
    for (const [hands, value] of [
      [a, '2'],
      [b, '3'],
    ] as const) {
      hands.edit('d/keep/f', value);
      hands.edit('d/g', value);
      hands.edit('d/h', value);
    }
    a.move('d/h', 'h');
    expect(world.converge(20, [a.device])).toBeNull();
    expect(world.converge(20)).toBeNull();
    expect(world.problems()).toEqual([]);
    expect(a.files()).toEqual({
      'd/keep/f': '2',
      [`d/keep/f ${COPY}`]: '3',
      'd/g': '3',
      h: '2',
      [`h ${COPY}`]: '3',
    });
  });

  test('P2 an edit beats a delete there too', () => {
    const [world, a, b] = start({ f: '1' });
    say(world, '', 'last-write-wins');
    a.edit('f', '2');
    b.remove('f');
    expect(world.converge(20, [a.device])).toBeNull();
    expect(world.converge(20)).toBeNull();
    expect(b.files()).toEqual({ f: '2' });
  });

  test('I22 three devices edit one file: one file and three versions [S-35]', () => {
    const world = new ModelWorld([false, false, false]);
    const hands = world.devices.map((device) => new Hands(device));
    hands[0]?.make('f', '1');
    expect(world.converge(20)).toBeNull();
    say(world, '', 'last-write-wins');
    for (const [index, each] of hands.entries()) each.edit('f', `e${index}`);
    expect(world.converge(20)).toBeNull();
    for (const each of hands) expect(each.files()).toEqual({ f: 'e2' });
    expect([...world.server.versions]).toEqual(['1', 'e0', 'e1', 'e2']);
  });
});

describe('conflict copies', () => {
  test('I22 k writers leave at most k files, also when copies are edited again everywhere [S-30]', () => {
    const world = new ModelWorld([false, false, false]);
    const hands = world.devices.map((device) => new Hands(device));
    hands[0]?.make('f.txt', '1');
    expect(world.converge(20)).toBeNull();
    for (let round = 0; round < 4; round++) {
      const paths = Object.keys(hands[0]?.files() ?? {});
      const before = paths.length;
      for (const [index, each] of hands.entries())
        for (const path of paths) each.edit(path, `${round}-${index}-${path}`);
      expect(world.converge(60)).toBeNull();
      expect(world.problems()).toEqual([]);
      const after = Object.keys(hands[0]?.files() ?? {});
      expect(after.length).toBeLessThanOrEqual(before * 3);
      for (const name of after) expect(name.match(/Conflict Copy/g)?.length ?? 0).toBeLessThanOrEqual(1);
      // The user settles all of it.
      for (const name of after) if (name !== 'f.txt' && round > 0) hands[0]?.remove(name);
      expect(world.converge(60)).toBeNull();
    }
  });

  test('they name the entry that kept the name [S-33]', () => {
    const [world, a, b] = start({ f: '1' });
    a.edit('f', '2');
    b.edit('f', '3');
    a.make('n', '4');
    b.make('n', '5');
    expect(world.converge(20, [a.device])).toBeNull();
    b.device.follow();
    for (let round = 0; round < 2; round++) {
      const { trees, plan } = b.device.plan();
      for (const { operation } of plan.operations) {
        if (operation.kind !== 'fork') continue;
        const original = operation.name.startsWith('f') ? 'f' : 'n';
        expect(operation.conflictOf).toBe(find(a.device, original).entryId);
      }
      if (round === 1)
        expect(plan.operations.filter((each) => each.operation.kind === 'fork')).toHaveLength(2);
      b.device.execute(trees, plan.operations, () => round === 0);
    }
  });
});

describe('equal conflict copies of several devices [S-21]', () => {
  const copies = (hands: Hands) =>
    Object.keys(hands.files()).filter((name) => name.includes('Conflict Copy'));
  /** One edited to "2" and is first; two others had the same other idea. */
  function start3(): [ModelWorld, Hands, Hands, Hands] {
    const [world, first, ...others] = start({ f: '1' }, [false, false, false]);
    first.edit('f', '2');
    for (const other of others) {
      other.edit('f', '3');
      // It has been read, as what was synced once has.
      other.device.read.set(find(other.device, 'f').entryId, contentOf('3'));
    }
    return [world, first, ...others] as unknown as [ModelWorld, Hands, Hands, Hands];
  }

  test('the second to come takes the copy that is there', () => {
    const [world, ...hands] = start3();
    for (const { device } of hands) expect(world.converge(20, [device])).toBeNull();
    expect(world.converge(60)).toBeNull();
    for (const each of hands) {
      expect(each.files()['f']).toBe('2');
      expect(copies(each)).toHaveLength(1);
    }
  });

  test('one that lost its name already takes it, too, if it comes before its own is sent', () => {
    const [world, first, second, third] = start3();
    expect(world.converge(20, [first.device])).toBeNull();
    third.device.follow();
    for (let round = 0; copies(third).length === 0; round++) {
      expect(round).toBeLessThan(4);
      const { trees, plan } = third.device.plan();
      const here = plan.operations.filter(({ operation }) => !operation.kind.startsWith('push-'));
      third.device.execute(trees, here, () => true);
    }
    expect(world.converge(20, [second.device])).toBeNull();
    expect(world.converge(60)).toBeNull();
    for (const each of [first, second, third]) expect(copies(each)).toHaveLength(1);
  });

  test('a copy that the user of a device removed does not come back by it', () => {
    const [world, first, second, third] = start3();
    expect(world.converge(20, [first.device])).toBeNull();
    expect(world.converge(20, [second.device])).toBeNull();
    second.remove(copies(second)[0] as string);
    expect(world.converge(20, [first.device, second.device])).toBeNull();
    expect(world.converge(60)).toBeNull();
    for (const each of [first, second, third]) expect(copies(each)).toHaveLength(1);
    expect(third.files()[copies(third)[0] as string]).toBe('3');
  });
});

describe('moves that give way', () => {
  test('P5 a move that goes round with another is undone, and its user is told [S-26 S-32]', () => {
    const [world, a, b] = start({ 'X/x': '1', 'Y/y': '2' });
    a.move('X', 'Y/X');
    b.move('Y', 'X/Y');
    expect(world.converge(20, [a.device])).toBeNull();
    b.device.follow();
    const { plan } = b.device.plan();
    const moves = plan.operations.flatMap(({ operation }) =>
      operation.kind === 'move-local' ? [[operation.name, operation.overruled]] : [],
    );
    expect(moves).toEqual(expect.arrayContaining([['Y', 'move-refused']]));
  });

  test('P4 so is one that came later than another [S-25 S-32]', () => {
    const [world, a, b] = start({ f: '1' });
    a.move('f', 'g');
    b.move('f', 'h');
    expect(world.converge(20, [a.device])).toBeNull();
    b.device.follow();
    const [planned] = b.device.plan().plan.operations;
    expect(planned?.operation).toMatchObject({ kind: 'move-local', name: 'g', overruled: 'move-overruled' });
  });

  test('a move that nobody here made is none', () => {
    const [world, a, b] = start({ a: '1', b: '2' });
    a.move('a', 't');
    a.move('b', 'a');
    a.move('t', 'b');
    expect(world.converge(20, [a.device])).toBeNull();
    b.device.follow();
    for (let round = 0; round < 9; round++) {
      const { trees, plan } = b.device.plan();
      for (const { operation } of plan.operations) expect(operation).not.toHaveProperty('overruled');
      // One step at a time: what stepped aside is seen at its temporary name.
      let steps = 0;
      b.device.execute(trees, plan.operations, () => steps++ === 0);
    }
    expect(b.files()).toEqual({ a: '2', b: '1' });
  });
});
