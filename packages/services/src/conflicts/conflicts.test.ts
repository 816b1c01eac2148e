import type { Change, EntryId } from '@cairn/model';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Conflict, ConflictChoice } from '../data-services-types.ts';
import { createDataWorld, type DataWorld, fileOf, folder, type TestUser } from '../testing/data-world.ts';

let world: DataWorld;
let ann: TestUser;
let originalId: EntryId;
let copyId: EntryId;

async function list(): Promise<readonly Conflict[]> {
  return (await world.services.conflicts.list(ann.principal, ann.spaceId, { after: null, limit: 10 }))
    .conflicts;
}

function resolve(keep: ConflictChoice['keep'], conflict: Conflict): Promise<void> {
  return world.services.conflicts.resolve(ann.principal, ann.spaceId, conflict.copy.entry.entryId, {
    keep,
    copySequence: conflict.copy.entry.sequence,
    originalSequence: conflict.original?.entry.sequence ?? null,
  });
}

async function only(): Promise<Conflict> {
  const [conflict, ...more] = await list();
  expect(more).toEqual([]);
  return conflict as Conflict;
}

const update = async (entryId: EntryId, change: Partial<Extract<Change, { kind: 'update' }>>) => {
  const entry = (await world.liveTree(ann)).get(entryId);
  const baseSequence = entry?.sequence ?? 0;
  return world.commit(ann, [{ kind: 'update', entryId, baseSequence, ...change }]);
};

beforeEach(async () => {
  world = await createDataWorld();
  ann = await world.addUser('ann');
  originalId = world.newId<EntryId>();
  copyId = world.newId<EntryId>();
  const dir = world.newId<EntryId>();
  await world.commit(ann, [
    { kind: 'create', entryId: dir, parentId: ann.rootId, name: 'd', entry: folder },
    {
      kind: 'create',
      entryId: originalId,
      parentId: dir,
      name: 'f',
      entry: fileOf(await world.upload(ann, 'base')),
    },
  ]);
  const base = (await world.liveTree(ann)).get(originalId);
  // A rename is no version: the base is the version that was current then.
  await update(originalId, { name: 'g' });
  await update(originalId, { content: await world.upload(ann, 'theirs') });
  const entry = {
    ...fileOf(await world.upload(ann, 'mine')),
    conflictOf: { entryId: originalId, baseSequence: (base?.sequence ?? 0) + 1, deviceName: 'Laptop', at: 7 },
  } as const;
  await world.commit(ann, [{ kind: 'create', entryId: copyId, parentId: dir, name: 'copy', entry }]);
});
afterEach(() => world.close());

describe('conflicts', () => {
  test('I18 are listed with both sides and the base, and travel in journal and snapshot [S-33]', async () => {
    const conflict = await only();
    const [theirs, base] = await world.services.files.listVersions(ann.principal, originalId);
    expect(conflict).toMatchObject({
      conflictOf: { entryId: originalId, deviceName: 'Laptop', at: 7 },
      copy: { path: '/d/copy', entry: { entryId: copyId } },
      original: { path: '/d/g', entry: { entryId: originalId }, version: theirs },
      base,
    });
    expect((await world.liveTree(ann)).get(copyId)).toMatchObject({ conflictOf: conflict.conflictOf });
  });

  test('keep mine: the content becomes a version of the original, the copy goes to the trash [S-34]', async () => {
    await resolve('mine', await only());
    expect(await list()).toEqual([]);
    const versions = await world.services.files.listVersions(ann.principal, originalId);
    expect(versions).toHaveLength(3);
    const mine = await world.cut('mine');
    expect(versions[0]?.content?.contentId).toBe(mine.content.contentId);
    expect((await world.liveTree(ann)).has(copyId)).toBe(false);
    const page = { offset: 0, limit: 10 };
    expect((await world.services.trash.list(ann.principal, null, page)).items).toMatchObject([
      { name: 'copy' },
    ]);
  });

  test('keep theirs: the copy goes to the trash and nothing else changes', async () => {
    const before = (await world.liveTree(ann)).get(originalId);
    await resolve('theirs', await only());
    const after = await world.liveTree(ann);
    expect([after.has(copyId), after.get(originalId)]).toEqual([false, before]);
  });

  test('keep both: it is an ordinary file from now on', async () => {
    await resolve('both', await only());
    expect(await list()).toEqual([]);
    const entry = (await world.liveTree(ann)).get(copyId);
    expect(entry).toMatchObject({ name: 'copy' });
    expect(entry).not.toHaveProperty('conflictOf');
  });

  test.each(['mine', 'theirs', 'both'] as const)(
    'keep %s refuses what was changed since [S-34]',
    async (keep) => {
      const seen = await only();
      await update(copyId, { content: await world.upload(ann, 'mine, later') });
      await expect(resolve(keep, seen)).rejects.toMatchObject({ code: 'precondition-failed' });
      const again = await only();
      await update(originalId, { content: await world.upload(ann, 'theirs, later') });
      await expect(resolve(keep, again)).rejects.toMatchObject({ code: 'precondition-failed' });
      expect(await list()).toHaveLength(1);
    },
  );

  test('when the original is gone, only both can be kept', async () => {
    const { sequence } = (await world.liveTree(ann)).get(originalId) ?? { sequence: 0 };
    await world.commit(ann, [{ kind: 'remove', entryId: originalId, baseSequence: sequence }]);
    const conflict = await only();
    expect(conflict.original).toBeNull();
    await expect(resolve('mine', conflict)).rejects.toThrow(/keep both/);
    await expect(resolve('theirs', conflict)).rejects.toThrow(/keep both/);
    await resolve('both', conflict);
    expect(await list()).toEqual([]);
  });

  test('other people see and decide nothing', async () => {
    const bob = await world.addUser('bob');
    const conflict = await only();
    const choice = { keep: 'both', copySequence: 1, originalSequence: null } as const;
    const asked = [
      world.services.conflicts.list(bob.principal, ann.spaceId, { after: null, limit: 10 }),
      world.services.conflicts.resolve(bob.principal, ann.spaceId, copyId, choice),
      world.services.conflicts.resolve(bob.principal, bob.spaceId, copyId, choice),
    ];
    for (const each of asked) await expect(each).rejects.toMatchObject({ code: 'not-found' });
    expect(await only()).toEqual(conflict);
  });
});

describe('what folders say about conflicts', () => {
  test('is kept, changed and taken back; the root can say it, a file cannot', async () => {
    const say = (entryId: EntryId, conflictPolicy: 'keep-both' | 'last-write-wins' | null) =>
      world.services.files.update(ann.principal, entryId, { conflictPolicy });
    expect(await say(ann.rootId, 'last-write-wins')).toMatchObject({ conflictPolicy: 'last-write-wins' });
    expect(await say(ann.rootId, 'keep-both')).toMatchObject({ conflictPolicy: 'keep-both' });
    expect(await say(ann.rootId, null)).not.toHaveProperty('conflictPolicy');
    await expect(say(originalId, 'keep-both')).rejects.toMatchObject({ code: 'not-a-folder' });
    const move = world.services.files.update(ann.principal, ann.rootId, { name: 'x', conflictPolicy: null });
    await expect(move).rejects.toMatchObject({ code: 'bad-request' });
  });
});
