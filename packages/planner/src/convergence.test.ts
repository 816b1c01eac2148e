import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { plan } from './make-plan.ts';
import type { ModelWorld, UserAction } from './testing/model-world.ts';
import { chooser, runScenario, settled, shuffleBatches } from './testing/run-scenario.ts';

const action: fc.Arbitrary<UserAction> = fc.record({
  device: fc.nat(1),
  kind: fc.nat(17),
  first: fc.nat(40),
  second: fc.nat(40),
  name: fc.nat(20),
});
const totals = new Map<string, number>();

function collect(world: ModelWorld): void {
  const keys = new Set(world.devices.flatMap((device) => [...device.counts.keys()]));
  for (const key of keys) totals.set(key, (totals.get(key) ?? 0) + 1);
}

const scenario = fc.record({
  base: fc.array(action, { minLength: 4, maxLength: 14 }),
  changes: fc.array(action, { minLength: 1, maxLength: 10 }),
  later: fc.array(action, { maxLength: 5 }),
  choices: fc.array(fc.nat(99), { minLength: 8, maxLength: 40 }),
  folds: fc.tuple(fc.boolean(), fc.boolean()),
  lost: fc.nat(9),
  windows: fc.constantFrom<[boolean, boolean]>([false, false], [false, false], [false, true], [true, false]),
  policies: fc.array(fc.record({ folder: fc.nat(5), lastWriteWins: fc.boolean() }), { maxLength: 2 }),
});

describe('two devices whose users do anything', () => {
  test('I1 I9 I11 I12 I14 I21 I23 always end equal, and nothing is lost [S-1 S-11 S-13 S-15 S-17 S-20]', () => {
    fc.assert(
      fc.property(scenario, (input) => collect(runScenario(input))),
      { numRuns: Number(process.env['PLANNER_RUNS'] ?? 20_000) },
    );
  }, 600_000);

  test('I10 I20 what one user alone does arrives everywhere and changes nothing for him [S-16 S-50]', () => {
    fc.assert(
      fc.property(scenario, (input) => {
        // A disk that folds names, so that nothing he does can clash.
        const world = settled(input.base, [true, input.folds[1]]);
        for (const each of input.changes) world.act({ ...each, device: 0 });
        const disk = () => world.devices[0]?.paths();
        const before = disk();
        const choose = chooser(input.choices);
        for (let round = 0; round < 6; round++) {
          for (const device of world.devices) {
            if (choose(3) > 0) device.follow();
            const { trees, plan: made } = device.plan();
            device.execute(trees, shuffleBatches(made.operations, choose), () => choose(3) > 0);
          }
        }
        expect(world.converge(100)).toBeNull();
        expect(world.problems()).toEqual([]);
        expect(disk()).toEqual(before);
      }),
      { numRuns: 1000 },
    );
  });

  test('I12 the order of operations within a batch does not matter [S-14]', () => {
    fc.assert(
      fc.property(scenario, (input) => {
        const ends = [[0], input.choices].map((choices) => {
          const world = settled(input.base, input.folds);
          for (const each of input.changes) world.act(each);
          const choose = chooser(choices);
          for (let round = 0; round < 30; round++) {
            for (const device of world.devices) {
              device.follow();
              const { trees, plan: made } = device.plan();
              device.execute(trees, shuffleBatches(made.operations, choose), () => true);
            }
          }
          expect(world.converge(1)).toBeNull();
          expect(world.problems()).toEqual([]);
          return world.devices.map((device) => device.paths());
        });
        expect(ends[1]).toEqual(ends[0]);
      }),
      { numRuns: 400 },
    );
  });

  test('I7 I21 nothing is deleted for what cannot be seen, and all heals once it can [S-45 S-46]', () => {
    fc.assert(
      fc.property(scenario, fc.nat(40), (input, hidden) => {
        const world = settled(input.base, input.folds);
        const [first, second] = world.devices;
        if (first === undefined || second === undefined) return;
        const folders = first.disk.values().filter((node) => node.kind === 'folder');
        const folder = folders[hidden % folders.length];
        if (folder === undefined) return;
        const inside = first.disk.below(folder.entryId).slice(1);
        const nodes = inside.map((id) => first.disk.get(id)).filter((node) => node !== undefined);
        for (const id of [...inside].reverse()) first.disk.delete(id);
        first.unknown.add(folder.entryId);
        const changes = input.changes.map((each) => ({ ...each, device: 1 }));
        for (const each of changes) world.act(each);
        for (let round = 0; round < 8; round++) {
          for (const device of world.devices) {
            device.follow();
            const { trees, plan: made } = device.plan();
            device.execute(trees, made.operations, () => true);
          }
        }
        expect(first.plan().plan.operations).toEqual([]);
        // `phantom delete` would be among the problems: the user of the first device removed nothing.
        expect(world.devices.flatMap((device) => device.problems)).toEqual([]);
        for (const node of nodes) first.disk.set(node);
        first.unknown.clear();
        expect(world.converge(100)).toBeNull();
        expect(world.problems()).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  test('a plan for the entries that differ is the plan for all [S-12]', () => {
    fc.assert(
      fc.property(scenario, (input) => {
        const world = settled(input.base, input.folds);
        for (const each of input.changes) world.act(each);
        const [first, second] = world.devices;
        if (first === undefined || second === undefined) return;
        const { trees, plan: made } = second.plan();
        second.execute(trees, made.operations, () => true);
        first.follow();
        const now = first.observe();
        const ids = [now.remote, now.local, now.synced].flatMap((tree) =>
          [...tree.values()].map((node) => node.entryId),
        );
        const differing = ids.filter((id) => {
          const r = now.remote.get(id);
          const l = now.local.get(id);
          const s = now.synced.get(id);
          if (!r || !l || !s) return true;
          const key = (n: typeof r | typeof l | typeof s) => [n.parentId, n.name].join('/');
          if (key(r) !== key(l) || key(r) !== key(s) || r.sequence !== s.sequence) return true;
          if (r.kind === 'link') return l.target !== r.target;
          if (r.kind === 'folder') return false;
          const attributes = (n: { executable: boolean; modifiedAtUs: number }) =>
            `${n.executable}${n.modifiedAtUs}`;
          return l.content?.contentId !== r.content.contentId || attributes(l) !== attributes(r);
        });
        expect(plan(now, first.options, differing).operations).toEqual(plan(now, first.options).operations);
      }),
      { numRuns: 300 },
    );
  });

  test('the runs above did meet the hard cases', () => {
    const lines = [...totals].sort(([a], [b]) => (a < b ? -1 : 1));
    if (process.env['PLANNER_STATISTICS']) console.log(lines.map(([k, v]) => `${k} ${v}`).join('\n'));
    for (const kind of [
      'op:fork',
      'op:renew',
      'op:adopt',
      'op:forget',
      'breaks-name-cycle',
      'both-edited',
      'last-write-wins',
      'not-possible-here',
    ]) {
      expect.soft(totals.get(kind) ?? 0, kind).toBeGreaterThan(0);
    }
  });
});
