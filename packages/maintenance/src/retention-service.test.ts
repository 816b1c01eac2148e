import type { RetentionRecord } from '@cairn/metadata-store';
import { type ChangesetId, createId, type EntryId } from '@cairn/model';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { purgeOldTrash } from './purge-old-trash.ts';
import { createRetentionService, type RetentionService } from './retention-service.ts';
import { DAY_MS, DEFAULT_RETENTION } from './retention-settings.ts';
import { type CollectionWorld, createCollectionWorld, type Owner } from './testing/collection-world.ts';
import { thinVersions } from './thin-versions.ts';

let world: CollectionWorld;
let ann: Owner;
let bob: Owner;
let service: RetentionService;

beforeEach(async () => {
  world = await createCollectionWorld();
  ann = await world.addOwner('ann', 'administrator');
  bob = await world.addOwner('bob');
  service = createRetentionService(world.dependencies);
});
afterEach(() => world.close());

const keep = (allDays: number, trashDays: number): RetentionRecord => ({
  versions: { keep: 'thinned', allDays, dailyDays: 365 },
  trash: { keep: 'days', days: trashDays },
});

/** A file with three versions of one day, ten days ago, and one that was deleted at that time. */
async function fill(owner: Owner): Promise<void> {
  const [first, other] = [world.make('first'), world.make('other')];
  await world.upload(owner, first);
  const entryId = await world.create(owner, first.content);
  for (const text of ['second', 'third']) {
    const made = world.make(text);
    await world.upload(owner, made);
    const { entry } = await world.services.files.get(owner.principal, entryId);
    await world.services.spaces.commitChangeset(owner.principal, owner.spaceId, {
      changesetId: createId<ChangesetId>(world.environment.random.bytes(16)),
      changes: [{ kind: 'update', entryId, baseSequence: entry.sequence, content: made.content }],
    });
  }
  await world.upload(owner, other);
  const gone: EntryId = await world.create(owner, other.content);
  await world.services.files.remove(owner.principal, gone);
}

const thinned = async () => (await thinVersions(world.dependencies, { dryRun: true })).versions;
const purged = async () => (await purgeOldTrash(world.dependencies, { dryRun: true })).items;

test('the space comes before the server, and the server before what is built in', async () => {
  const asked = () => service.ofSpace(bob.principal, bob.spaceId);
  expect(await asked()).toEqual({
    effective: DEFAULT_RETENTION,
    own: null,
    default: DEFAULT_RETENTION,
  });
  await service.setOfServer(ann.principal, keep(5, 6));
  expect(await asked()).toEqual({ effective: keep(5, 6), own: null, default: keep(5, 6) });
  await service.setOfSpace(bob.principal, bob.spaceId, keep(1, 2));
  expect(await asked()).toEqual({ effective: keep(1, 2), own: keep(1, 2), default: keep(5, 6) });
  await service.setOfServer(ann.principal, null);
  expect((await asked()).effective).toEqual(keep(1, 2));
  await service.setOfSpace(bob.principal, bob.spaceId, null);
  expect((await asked()).effective).toEqual(DEFAULT_RETENTION);
});

test('what is set is what clean-ups do, in this space and in no other', async () => {
  await fill(ann);
  await fill(bob);
  await world.environment.advance(10 * DAY_MS);
  expect([await thinned(), await purged()]).toEqual([0, 0]);
  await service.setOfSpace(bob.principal, bob.spaceId, keep(3, 5));
  expect([await thinned(), await purged()]).toEqual([1, 1]);
  await service.setOfServer(ann.principal, keep(3, 5));
  expect([await thinned(), await purged()]).toEqual([2, 2]);
  await service.setOfSpace(bob.principal, bob.spaceId, { versions: { keep: 'all' }, trash: { keep: 'all' } });
  expect([await thinned(), await purged()]).toEqual([1, 1]);
});

test('a preview tells what would go of what it is about, and sets nothing', async () => {
  await fill(ann);
  await fill(bob);
  await world.environment.advance(10 * DAY_MS);
  const nothing = { versions: 0, bytes: 0, trashItems: 0, trashEntries: 0 };
  const some = { versions: 1, bytes: 'first'.length, trashItems: 1, trashEntries: 1 };
  const twice = { versions: 2, bytes: 2 * 'first'.length, trashItems: 2, trashEntries: 2 };
  for (const owner of [ann, bob]) {
    expect(await service.previewOfSpace(owner.principal, owner.spaceId, keep(3, 5))).toEqual({
      before: nothing,
      after: some,
    });
  }
  expect(await service.previewOfServer(ann.principal, keep(3, 5))).toEqual({ before: nothing, after: twice });
  expect([await thinned(), await purged()]).toEqual([0, 0]);
  // A space that says something itself is none of the server's business.
  await service.setOfSpace(bob.principal, bob.spaceId, keep(3, 5));
  expect(await service.previewOfServer(ann.principal, keep(3, 5))).toEqual({ before: some, after: twice });
  expect((await service.previewOfSpace(bob.principal, bob.spaceId, null)).after).toEqual(nothing);
});

test('is nobody else’s to see or to set, and the server’s only an administrator’s', async () => {
  const refused = { code: 'not-found' };
  await expect(service.ofSpace(bob.principal, ann.spaceId)).rejects.toMatchObject(refused);
  await expect(service.setOfSpace(bob.principal, ann.spaceId, null)).rejects.toMatchObject(refused);
  await expect(service.previewOfSpace(bob.principal, ann.spaceId, null)).rejects.toMatchObject(refused);
  await expect(service.ofServer(bob.principal)).rejects.toMatchObject(refused);
  await expect(service.setOfServer(bob.principal, keep(1, 1))).rejects.toMatchObject(refused);
  await expect(service.previewOfServer(bob.principal, null)).rejects.toMatchObject(refused);
  expect((await service.ofServer(ann.principal)).own).toBeNull();
});
