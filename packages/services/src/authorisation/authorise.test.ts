import type { ChangesetId, EntryId, SpaceId, VersionId } from '@cairn/model';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { DataServices } from '../data-services-types.ts';
import { createDataWorld, type DataWorld, type TestUser } from '../testing/data-world.ts';
import type { Principal } from './principal.ts';

let world: DataWorld;
let ann: TestUser;
let bob: TestUser;
let file: { entryId: EntryId; versionId: VersionId };
let trashed: EntryId;

async function* bytes(text: string): AsyncGenerator<Uint8Array> {
  yield new TextEncoder().encode(text);
}

beforeAll(async () => {
  world = await createDataWorld();
  ann = await world.addUser('ann');
  bob = await world.addUser('bob');
  const { files } = world.services;
  file = await files.putFile(ann.principal, '/secret/file', bytes('secret'));
  trashed = (await files.putFile(ann.principal, '/trashed', bytes('old'))).entryId;
  await files.remove(ann.principal, trashed);
});
afterAll(() => world.close());

interface Ids {
  readonly spaceId: SpaceId;
  readonly entryId: EntryId;
  readonly versionId: VersionId;
  readonly trashed: EntryId;
}

/** Every use case that names an object, as somebody calls it. */
const calls: Record<string, (services: DataServices, who: Principal, ids: Ids) => Promise<unknown>> = {
  commitChangeset: ({ spaces }, who, { spaceId }) =>
    spaces.commitChangeset(who, spaceId, { changesetId: world.newId<ChangesetId>(), changes: [] }),
  readChanges: ({ spaces }, who, { spaceId }) =>
    spaces.readChanges(who, spaceId, `${'a'.repeat(26)}.0.${'0'.repeat(16)}`, 10),
  readSnapshot: ({ spaces }, who, { spaceId }) => spaces.readSnapshot(who, spaceId, null, 10),
  currentSequence: ({ spaces }, who, { spaceId }) => spaces.currentSequence(who, spaceId),
  findMissingBlocks: ({ blocks }, who, { spaceId }) => blocks.findMissingBlocks(who, spaceId, []),
  storeBlocks: ({ blocks }, who, { spaceId }) => blocks.storeBlocks(who, spaceId, []),
  readBlocks: ({ blocks }, who, { spaceId }) => blocks.readBlocks(who, spaceId, []),
  getByPath: ({ files }, who, { spaceId }) => files.getByPath(who, spaceId, '/secret/file'),
  get: ({ files }, who, { entryId }) => files.get(who, entryId),
  listFolder: ({ files }, who, { entryId }) => files.listFolder(who, entryId, { after: null, limit: 9 }),
  openFile: ({ files }, who, { entryId }) => files.openFile(who, entryId),
  update: ({ files }, who, { entryId }) => files.update(who, entryId, { name: 'taken' }),
  remove: ({ files }, who, { entryId }) => files.remove(who, entryId),
  listVersions: ({ files }, who, { entryId }) => files.listVersions(who, entryId),
  revert: ({ files }, who, { entryId, versionId }) => files.revert(who, entryId, versionId),
  listTrash: ({ trash }, who, { spaceId }) => trash.list(who, spaceId, { offset: 0, limit: 9 }),
  restore: ({ trash }, who, ids) => trash.restore(who, ids.trashed),
};

async function answerOf(call: Promise<unknown>): Promise<unknown> {
  const error = await call.then(
    () => null,
    (thrown) => thrown,
  );
  return error === null ? 'allowed' : [error.code, error.message, error.details];
}

test.each(Object.keys(calls))('%s: what is not yours answers as what does not exist', async (name) => {
  const call = calls[name] as (typeof calls)[string];
  const real = { spaceId: ann.spaceId, ...file, trashed };
  const absent = {
    spaceId: world.newId<SpaceId>(),
    entryId: world.newId<EntryId>(),
    versionId: world.newId<VersionId>(),
    trashed: world.newId<EntryId>(),
  };
  const foreign = await answerOf(call(world.services, bob.principal, real));
  expect(foreign).toEqual(await answerOf(call(world.services, bob.principal, absent)));
  expect(foreign).toEqual(['not-found', expect.any(String), {}]);
});

test('a move into a folder of somebody else fails like a move into one that does not exist', async () => {
  const { files } = world.services;
  const mine = await files.putFile(bob.principal, '/mine', bytes('mine'));
  const foreign = await answerOf(files.update(bob.principal, mine.entryId, { parentId: ann.rootId }));
  const absent = await answerOf(files.update(bob.principal, mine.entryId, { parentId: world.newId() }));
  expect(foreign).toEqual(absent);
  expect(foreign).toEqual(['not-found', expect.any(String), {}]);
});

test('nothing of it changed anything for the owner', async () => {
  expect((await world.services.files.get(ann.principal, file.entryId)).path).toBe('/secret/file');
});
