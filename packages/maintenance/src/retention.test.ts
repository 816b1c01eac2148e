import type { ChangesetId, EntryId, VersionId } from '@cairn/model';
import { createId } from '@cairn/model';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { auditReferences } from './audit-references.ts';
import { collectGarbage } from './collect-garbage.ts';
import { DEFAULT_GRACE_MS } from './collection-settings.ts';
import { measureServer, measureSpace } from './measure-usage.ts';
import { purgeOldTrash } from './purge-old-trash.ts';
import { DAY_MS } from './retention-settings.ts';
import {
  type CollectionWorld,
  createCollectionWorld,
  type MadeContent,
  type Owner,
} from './testing/collection-world.ts';
import { thinVersions } from './thin-versions.ts';

let world: CollectionWorld;
let ann: Owner;
beforeEach(async () => {
  world = await createCollectionWorld();
  ann = await world.addOwner('ann');
});
afterEach(() => world.close());

const HOUR_MS = 3_600_000;
const wait = (ms: number) => world.environment.advance(ms);
const commit = (changes: Parameters<typeof world.services.spaces.commitChangeset>[2]['changes']) =>
  world.services.spaces.commitChangeset(ann.principal, ann.spaceId, {
    changesetId: createId<ChangesetId>(world.environment.random.bytes(16)),
    changes,
  });

async function create(made: MadeContent, owner = ann): Promise<EntryId> {
  await world.upload(owner, made);
  return world.create(owner, made.content);
}

async function update(entryId: EntryId, made: MadeContent): Promise<void> {
  await world.upload(ann, made);
  const { entry } = await world.services.files.get(ann.principal, entryId);
  await commit([{ kind: 'update', entryId, baseSequence: entry.sequence, content: made.content }]);
}

const remove = (entryId: EntryId) => world.services.files.remove(ann.principal, entryId);

async function versionTexts(entryId: EntryId): Promise<string[]> {
  const versions = await world.services.files.listVersions(ann.principal, entryId, 1000);
  const texts: string[] = [];
  for (const { versionId } of versions) {
    const opened = await world.services.files.openFile(ann.principal, entryId, { versionId });
    const bytes: Uint8Array[] = [];
    for await (const piece of opened.read()) bytes.push(piece);
    texts.push(Buffer.concat(bytes).toString());
  }
  return texts;
}

/** Collects until what is unused now is gone, and says how many bytes the block store has less. */
async function collectAll(): Promise<number> {
  const before = (await world.blocks.usage()).liveBytes;
  for (let run = 0; run < 3; run++) {
    await wait(DEFAULT_GRACE_MS);
    await collectGarbage(world.dependencies);
  }
  expect((await auditReferences(world.dependencies)).dangling).toBe(0);
  return before - (await world.blocks.usage()).liveBytes;
}

describe('old versions', () => {
  /** Three versions within an hour, long ago, and a fourth now. */
  async function makeVersions(): Promise<EntryId> {
    const entryId = await create(world.make('first'));
    for (const text of ['second', 'third']) {
      await wait(60_000);
      await update(entryId, world.make(text, 'of several'));
    }
    await wait(50 * DAY_MS);
    await update(entryId, world.make('now'));
    return entryId;
  }

  test('are thinned, what is kept stays readable, and what they took is set free', async () => {
    const entryId = await makeVersions();
    expect(await thinVersions(world.dependencies, { dryRun: true })).toEqual({
      dryRun: true,
      versions: 2,
      bytes: 'first'.length + 'secondof several'.length,
    });
    expect(await versionTexts(entryId)).toHaveLength(4);
    expect((await thinVersions(world.dependencies)).versions).toBe(2);
    expect(await versionTexts(entryId)).toEqual(['now', 'thirdof several']);
    expect((await thinVersions(world.dependencies)).versions).toBe(0);
    expect(await collectAll()).toBeGreaterThan('firstsecond'.length);
    expect(await versionTexts(entryId)).toEqual(['now', 'thirdof several']);
    // The journal tells as before what happened.
    const rows = await world.store.read((reader) => reader.readJournal(ann.spaceId, 0, 100));
    expect(rows).toHaveLength(4);
  });

  test('stay where the space says so, or the server', async () => {
    await makeVersions();
    const all = { versions: { keep: 'all' }, trash: { keep: 'all' } } as const;
    expect((await thinVersions(world.dependencies, { defaults: all })).versions).toBe(0);
    await world.store.transact((transaction) => transaction.setRetention(ann.spaceId, all));
    expect((await thinVersions(world.dependencies)).versions).toBe(0);
    await world.store.transact((transaction) => transaction.setRetention(ann.spaceId, null));
    expect((await thinVersions(world.dependencies, { defaults: all })).versions).toBe(0);
    expect((await thinVersions(world.dependencies)).versions).toBe(2);
  });

  test('stay while a conflict is undecided, of both sides', async () => {
    const entryId = await makeVersions();
    const [copyId] = [createId<EntryId>(world.environment.random.bytes(16))];
    const mine = world.make('mine');
    await world.upload(ann, mine);
    await commit([
      {
        kind: 'create',
        entryId: copyId,
        parentId: ann.rootId,
        name: 'conflict copy',
        entry: {
          kind: 'file',
          content: mine.content,
          executable: false,
          modifiedAtUs: 1,
          conflictOf: { entryId, baseSequence: 2, deviceName: 'Laptop', at: 1 },
        },
      },
    ]);
    expect((await thinVersions(world.dependencies)).versions).toBe(0);
    const { conflicts } = await world.services.conflicts.list(ann.principal, null, { after: null, limit: 9 });
    expect(conflicts[0]?.base?.sequence).toBe(2);
    await remove(copyId);
    expect((await thinVersions(world.dependencies)).versions).toBe(2);
  });

  test('of many batches go, and a run that was ended goes on', async () => {
    const entryId = await create(world.make('version 0'));
    const [first] = await world.services.files.listVersions(ann.principal, entryId);
    await world.store.transact(async (transaction) => {
      const [version] = await transaction.getVersions(ann.spaceId, [first?.versionId as VersionId]);
      for (let index = 0; index < 1100; index++) {
        const versionId = createId<VersionId>(world.environment.random.bytes(16));
        await transaction.insertVersions([
          { ...(version as NonNullable<typeof version>), versionId, sequence: 0 },
        ]);
      }
      const block = version?.content?.manifest.parts[0]?.block as never;
      await transaction.addReferences(ann.spaceId, new Array(1100).fill(block));
    });
    await wait(40 * DAY_MS);
    expect((await thinVersions(world.dependencies)).versions).toBe(1099);
    expect(await versionTexts(entryId)).toEqual(['version 0', 'version 0']);
  });
});

describe('the trash', () => {
  test('is purged after ninety days, and what it took is set free', async () => {
    const [old, young] = [await create(world.make('old', 'and long')), await create(world.make('young'))];
    await remove(old);
    await wait(HOUR_MS);
    await remove(young);
    await wait(90 * DAY_MS - HOUR_MS);
    expect(await purgeOldTrash(world.dependencies, { dryRun: true })).toMatchObject({ items: 1, entries: 1 });
    expect(await purgeOldTrash(world.dependencies)).toEqual({ dryRun: false, items: 1, entries: 1 });
    const { items } = await world.services.trash.list(ann.principal, null, { offset: 0, limit: 10 });
    expect(items.map((item) => item.entryId)).toEqual([young]);
    expect(await collectAll()).toBeGreaterThanOrEqual('oldand long'.length);
    await world.services.trash.restore(ann.principal, young);
    expect(await versionTexts(young)).toEqual(['young']);
  });

  test('stays where the space says so, and where a live conflict needs it', async () => {
    const entryId = await create(world.make('original'));
    const mine = world.make('mine');
    await world.upload(ann, mine);
    const copyId = createId<EntryId>(world.environment.random.bytes(16));
    const conflictOf = { entryId, baseSequence: 1, deviceName: 'Laptop', at: 1 };
    const entry = { kind: 'file', content: mine.content, executable: false, modifiedAtUs: 1 } as const;
    const place = { parentId: ann.rootId, name: 'copy' };
    await commit([{ kind: 'create', entryId: copyId, ...place, entry: { ...entry, conflictOf } }]);
    await remove(entryId);
    await wait(91 * DAY_MS);
    expect((await purgeOldTrash(world.dependencies)).items).toBe(0);
    await remove(copyId);
    const keep = { versions: { keep: 'all' }, trash: { keep: 'all' } } as const;
    await world.store.transact((transaction) => transaction.setRetention(ann.spaceId, keep));
    expect((await purgeOldTrash(world.dependencies)).items).toBe(0);
    await world.store.transact((transaction) => transaction.setRetention(ann.spaceId, null));
    expect((await purgeOldTrash(world.dependencies)).items).toBe(1);
  });
});

describe('accounting', () => {
  test('tells what is live, old, trashed, stored, saved, and set free by a purge', async () => {
    const bob = await world.addOwner('bob');
    const shared = world.make('x'.repeat(1000), 'y'.repeat(500));
    const kept = await create(shared);
    await update(kept, world.make('y'.repeat(500)));
    const [again, own] = [await create(shared), await create(world.make('only in the trash'))];
    await remove(again);
    await remove(own);
    await create(world.make('y'.repeat(500)), bob);

    const stored = (made: MadeContent) => made.blocks.reduce((sum, { payload }) => sum + payload.length, 0);
    const storedBytes = stored(shared) + stored(world.make('only in the trash'));
    const spaceUsage = await measureSpace(world.store, ann.spaceId);
    expect(spaceUsage).toEqual({
      live: { files: 1, bytes: 500 },
      versions: { versions: 1, bytes: 1500 },
      trash: { files: 2, bytes: 1500 + 17 },
      stored: { blocks: 4, bytes: storedBytes },
      savedBytes: 500 + 1500 + 1517 - storedBytes,
      trashFreesBytes: 17,
    });
    const server = await measureServer(world.store, world.blocks);
    expect(server).toMatchObject({
      live: { files: 2, bytes: 1000 },
      stored: { blocks: 4, bytes: storedBytes },
      savedBytes: 1000 + 1500 + 1517 - storedBytes,
      trashFreesBytes: 17,
      blockStore: { blocks: 4, liveBytes: storedBytes },
      garbage: { blocks: 0, storedBytes: 0 },
    });

    // What was told is what happens.
    await world.services.trash.empty(ann.principal, null);
    expect(await collectAll()).toBe(17);
    expect(await measureSpace(world.store, ann.spaceId)).toMatchObject({
      trash: { files: 0, bytes: 0 },
      stored: { blocks: 3, bytes: stored(shared) },
      trashFreesBytes: 0,
    });
  });

  test('counts lists of blocks too, and not what another space needs', async () => {
    const bob = await world.addOwner('bob');
    const [first, second] = [world.make('one', 'two'), world.make('two', 'three')];
    const entryIds = [await create(first), await create(second)];
    await create(world.make('three'), bob);
    for (const entryId of entryIds) await remove(entryId);
    const freed = (await measureSpace(world.store, ann.spaceId)).trashFreesBytes;
    await world.services.trash.empty(ann.principal, null);
    expect(await collectAll()).toBe(freed);
    expect(await world.blocks.usage()).toMatchObject({ blocks: 1 });
  });
});
