import type { Change, EntryId } from '@cairn/model';
import { isCairnError } from '@cairn/model';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createDataWorld, type DataWorld, fileOf, folder, type TestUser } from '../testing/data-world.ts';
import { treeOf } from '../testing/tree-of.ts';

const step = fc.record({
  kind: fc.constantFrom(
    'folder',
    'folder',
    'file',
    'file',
    'link',
    'rename',
    'move',
    'move',
    'edit',
    'attributes',
    'remove',
    'restore',
    'revive',
    'policy',
    'swap',
  ),
  entry: fc.nat(40),
  parent: fc.nat(40),
  name: fc.constantFrom('a', 'A', 'b', 'c', 'd', 'ß'),
  content: fc.nat(2),
  at: fc.nat(3),
});

async function uploadAll(world: DataWorld, user: TestUser) {
  return [
    await world.upload(user, 'one'),
    await world.upload(user, 'two'),
    await world.upload(user, 'three'),
  ];
}

async function play(
  world: DataWorld,
  user: TestUser,
  ids: EntryId[],
  contents: readonly Awaited<ReturnType<DataWorld['upload']>>[],
  one: typeof step extends fc.Arbitrary<infer Step> ? Step : never,
): Promise<boolean> {
  const records = await world.store.read((reader) => reader.getEntries(user.spaceId, ids));
  const known = records.flatMap((record) => (record === undefined ? [] : [record]));
  const live = known.filter((record) => record.trashId === null);
  const folders = live.filter(({ kind }) => kind === 'folder');
  const tops = known.filter((record) => record.trashId === record.entryId);
  const trashed = known.filter((record) => record.trashId !== null && record.kind !== 'folder');
  const pick = one.kind === 'restore' ? tops : one.kind === 'revive' ? trashed : live.slice(1);
  const target = pick[one.entry % Math.max(1, pick.length)];
  const parentId = folders[one.parent % folders.length]?.entryId ?? user.rootId;
  const { name } = one;
  const content = contents[one.content] ?? contents[0];
  if (content === undefined) return false;
  const entryId = world.newId<EntryId>();
  const sequence = await world.services.spaces.currentSequence(user.principal, user.spaceId);
  const changes = ((): Change[] => {
    if (one.kind === 'folder') return [{ kind: 'create', entryId, parentId, name, entry: folder }];
    if (one.kind === 'file') return [{ kind: 'create', entryId, parentId, name, entry: fileOf(content) }];
    if (one.kind === 'link') {
      return [
        { kind: 'create', entryId, parentId, name, entry: { kind: 'link', target: name, modifiedAtUs: 1 } },
      ];
    }
    if (target === undefined) return [];
    const update = { kind: 'update', entryId: target.entryId, baseSequence: target.sequence } as const;
    switch (one.kind) {
      case 'rename':
        return [{ ...update, name }];
      case 'move':
        return [{ ...update, parentId }];
      case 'edit':
        return target.kind === 'file'
          ? [{ ...update, content }]
          : target.kind === 'link'
            ? [{ ...update, target: `${name}${one.content}` }]
            : [];
      case 'attributes':
        return target.kind === 'file'
          ? [{ ...update, executable: one.content > 0, modifiedAtUs: one.entry }]
          : [];
      case 'policy':
        return target.kind === 'folder'
          ? [{ ...update, conflictPolicy: one.content > 0 ? 'last-write-wins' : null }]
          : [];
      case 'remove':
        return [{ kind: 'remove', entryId: target.entryId, baseSequence: sequence }];
      case 'restore':
        return [{ kind: 'restore', entryId: target.entryId, parentId, name }];
      case 'revive':
        return [{ ...update, baseSequence: sequence, parentId, name }];
      default: {
        const other = live.slice(1)[one.parent % Math.max(1, live.length - 1)];
        if (other === undefined || other.entryId === target.entryId) return [];
        return [
          { ...update, parentId: other.parentId as EntryId, name: other.name },
          {
            kind: 'update',
            entryId: other.entryId,
            baseSequence: other.sequence,
            parentId: target.parentId as EntryId,
            name: target.name,
          },
        ];
      }
    }
  })();
  if (changes.length === 0) return false;
  try {
    await world.commit(user, changes);
  } catch (error) {
    if (!isCairnError(error, 'conflict', 'bad-request')) throw error;
    return false;
  }
  if (changes[0]?.kind === 'create') ids.push(entryId);
  return true;
}

/** Restored folders bring ids back that a rewind made; all that there are can be chosen. */
async function allIds(world: DataWorld, user: TestUser): Promise<EntryId[]> {
  const ids = new Set<EntryId>([user.rootId]);
  const rows = await world.store.read((reader) => reader.readJournal(user.spaceId, 0, 100_000));
  for (const { change } of rows) ids.add(change.entryId);
  return [...ids];
}

test('rewinding to any instant gives the tree of that instant, and rewinding back gives the present one', async () => {
  const seen = { rewinds: 0, changed: 0, restored: 0, removed: 0, moved: 0, reverted: 0 };
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 4, maxLength: 40 }),
      fc.array(fc.nat(1000), { minLength: 1, maxLength: 3 }),
      async (steps, choices) => {
        const world = await createDataWorld();
        try {
          const ann = await world.addUser('ann');
          const contents = await uploadAll(world, ann);
          const past: { at: number; tree: Map<string, string> }[] = [];
          let ids: EntryId[] = [ann.rootId];
          const note = async () => {
            past.push({ at: world.environment.clock.now(), tree: await treeOf(world, ann) });
            await world.environment.advance(5);
          };
          await note();
          for (const [index, one] of steps.entries()) {
            await play(world, ann, ids, contents, one);
            // Several changes may have one instant.
            if (one.at > 0) await note();
            // Some history comes after a rewind, too.
            if (index === Math.floor(steps.length * 0.7)) {
              await note();
              const chosen = past[(choices[0] ?? 0) % past.length];
              await world.services.rewind.apply(ann.principal, ann.rootId, chosen?.at ?? 0, null);
              ids = await allIds(world, ann);
              await note();
            }
          }
          await note();
          for (const choice of choices) {
            const chosen = past[choice % past.length];
            if (chosen === undefined) throw new Error('nothing to choose');
            const before = await treeOf(world, ann);
            const looked = await world.services.rewind.look(ann.principal, ann.rootId, chosen.at, true);
            expect(looked.entries.map(({ path }) => path).sort()).toEqual([...chosen.tree.keys()].sort());
            const preview = await world.services.rewind.preview(ann.principal, ann.rootId, chosen.at, {
              after: 0,
              limit: 2000,
            });
            seen.restored += preview.counts.restore;
            seen.removed += preview.counts.remove;
            seen.moved += preview.counts['move-back'];
            seen.reverted += preview.counts.revert;
            expect(preview.counts.lost).toBe(0);
            const done = await world.services.rewind.apply(ann.principal, ann.rootId, chosen.at, null);
            expect(await treeOf(world, ann)).toEqual(chosen.tree);
            seen.rewinds += 1;
            if (done.changed > 0) seen.changed += 1;
            await world.environment.advance(5);
            const undone = await world.services.rewind.apply(ann.principal, ann.rootId, done.undoAt, null);
            expect(await treeOf(world, ann)).toEqual(before);
            if (done.changed > 0) expect(undone.sequence).toBeGreaterThan(done.sequence);
            await world.environment.advance(5);
          }
        } finally {
          await world.close();
        }
      },
    ),
    { numRuns: Number(process.env['REWIND_RUNS'] ?? 40) },
  );
  expect(seen.changed).toBeGreaterThan(10);
  for (const count of [seen.restored, seen.removed, seen.moved, seen.reverted])
    expect(count).toBeGreaterThan(0);
}, 600_000);

test('a folder in the tree is rewound alone', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 30 }), fc.nat(1000), async (steps, choice) => {
      const world = await createDataWorld();
      try {
        const ann = await world.addUser('ann');
        const contents = await uploadAll(world, ann);
        const top = world.newId<EntryId>();
        await world.commit(ann, [
          { kind: 'create', entryId: top, parentId: ann.rootId, name: 'top', entry: folder },
        ]);
        const ids: EntryId[] = [ann.rootId, top];
        const past: { at: number; tree: Map<string, string> }[] = [];
        for (const one of steps) {
          const isLive = (await world.liveTree(ann)).has(top);
          if (isLive) past.push({ at: world.environment.clock.now(), tree: await treeOf(world, ann, top) });
          await world.environment.advance(5);
          await play(world, ann, ids, contents, one);
          await world.environment.advance(5);
        }
        const chosen = past[choice % past.length];
        if (chosen === undefined || !(await world.liveTree(ann)).has(top)) return;
        const before = await treeOf(world, ann, top);
        const paths = [...(await treeOf(world, ann)).keys()].sort();
        const done = await world.services.rewind.apply(ann.principal, top, chosen.at, null);
        expect(await treeOf(world, ann, top)).toEqual(chosen.tree);
        await world.environment.advance(5);
        await world.services.rewind.apply(ann.principal, top, done.undoAt, null);
        expect(await treeOf(world, ann, top)).toEqual(before);
        expect([...(await treeOf(world, ann)).keys()].sort()).toEqual(paths);
      } finally {
        await world.close();
      }
    }),
    { numRuns: Number(process.env['REWIND_RUNS'] ?? 40) },
  );
}, 600_000);

test('some changes are made and undone alone, and what others did meanwhile stays', async () => {
  const seen = { partial: 0, changed: 0 };
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 4, maxLength: 30 }),
      fc.nat(1000),
      fc.array(fc.nat(1000), { minLength: 1, maxLength: 4 }),
      async (steps, choice, picks) => {
        const world = await createDataWorld();
        try {
          const ann = await world.addUser('ann');
          const contents = await uploadAll(world, ann);
          const ids: EntryId[] = [ann.rootId];
          const instants: number[] = [];
          for (const one of steps) {
            instants.push(world.environment.clock.now());
            await world.environment.advance(5);
            await play(world, ann, ids, contents, one);
            await world.environment.advance(5);
          }
          const at = instants[choice % instants.length] ?? 0;
          const page = { after: 0, limit: 2000 };
          const preview = await world.services.rewind.preview(ann.principal, ann.rootId, at, page);
          const can = preview.steps.filter(({ kind }) => kind !== 'lost');
          const only = [...new Set(picks.flatMap((pick) => can[pick % can.length]?.entryId ?? []))];
          if (only.length === 0) return;
          const before = await treeOf(world, ann);
          const done = await world.services.rewind.apply(ann.principal, ann.rootId, at, only);
          await world.environment.advance(5);
          const [content] = contents;
          if (content === undefined) return;
          const entryId = world.newId<EntryId>();
          await world.commit(ann, [
            { kind: 'create', entryId, parentId: ann.rootId, name: 'later', entry: fileOf(content) },
          ]);
          await world.environment.advance(5);
          if (done.undoOnly !== null && done.undoOnly.length > 0) {
            await world.services.rewind.apply(ann.principal, ann.rootId, done.undoAt, done.undoOnly);
          }
          const after = await treeOf(world, ann);
          expect(after.delete('/later')).toBe(true);
          expect(after).toEqual(before);
          if (done.changed > 0) seen.changed += 1;
          if (only.length < can.length) seen.partial += 1;
        } finally {
          await world.close();
        }
      },
    ),
    { numRuns: Number(process.env['REWIND_RUNS'] ?? 40) },
  );
  expect(seen.changed).toBeGreaterThan(10);
  expect(seen.partial).toBeGreaterThan(5);
}, 600_000);
