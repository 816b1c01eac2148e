import {
  type Change,
  type ChangesetId,
  type Cursor,
  type Entry,
  type EntryId,
  formatCursor,
  isCairnError,
  type JournalChange,
  parseCursor,
} from '@cairn/model';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { chainJournalHash } from '../changesets/journal-hash.ts';
import { createDataWorld, type DataWorld, fileOf, folder, type TestUser } from '../testing/data-world.ts';
import { ensureEpoch } from './server-epoch.ts';

/** Folds journal rows as a device does: an entry that is gone takes everything below it along. */
function fold(tree: Map<EntryId, Entry>, changes: readonly JournalChange[]): void {
  for (const { entryId, entry } of changes) {
    if (entry !== null) {
      tree.set(entryId, entry);
      continue;
    }
    tree.delete(entryId);
    for (let size = -1; size !== tree.size; ) {
      size = tree.size;
      for (const [id, { parentId }] of tree) {
        if (parentId !== null && !tree.has(parentId)) tree.delete(id);
      }
    }
  }
}

async function readJournal(world: DataWorld, user: TestUser, from: string): Promise<JournalChange[]> {
  const all: JournalChange[] = [];
  for (let cursor = from; ; ) {
    const page = await world.services.spaces.readChanges(user.principal, user.spaceId, cursor, 3);
    all.push(...page.changes);
    if (!page.more) return all;
    cursor = page.cursor;
  }
}

const step = fc.record({
  device: fc.nat(1),
  actions: fc.array(
    fc.record({
      kind: fc.constantFrom('folder', 'file', 'rename', 'move', 'edit', 'remove', 'restore', 'revive'),
      entry: fc.nat(30),
      parent: fc.nat(30),
      name: fc.constantFrom('a', 'A', 'b', 'ß', 'ss', 'c', 'd', 'e', 'f', 'g'),
      stale: fc.integer({ min: 0, max: 9 }).map((roll) => roll === 0),
      wild: fc.integer({ min: 0, max: 9 }).map((roll) => roll === 0),
    }),
    { minLength: 1, maxLength: 6 },
  ),
});

test('folding the journal gives the live tree, and its hashes chain [S-55]', async () => {
  const seen = { committed: 0, refused: 0, restored: 0 };
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), async (steps) => {
      const world = await createDataWorld();
      try {
        const ann = await world.addUser('ann');
        const contents = [await world.upload(ann, 'one'), await world.upload(ann, 'two')] as const;
        const first = await world.services.spaces.readSnapshot(ann.principal, ann.spaceId, null, 10);
        const ids: EntryId[] = [ann.rootId];
        for (const { device, actions } of steps) {
          const sequence = await world.services.spaces.currentSequence(ann.principal, ann.spaceId);
          const records = await world.store.read((reader) => reader.getEntries(ann.spaceId, ids));
          const known = records.flatMap((record) => (record === undefined ? [] : [record]));
          const live = known.filter((record) => record.trashId === null);
          const folders = live.filter((record) => record.kind === 'folder');
          const tops = known.filter((record) => record.trashId === record.entryId);
          const changes = actions.map((action): Change => {
            // Mostly what can work, sometimes anything at all.
            const fitting = action.wild
              ? known
              : action.kind === 'restore'
                ? tops
                : action.kind === 'revive'
                  ? known
                  : live;
            const choice = fitting[action.entry % Math.max(1, fitting.length)] ?? live[0];
            const target = choice?.entryId ?? ann.rootId;
            const parents = action.wild ? known : folders;
            const parentId = parents[action.parent % parents.length]?.entryId ?? ann.rootId;
            const content = contents[action.parent % 2] ?? contents[0];
            const baseSequence = action.stale ? 0 : (choice?.sequence ?? 0);
            const { name } = action;
            const update = { kind: 'update', entryId: target, baseSequence } as const;
            switch (action.kind) {
              case 'folder':
              case 'file': {
                const entryId = world.newId<EntryId>();
                ids.push(entryId);
                const entry = action.kind === 'folder' ? folder : fileOf(content);
                return { kind: 'create', entryId, parentId, name, entry };
              }
              case 'rename':
                return { ...update, name };
              case 'move':
                return { ...update, parentId };
              case 'edit':
                return { ...update, content };
              case 'revive':
                return { ...update, parentId, name };
              case 'remove':
                return { kind: 'remove', entryId: target, baseSequence: action.stale ? 0 : sequence };
              default:
                return { kind: 'restore', entryId: target, parentId, name };
            }
          });
          const principal = device === 0 ? ann.principal : ann.otherDevice;
          const changeset = { changesetId: world.newId<ChangesetId>(), changes };
          // One change after another where the whole is refused, so that histories get somewhere.
          const commit = (all: readonly Change[]) =>
            world.services.spaces
              .commitChangeset(principal, ann.spaceId, {
                ...changeset,
                changesetId: world.newId(),
                changes: all,
              })
              .then(
                () => {
                  seen.committed += 1;
                  if (all.some(({ kind }) => kind === 'restore')) seen.restored += 1;
                  return true;
                },
                (error: unknown) => {
                  if (!isCairnError(error, 'conflict')) throw error;
                  seen.refused += 1;
                  return false;
                },
              );
          if (!(await commit(changes))) for (const change of changes) await commit([change]);
        }

        const tree = new Map<EntryId, Entry>(first.entries.map((entry) => [entry.entryId, entry]));
        const journal = await readJournal(world, ann, first.cursor);
        fold(tree, journal);
        const live = await world.liveTree(ann);
        expect(tree).toEqual(live);
        // Folding again from the start of a page changes nothing.
        fold(tree, journal.slice(-5));
        for (const [entryId, entry] of live) expect(tree.get(entryId)).toEqual(entry);

        expect(journal.map(({ sequence }) => sequence)).toEqual(journal.map((_, index) => index + 1));
        let hash = '0'.repeat(64);
        for (const change of journal) hash = chainJournalHash(world.platform, hash, change);
        const space = await world.store.read((reader) => reader.getSpace(ann.spaceId));
        expect(space?.journalHash).toBe(hash);
      } finally {
        await world.close();
      }
    }),
    { numRuns: 60 },
  );
  // The histories must reach what they are meant to try.
  expect(seen.committed).toBeGreaterThan(50);
  expect(seen.refused).toBeGreaterThan(20);
  expect(seen.restored).toBeGreaterThan(5);
});

describe('cursors', () => {
  async function worldWithThreeChanges(): Promise<{ world: DataWorld; ann: TestUser; cursor: Cursor }> {
    const world = await createDataWorld();
    const ann = await world.addUser('ann');
    for (const name of ['a', 'b', 'c']) {
      const entryId = world.newId<EntryId>();
      await world.commit(ann, [{ kind: 'create', entryId, parentId: ann.rootId, name, entry: folder }]);
    }
    const { cursor } = await world.services.spaces.readSnapshot(ann.principal, ann.spaceId, null, 10);
    return { world, ann, cursor: parseCursor(cursor) as Cursor };
  }

  test('a snapshot names the place where the journal goes on; nothing new keeps the cursor', async () => {
    const { world, ann, cursor } = await worldWithThreeChanges();
    const text = formatCursor(cursor);
    const read = () => world.services.spaces.readChanges(ann.principal, ann.spaceId, text, 10);
    expect(await read()).toEqual({ changes: [], cursor: text, more: false });
    const entryId = world.newId<EntryId>();
    await world.commit(ann, [{ kind: 'create', entryId, parentId: ann.rootId, name: 'd', entry: folder }]);
    expect((await read()).changes.map(({ sequence }) => sequence)).toEqual([4]);
    await world.close();
  });

  test('cursors of another history are unknown [S-53 S-59]', async () => {
    const { world, ann, cursor } = await worldWithThreeChanges();
    const read = (other: Partial<Cursor>) =>
      world.services.spaces.readChanges(
        ann.principal,
        ann.spaceId,
        formatCursor({ ...cursor, ...other }),
        10,
      );
    const unknown = { code: 'cursor-unknown' };
    await expect(read({ sequence: 4 })).rejects.toMatchObject(unknown);
    await expect(read({ sequence: 2 })).rejects.toMatchObject(unknown);
    await expect(read({ hash: '0123456789abcdef' })).rejects.toMatchObject(unknown);
    await expect(read({ epoch: world.newId() })).rejects.toMatchObject(unknown);
    const nonsense = world.services.spaces.readChanges(ann.principal, ann.spaceId, 'x', 10);
    await expect(nonsense).rejects.toMatchObject({ code: 'bad-request' });
    await world.close();
  });

  test('a database whose epoch is not the one kept outside gets a new epoch [S-53]', async () => {
    const { world, ann, cursor } = await worldWithThreeChanges();
    const kept = await ensureEpoch(world.store, world.environment, cursor.epoch);
    expect(kept).toBe(cursor.epoch);
    const renewed = await ensureEpoch(world.store, world.environment, world.newId());
    expect(renewed).not.toBe(kept);
    expect(await ensureEpoch(world.store, world.environment, renewed)).toBe(renewed);
    expect(await ensureEpoch(world.store, world.environment, null)).not.toBe(renewed);
    const read = world.services.spaces.readChanges(ann.principal, ann.spaceId, formatCursor(cursor), 10);
    await expect(read).rejects.toMatchObject({ code: 'cursor-unknown' });
    await world.close();
  });
});
