import type { Change, EntryId } from '@cairn/model';
import { describe, expect, test } from 'vitest';
import { createDataWorld, type DataWorld, fileOf, folder, type TestUser } from '../testing/data-world.ts';
import { treeOf } from '../testing/tree-of.ts';

describe('rewinding', () => {
  async function worldWithFolder() {
    const world = await createDataWorld();
    const ann = await world.addUser('ann');
    const content = await world.upload(ann, 'text');
    const [folderId, fileId] = [world.newId<EntryId>(), world.newId<EntryId>()];
    await world.environment.advance(10);
    await world.commit(ann, [
      { kind: 'create', entryId: folderId, parentId: ann.rootId, name: 'docs', entry: folder },
      { kind: 'create', entryId: fileId, parentId: folderId, name: 'a.txt', entry: fileOf(content) },
    ]);
    const at = world.environment.clock.now();
    await world.environment.advance(10);
    return { world, ann, content, folderId, fileId, at };
  }
  const sequenceOf = (world: DataWorld, user: TestUser) =>
    world.services.spaces.currentSequence(user.principal, user.spaceId);

  test('brings a deleted folder back as it was, with its ids, in one changeset', async () => {
    const { world, ann, folderId, fileId, at } = await worldWithFolder();
    const baseSequence = await sequenceOf(world, ann);
    await world.commit(ann, [{ kind: 'remove', entryId: folderId, baseSequence }]);
    await world.environment.advance(10);
    const done = await world.services.rewind.apply(ann.principal, ann.rootId, at, null);
    expect(done.changed).toBe(2);
    const live = await world.liveTree(ann);
    expect(live.get(fileId)).toMatchObject({ parentId: folderId, name: 'a.txt' });
    const rows = await world.store.read((reader) => reader.readJournal(ann.spaceId, baseSequence + 1, 10));
    expect(new Set(rows.map(({ change }) => change.changesetId)).size).toBe(1);
    await world.close();
  });

  test('restores one thing, into folders that it needs, beside what has its name now', async () => {
    const { world, ann, content, folderId, fileId, at } = await worldWithFolder();
    const baseSequence = await sequenceOf(world, ann);
    await world.commit(ann, [{ kind: 'remove', entryId: fileId, baseSequence }]);
    const other = world.newId<EntryId>();
    await world.commit(ann, [
      { kind: 'create', entryId: other, parentId: folderId, name: 'A.txt', entry: fileOf(content) },
    ]);
    await world.environment.advance(10);
    await world.services.rewind.apply(ann.principal, ann.rootId, at, [fileId]);
    const live = await world.liveTree(ann);
    expect(live.get(fileId)).toMatchObject({ parentId: folderId, name: 'a (restored).txt' });
    expect(live.get(other)?.name).toBe('A.txt');
    await world.commit(ann, [
      { kind: 'remove', entryId: folderId, baseSequence: await sequenceOf(world, ann) },
    ]);
    await world.environment.advance(10);
    await world.services.rewind.apply(ann.principal, ann.rootId, at, [fileId]);
    expect([...(await treeOf(world, ann)).keys()].sort()).toEqual(['/docs', '/docs/a.txt']);
    await world.close();
  });

  test('leaves a folder that is elsewhere now with what it got there, and can be undone', async () => {
    const { world, ann, content, folderId, fileId } = await worldWithFolder();
    const innerId = world.newId<EntryId>();
    const baseOf = async (entryId: EntryId) => (await world.liveTree(ann)).get(entryId)?.sequence ?? 0;
    await world.commit(ann, [
      { kind: 'create', entryId: innerId, parentId: folderId, name: 'inner', entry: folder },
    ]);
    await world.commit(ann, [
      {
        kind: 'update',
        entryId: fileId,
        baseSequence: await baseOf(fileId),
        parentId: innerId,
        name: 'a.txt',
      },
    ]);
    const at = world.environment.clock.now();
    await world.environment.advance(10);
    await world.commit(ann, [
      {
        kind: 'update',
        entryId: innerId,
        baseSequence: await baseOf(innerId),
        parentId: ann.rootId,
        name: 'moved out',
      },
      {
        kind: 'create',
        entryId: world.newId<EntryId>(),
        parentId: innerId,
        name: 'later.txt',
        entry: fileOf(content),
      },
    ]);
    const before = await treeOf(world, ann);
    await world.environment.advance(10);
    const done = await world.services.rewind.apply(ann.principal, folderId, at, null);
    expect([...(await treeOf(world, ann)).keys()].sort()).toEqual([
      '/docs',
      '/docs/inner',
      '/docs/inner/a.txt',
      '/moved out',
      '/moved out/later.txt',
    ]);
    expect((await world.liveTree(ann)).get(fileId)?.name).toBe('a.txt');
    await world.environment.advance(10);
    await world.services.rewind.apply(ann.principal, folderId, done.undoAt, null);
    expect(await treeOf(world, ann)).toEqual(before);
    await world.close();
  });

  test('undoing gives names back also within a folder that goes back', async () => {
    const { world, ann, folderId, fileId } = await worldWithFolder();
    const innerId = world.newId<EntryId>();
    const baseOf = async (entryId: EntryId) => (await world.liveTree(ann)).get(entryId)?.sequence ?? 0;
    const place = async (entryId: EntryId, parentId: EntryId, name: string) => {
      const baseSequence = await baseOf(entryId);
      await world.commit(ann, [{ kind: 'update', entryId, baseSequence, parentId, name }]);
    };
    await world.commit(ann, [
      { kind: 'create', entryId: innerId, parentId: folderId, name: 'inner', entry: folder },
    ]);
    await place(fileId, innerId, 'a.txt');
    const at = world.environment.clock.now();
    await world.environment.advance(10);
    await place(innerId, ann.rootId, 'moved out');
    await place(fileId, innerId, 'b.txt');
    const before = await treeOf(world, ann);
    await world.environment.advance(10);
    const done = await world.services.rewind.apply(ann.principal, folderId, at, null);
    expect([...(await treeOf(world, ann)).keys()].sort()).toEqual([
      '/docs',
      '/docs/inner',
      '/docs/inner/a.txt',
    ]);
    await world.environment.advance(10);
    await world.services.rewind.apply(ann.principal, folderId, done.undoAt, null);
    expect(await treeOf(world, ann)).toEqual(before);
    await world.close();
  });

  test('what exchanged places with a folder that stays where it is now finds no room there, and goes to the trash', async () => {
    const { world, ann, folderId } = await worldWithFolder();
    const [inner, outer] = [world.newId<EntryId>(), world.newId<EntryId>()];
    const make = (entryId: EntryId, parentId: EntryId, name: string): Change => ({
      kind: 'create',
      entryId,
      parentId,
      name,
      entry: folder,
    });
    await world.commit(ann, [make(inner, folderId, 'same'), make(outer, ann.rootId, 'same')]);
    const at = world.environment.clock.now();
    await world.environment.advance(10);
    const then = await world.liveTree(ann);
    const move = (entryId: EntryId, parentId: EntryId): Change => ({
      kind: 'update',
      entryId,
      baseSequence: then.get(entryId)?.sequence ?? 0,
      parentId,
    });
    await world.commit(ann, [move(outer, folderId), move(inner, ann.rootId)]);
    await world.commit(ann, [make(world.newId(), inner, 'came later')]);
    await world.environment.advance(10);
    const before = await treeOf(world, ann);
    const done = await world.services.rewind.apply(ann.principal, folderId, at, null);
    expect([...(await treeOf(world, ann)).keys()].sort()).toEqual([
      '/docs',
      '/docs/a.txt',
      '/docs/same',
      '/same',
      '/same/came later',
    ]);
    const live = await world.liveTree(ann);
    expect([live.get(inner)?.parentId, live.has(outer)]).toEqual([ann.rootId, false]);
    await world.environment.advance(10);
    await world.services.rewind.apply(ann.principal, folderId, done.undoAt, null);
    expect(await treeOf(world, ann)).toEqual(before);
    await world.close();
  });

  test('tells the oldest instant, and what is no longer kept', async () => {
    const { world, ann, folderId, fileId, at } = await worldWithFolder();
    const look = world.services.rewind.look(ann.principal, ann.rootId, 1, false);
    await expect(look).rejects.toMatchObject({
      code: 'horizon-passed',
      details: { oldestAt: expect.any(Number) },
    });
    await expect(world.services.rewind.look(ann.principal, folderId, at - 10, false)).rejects.toMatchObject({
      code: 'horizon-passed',
    });
    await world.commit(ann, [
      { kind: 'remove', entryId: fileId, baseSequence: await sequenceOf(world, ann) },
    ]);
    await world.services.trash.purge(ann.principal, fileId);
    // While the blocks are leased to somebody who may read them they can still be had.
    await world.environment.advance(10 * 24 * 3_600_000);
    await world.store.transact((transaction) =>
      transaction.deleteExpired(world.environment.clock.now(), 100),
    );
    const preview = await world.services.rewind.preview(ann.principal, ann.rootId, at, {
      after: 0,
      limit: 10,
    });
    expect(preview.counts).toMatchObject({ lost: 1, restore: 0 });
    const done = await world.services.rewind.apply(ann.principal, ann.rootId, at, null);
    expect(done.changed).toBe(0);
    await world.close();
  });

  test('goes through several changesets where one does not do, and can be undone all the same', async () => {
    const { world, ann, content, folderId, at } = await worldWithFolder();
    const before = await treeOf(world, ann);
    for (let batch = 0; batch < 3; batch++) {
      await world.commit(
        ann,
        Array.from(
          { length: 1500 },
          (_, index): Change => ({
            kind: 'create',
            entryId: world.newId<EntryId>(),
            parentId: folderId,
            name: `later ${batch} ${index}`,
            entry: fileOf(content),
          }),
        ),
      );
    }
    await world.environment.advance(10);
    const many = await treeOf(world, ann);
    const done = await world.services.rewind.apply(ann.principal, ann.rootId, at, null);
    expect(done.changed).toBe(4500);
    expect(await treeOf(world, ann)).toEqual(before);
    await world.environment.advance(10);
    await world.services.rewind.apply(ann.principal, ann.rootId, done.undoAt, null);
    expect(await treeOf(world, ann)).toEqual(many);
    await world.close();
  }, 300_000);
});
