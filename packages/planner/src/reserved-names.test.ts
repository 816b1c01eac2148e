import { describe, expect, test } from 'vitest';
import { type Hands, start } from './testing/hands.ts';

/** B's disk refuses what Windows refuses. */
function refusing(files: Record<string, string>): ReturnType<typeof start> {
  const [world, a, b] = start(files);
  world.useReservedNames([false, true]);
  return [world, a, b];
}

function issues(hands: Hands): Record<string, string> {
  const named = hands.device
    .plan()
    .plan.issues.map(({ entryId, code }) => [hands.device.remote.get(entryId)?.name ?? entryId, code]);
  return Object.fromEntries(named) as Record<string, string>;
}

describe('P9 names that a disk cannot have', () => {
  test('T064 what is new stays on the server, is listed, and is never deleted [S-42]', () => {
    const [world, a, b] = refusing({ d: '1' });
    a.make('a:b/');
    a.make('a:b/inside', '2');
    a.make('con', '3');
    a.make('fine', '4');
    expect(world.converge(9)).toBeNull();
    expect(world.problems()).toEqual([]);
    expect(b.files()).toEqual({ d: '1', fine: '4' });
    expect(issues(b)).toEqual({
      'a:b': 'name-not-possible-here',
      inside: 'name-not-possible-here',
      con: 'name-not-possible-here',
    });
    b.remove('fine');
    expect(world.converge(9)).toBeNull();
    expect(a.files()).toEqual({ d: '1', 'a:b/inside': '2', con: '3' });
  });

  test('what gets such a name elsewhere leaves this disk, and comes back with a better one [S-42]', () => {
    const [world, a, b] = refusing({ 'plan/x': '1', 'plan/y': '2' });
    a.move('plan', 'plan?');
    expect(world.converge(9)).toBeNull();
    expect(b.files()).toEqual({});
    a.move('plan?', 'plan!');
    expect(world.converge(9)).toBeNull();
    expect(world.problems()).toEqual([]);
    expect(b.files()).toEqual({ 'plan!/x': '1', 'plan!/y': '2' });
    expect(issues(b)).toEqual({});
  });

  test('what was edited or made in it here gets to the server first [S-42]', () => {
    const [world, a, b] = refusing({ 'plan/x': '1', 'plan/both': '1', f: '1' });
    a.move('plan', 'plan?');
    a.edit('plan?/both', '2');
    a.move('f', 'f?');
    a.edit('f?', '2');
    b.edit('plan/x', '3');
    b.edit('plan/both', '3');
    b.make('plan/new', '4');
    b.edit('f', '3');
    expect(world.converge(9, [a.device])).toBeNull();
    expect(world.converge(20)).toBeNull();
    expect(world.problems()).toEqual([]);
    const copy = "(B's Conflict Copy 2026-11-21)";
    expect(a.files()).toEqual({
      'plan?/x': '3',
      'plan?/both': '2',
      [`plan?/both ${copy}`]: '3',
      'plan?/new': '4',
      'f?': '2',
      [`f ${copy}`]: '3',
    });
    expect(b.files()).toEqual({ [`f ${copy}`]: '3' });
  });

  test('however many leave at once, nothing is asked: they are deleted nowhere', () => {
    const files = Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`all/${index}`, `v${index}`]));
    const [world, a, b] = refusing(files);
    b.device.options = { ...b.device.options, brake: { count: 2, share: 0.1 } };
    a.move('all', 'aux');
    expect(world.converge(9)).toBeNull();
    expect(b.files()).toEqual({});
    expect(Object.keys(a.files())).toHaveLength(30);
  });
});
