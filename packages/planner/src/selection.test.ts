import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { LeftOut, PlanOptions } from './plan.ts';
import { find, start } from './testing/hands.ts';
import type { ModelDevice } from './testing/model-device.ts';
import type { UserAction } from './testing/model-world.ts';
import { chooser, settled, shuffleBatches } from './testing/run-scenario.ts';
import { createView } from './view.ts';

/** Leaves out these places and all that is below them. */
function leavingOut(...places: readonly string[]): NonNullable<PlanOptions['leavesOut']> {
  return (path): LeftOut | null =>
    places.some((place) => path === place || path.startsWith(`${place}/`)) ? 'not-selected' : null;
}

function select(device: ModelDevice | undefined, places: readonly string[]): void {
  if (device === undefined) return;
  const { leavesOut: _before, ...rest } = device.options;
  device.options = places.length === 0 ? rest : { ...rest, leavesOut: leavingOut(...places) };
}

const action: fc.Arbitrary<UserAction> = fc.record({
  device: fc.nat(1),
  kind: fc.nat(17),
  first: fc.nat(40),
  second: fc.nat(40),
  name: fc.nat(20),
});
const places = fc.array(fc.constantFrom('a', 'b', 'c', 'A', 'a/b', 'b/a', 'c/d', 'd'), {
  minLength: 1,
  maxLength: 3,
});
const scenario = fc.record({
  base: fc.array(action, { minLength: 4, maxLength: 14 }),
  first: places,
  changes: fc.array(action, { minLength: 1, maxLength: 8 }),
  second: fc.array(fc.constantFrom('a', 'b', 'c/d'), { maxLength: 2 }),
  later: fc.array(action, { maxLength: 6 }),
  choices: fc.array(fc.nat(99), { minLength: 8, maxLength: 40 }),
});

describe('places that a device leaves out [S-68]', () => {
  test('I10 I21 T157 selections that change at any time delete nothing, and all is back once everything is selected', () => {
    const met = { removed: 0, forgotten: 0, stayed: 0 };
    fc.assert(
      fc.property(scenario, (input) => {
        const world = settled(input.base, [false, false]);
        const [first] = world.devices;
        const choose = chooser(input.choices);
        const rounds = (actions: readonly UserAction[]) => {
          const left = [...actions];
          for (let round = 0; round < 4; round++) {
            for (const device of world.devices) {
              if (choose(3) > 0) device.follow();
              const { trees, plan: made } = device.plan();
              met.removed += made.operations.filter(({ reason }) => reason === 'not-selected').length;
              met.forgotten += made.operations.filter(({ reason }) => reason === 'left-alone-here').length;
              met.stayed += made.issues.filter(({ code }) => code === 'not-selected-but-changed').length;
              const next = choose(2) === 0 ? left.pop() : undefined;
              if (next !== undefined) world.act(next);
              device.execute(trees, shuffleBatches(made.operations, choose), () => choose(3) > 0);
            }
          }
          for (const each of left) world.act(each);
        };
        select(first, input.first);
        rounds(input.changes);
        // Also with a selection it comes to rest, and holds nothing that it could let go.
        expect(world.converge(100)).toBeNull();
        select(first, input.second);
        rounds(input.later);
        // A step that the disk refuses is planned anew; here only its end counts.
        const wrong = (problems: readonly string[]) => problems.filter((each) => !each.includes('refuses'));
        expect(wrong(world.devices.flatMap((device) => device.problems))).toEqual([]);
        select(first, []);
        expect(world.converge(200)).toBeNull();
        expect(wrong(world.problems())).toEqual([]);
      }),
      { numRuns: Number(process.env['PLANNER_RUNS'] ?? 2000) },
    );
    expect(met.removed).toBeGreaterThan(100);
    expect(met.forgotten).toBeGreaterThan(10);
    expect(met.stayed).toBeGreaterThan(10);
  });

  test('what is deselected leaves this disk only, however much it is', () => {
    const files = Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`big/${index}`, `v${index}`]));
    const [world, a, b] = start({ ...files, kept: 'k' });
    select(a.device, ['big']);
    a.device.options = { ...a.device.options, brake: { count: 5, share: 0.1 } };
    expect(world.converge(5)).toBeNull();
    expect(a.files()).toEqual({ kept: 'k' });
    expect(Object.keys(b.files())).toHaveLength(41);
  });

  test('T157 killed in the middle: what is gone already is not taken for removed', () => {
    const [world, a, b] = start({ 'big/x': '1', 'big/y': '2' });
    select(a.device, ['big']);
    // The files left the disk, but the device had no time to note that.
    a.remove('big');
    expect(world.converge(5)).toBeNull();
    expect(a.files()).toEqual({});
    expect(b.files()).toEqual({ 'big/x': '1', 'big/y': '2' });
    expect(world.server.tree.values().filter((entry) => entry.kind === 'file')).toHaveLength(2);
  });

  test('T157 killed in the middle, then the folder around it is removed here: what went by selection stays on the server', () => {
    const [world, a, b] = start({ 'docs/here': '1', 'docs/big/x': '2' });
    select(a.device, ['docs/big']);
    a.remove('docs');
    expect(world.converge(9)).toBeNull();
    expect(b.files()).toEqual({ 'docs/big/x': '2' });
  });

  test('an edit gets to the server before its file goes; a new file stays and is told', () => {
    const [world, a, b] = start({ 'big/x': '1', 'big/y': '2' });
    a.edit('big/x', 'edited');
    a.make('big/new', 'mine');
    select(a.device, ['big']);
    expect(world.converge(5)).toBeNull();
    expect(a.files()).toEqual({ 'big/new': 'mine' });
    expect(b.files()).toEqual({ 'big/x': 'edited', 'big/y': '2' });
    const { issues } = a.device.plan().plan;
    expect(issues.map(({ code }) => code)).toContain('not-selected-but-changed');
    select(a.device, []);
    expect(world.converge(9)).toBeNull();
    expect(b.files()).toEqual({ 'big/x': 'edited', 'big/y': '2', 'big/new': 'mine' });
    expect(world.problems()).toEqual([]);
  });

  test('a folder that is removed here stays on the server with what was not selected in it', () => {
    const [world, a, b] = start({ 'docs/here': '1', 'docs/big/x': '2' });
    select(a.device, ['docs/big']);
    expect(world.converge(5)).toBeNull();
    a.remove('docs');
    expect(world.converge(9)).toBeNull();
    expect(b.files()).toEqual({ 'docs/big/x': '2' });
  });

  test('a file that another device moves to where this one looks away leaves this disk', () => {
    const [world, a, b] = start({ 'docs/x': '1', 'archive/y': '2' });
    select(a.device, ['archive']);
    expect(world.converge(5)).toBeNull();
    b.move('docs/x', 'archive/x');
    expect(world.converge(9)).toBeNull();
    expect(a.files()).toEqual({ 'docs/': '' });
    expect(b.files()).toEqual({ 'docs/': '', 'archive/x': '1', 'archive/y': '2' });
  });

  test('what lies in a folder whose move yields is left out by where it gets, also when it was asked for before', () => {
    const [, a, b] = start({ 'x/1': '1', 'y/2': '2' });
    b.move('y', 'x/y');
    b.device.follow();
    const { trees: sent, plan: sending } = b.device.plan();
    b.device.execute(sent, sending.operations, () => true);
    a.move('x', 'y/x');
    a.device.follow();
    const { trees } = a.device.plan();
    const options = { ...a.device.options, leavesOut: leavingOut('x') };
    const view = createView(trees, options);
    const file = find(a.device, 'y/x/1').entryId;
    const folder = find(a.device, 'y/x').entryId;
    expect(view.leftOut(file)).toBeNull();
    view.yieldMoves([folder]);
    expect(view.leftOut(file)).toBe('not-selected');
  });

  test('what the server moves into an ignored folder that is not here leaves this disk; one that is here takes it', () => {
    const [world, a, b] = start({ 'own/sub/1': '1', 'own/2': '2', 'build/3': '3' });
    const ignored = (path: string): LeftOut | null => (/(^|\/)build(\/|$)/.test(path) ? 'ignored' : null);
    b.move('own/2', 'build/2');
    a.device.options = { ...a.device.options, leavesOut: ignored };
    expect(world.converge(9)).toBeNull();
    expect(a.files()).toEqual({ 'own/sub/1': '1', 'build/2': '2', 'build/3': '3' });

    const [other, c, d] = start({ 'own/sub/1': '1' });
    c.device.options = { ...c.device.options, leavesOut: ignored };
    d.make('build/');
    d.make('build/3', '3');
    expect(other.converge(9)).toBeNull();
    d.move('own/sub', 'build/sub');
    expect(other.converge(9)).toBeNull();
    expect(c.files()).toEqual({ 'own/': '' });
    expect(d.files()).toEqual({ 'own/': '', 'build/3': '3', 'build/sub/1': '1' });
  });

  test('what others do in a place that is left out does not come, and comes when it is selected again', () => {
    const [world, a, b] = start({ 'big/x': '1' });
    select(a.device, ['big']);
    expect(world.converge(5)).toBeNull();
    b.edit('big/x', '2');
    b.make('big/y', '3');
    b.remove('big/x');
    expect(world.converge(9)).toBeNull();
    expect(a.files()).toEqual({});
    select(a.device, []);
    expect(world.converge(9)).toBeNull();
    expect(a.files()).toEqual({ 'big/y': '3' });
  });
});
