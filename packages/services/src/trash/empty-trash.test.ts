import type { EntryId } from '@cairn/model';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createDataWorld, type DataWorld, fileOf, folder, type TestUser } from '../testing/data-world.ts';

let world: DataWorld;
let ann: TestUser;
let bob: TestUser;
beforeEach(async () => {
  world = await createDataWorld();
  ann = await world.addUser('ann');
  bob = await world.addUser('bob');
});
afterEach(() => world.close());

async function put(user: TestUser, path: string, text: string): Promise<EntryId> {
  const bytes = new TextEncoder().encode(text);
  const entry = await world.services.files.putFile(
    user.principal,
    path,
    (async function* () {
      yield bytes;
    })(),
  );
  return entry.entryId;
}

const listNames = async (user: TestUser) => {
  const { items } = await world.services.trash.list(user.principal, null, { offset: 0, limit: 100 });
  return items.map(({ name }) => name).sort();
};
const isReferenced = async (user: TestUser, text: string) => {
  const { content } = await world.cut(text);
  const ids = content.manifest.parts.map(({ block }) => block);
  return (await world.store.read((reader) => reader.hasReferences(user.spaceId, ids))).every(Boolean);
};

test('an empty trash has nothing left, and what is live or of others is as before', async () => {
  const { files, trash } = world.services;
  await put(ann, '/docs/old.txt', 'in the trash');
  await put(ann, '/docs/deep/older.txt', 'in the trash too');
  await put(ann, '/kept.txt', 'kept');
  const alone = await put(ann, '/alone.txt', 'kept');
  const others = await put(bob, '/of-bob.txt', 'in the trash');
  const { entry: docs } = await files.getByPath(ann.principal, null, '/docs');
  await files.remove(ann.principal, docs.entryId);
  await files.remove(ann.principal, alone);
  await files.remove(bob.principal, others);
  const sequence = await world.services.spaces.currentSequence(ann.principal, ann.spaceId);

  expect(await trash.empty(ann.principal, null)).toEqual({ items: 2, entries: 5 });
  expect(await listNames(ann)).toEqual([]);
  expect(await listNames(bob)).toEqual(['of-bob.txt']);
  expect(await isReferenced(ann, 'in the trash too')).toBe(false);
  expect(await isReferenced(ann, 'kept')).toBe(true);
  expect(await isReferenced(bob, 'in the trash')).toBe(true);
  await expect(trash.restore(ann.principal, docs.entryId)).rejects.toMatchObject({ code: 'not-found' });
  // Devices learn nothing new: for them it went when it was trashed.
  expect(await world.services.spaces.currentSequence(ann.principal, ann.spaceId)).toBe(sequence);
  expect((await world.liveTree(ann)).size).toBe(2);
  expect(await trash.empty(ann.principal, null)).toEqual({ items: 0, entries: 0 });
});

test('one item can go alone; what is live, unknown or of others is not found', async () => {
  const { files, trash } = world.services;
  const [first, second] = [await put(ann, '/a.txt', 'a'), await put(ann, '/b.txt', 'b')];
  const live = await put(ann, '/c.txt', 'c');
  const others = await put(bob, '/d.txt', 'd');
  for (const entryId of [first, second]) await files.remove(ann.principal, entryId);
  await files.remove(bob.principal, others);
  await trash.purge(ann.principal, first);
  expect(await listNames(ann)).toEqual(['b.txt']);
  for (const entryId of [first, live, others, world.newId<EntryId>()]) {
    await expect(trash.purge(ann.principal, entryId)).rejects.toMatchObject({ code: 'not-found' });
  }
  await expect(trash.empty(ann.principal, bob.spaceId)).rejects.toMatchObject({ code: 'not-found' });
  expect(await listNames(bob)).toEqual(['d.txt']);
  expect((await files.get(ann.principal, live)).path).toBe('/c.txt');
});

test('what was trashed alone before its folder stays an item of its own', async () => {
  const { files, trash } = world.services;
  const inner = await put(ann, '/docs/inner.txt', 'inner');
  await files.remove(ann.principal, inner);
  const { entry: docs } = await files.getByPath(ann.principal, null, '/docs');
  await files.remove(ann.principal, docs.entryId);
  await trash.purge(ann.principal, docs.entryId);
  expect(await listNames(ann)).toEqual(['inner.txt']);
  expect((await trash.restore(ann.principal, inner)).path).toBe('/docs/inner.txt');
});

test('an edit of what was purged is refused as of something unknown, and the file can be made anew', async () => {
  const entryId = await put(ann, '/a.txt', 'a');
  await world.services.files.remove(ann.principal, entryId);
  await world.services.trash.empty(ann.principal, null);
  const content = await world.upload(ann, 'edited offline');
  const place = { parentId: ann.rootId, name: 'a.txt' };
  await expect(
    world.commit(ann, [{ kind: 'update', entryId, baseSequence: 1, ...place, content }]),
  ).rejects.toMatchObject({
    code: 'conflict',
    details: { conflicts: [{ reason: 'entry-missing', current: null }] },
  });
  await world.commit(ann, [{ kind: 'create', entryId: world.newId(), ...place, entry: fileOf(content) }]);
  expect((await world.liveTree(ann)).size).toBe(2);
});

/** A trashed folder of 1,500 files of the same content. */
async function trashMany(): Promise<EntryId> {
  const top = world.newId<EntryId>();
  const changes = [
    { kind: 'create', entryId: top, parentId: ann.rootId, name: 'top', entry: folder },
  ] as const;
  await world.commit(ann, changes);
  const content = await world.upload(ann, 'all the same');
  for (let batch = 0; batch < 3; batch++) {
    const created = Array.from({ length: 500 }, (_, index) => ({
      kind: 'create' as const,
      entryId: world.newId<EntryId>(),
      parentId: top,
      name: `file ${batch} ${index}`,
      entry: fileOf(content),
    }));
    await world.commit(ann, created);
  }
  await world.services.files.remove(ann.principal, top);
  return top;
}

test('an item of many entries goes in several transactions', async () => {
  await trashMany();
  let transactions = 0;
  const { transact } = world.store;
  world.store.transact = (work) => {
    transactions += 1;
    return transact(work);
  };
  expect(await world.services.trash.empty(ann.principal, null)).toEqual({ items: 1, entries: 1501 });
  expect(transactions).toBe(2);
  expect(await isReferenced(ann, 'all the same')).toBe(false);
});

test('an item that is restored while it goes keeps what is left', async () => {
  const top = await trashMany();
  const { transact } = world.store;
  let transactions = 0;
  world.store.transact = async (work) => {
    transactions += 1;
    if (transactions === 2) await world.services.trash.restore(ann.principal, top);
    return transact(work);
  };
  expect(await world.services.trash.empty(ann.principal, null)).toEqual({ items: 1, entries: 1000 });
  // The root, the folder, and what had not gone yet.
  expect((await world.liveTree(ann)).size).toBe(2 + 500);
  expect(await isReferenced(ann, 'all the same')).toBe(true);
});
