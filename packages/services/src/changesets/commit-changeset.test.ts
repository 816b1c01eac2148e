import {
  type Change,
  type ChangeConflict,
  type ChangesetId,
  type ConflictReason,
  type EntryId,
  type Epoch,
  formatCursor,
  isCairnError,
  parseCursor,
} from '@cairn/model';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ensureEpoch } from '../spaces/server-epoch.ts';
import { createDataWorld, type DataWorld, fileOf, folder, type TestUser } from '../testing/data-world.ts';

let world: DataWorld;
let ann: TestUser;
beforeEach(async () => {
  world = await createDataWorld();
  ann = await world.addUser('ann');
});
afterEach(() => world.close());

async function make(name: string, parentId: EntryId, text?: string): Promise<EntryId> {
  const entryId = world.newId<EntryId>();
  const entry = text === undefined ? folder : fileOf(await world.upload(ann, text));
  await world.commit(ann, [{ kind: 'create', entryId, parentId, name, entry }]);
  return entryId;
}

async function sequenceOf(entryId: EntryId): Promise<number> {
  const [record] = await world.store.read((reader) => reader.getEntries(ann.spaceId, [entryId]));
  return record?.sequence ?? -1;
}

const now = () => world.services.spaces.currentSequence(ann.principal, ann.spaceId);

async function conflictsOf(changes: readonly Change[]): Promise<readonly ChangeConflict[]> {
  const error = await world.commit(ann, changes).catch((thrown) => thrown);
  expect(isCairnError(error, 'conflict'), String(error)).toBe(true);
  return error.details.conflicts;
}

async function expectConflict(change: Change, reason: ConflictReason): Promise<void> {
  const before = await world.liveTree(ann);
  expect((await conflictsOf([change])).map((conflict) => [conflict.index, conflict.reason])).toEqual([
    [0, reason],
  ]);
  expect(await world.liveTree(ann)).toEqual(before);
}

async function paths(): Promise<Record<string, EntryId>> {
  const tree = await world.liveTree(ann);
  const pathOf = (entryId: EntryId): string => {
    const entry = tree.get(entryId);
    return entry?.parentId == null ? '' : `${pathOf(entry.parentId)}/${entry.name}`;
  };
  return Object.fromEntries([...tree.keys()].map((entryId) => [pathOf(entryId), entryId]));
}

describe('conflicts', () => {
  test('an update or remove on an old base is stale [S-57]', async () => {
    const entryId = await make('a', ann.rootId, 'one');
    const base = await sequenceOf(entryId);
    await world.commit(ann, [{ kind: 'update', entryId, baseSequence: base, name: 'b' }]);
    await expectConflict({ kind: 'update', entryId, baseSequence: base, name: 'c' }, 'stale-base');
    await expectConflict({ kind: 'remove', entryId, baseSequence: base }, 'stale-base');
  });

  test('a base from the future is stale too', async () => {
    const entryId = await make('a', ann.rootId, 'one');
    const baseSequence = (await sequenceOf(entryId)) + 1;
    await expectConflict({ kind: 'update', entryId, baseSequence, name: 'c' }, 'stale-base');
  });

  test('removing a folder is stale when something deep below changed', async () => {
    const top = await make('top', ann.rootId);
    const middle = await make('middle', top);
    const file = await make('file', middle, 'one');
    const seen = await now();
    const content = await world.upload(ann, 'two');
    await world.commit(ann, [
      { kind: 'update', entryId: file, baseSequence: await sequenceOf(file), content },
    ]);
    await expectConflict({ kind: 'remove', entryId: top, baseSequence: seen }, 'stale-base');
    await world.commit(ann, [{ kind: 'remove', entryId: top, baseSequence: await now() }]);
    expect(Object.keys(await paths())).toEqual(['']);
  });

  test('missing entries, parents that are no live folders, taken ids', async () => {
    const file = await make('file', ann.rootId, 'one');
    const gone = await make('gone', ann.rootId);
    await world.commit(ann, [{ kind: 'remove', entryId: gone, baseSequence: await now() }]);
    const entryId = world.newId<EntryId>();
    const base = await sequenceOf(file);
    await expectConflict({ kind: 'update', entryId, baseSequence: 1, name: 'x' }, 'entry-missing');
    await expectConflict(
      { kind: 'update', entryId: gone, baseSequence: await now(), name: 'x' },
      'entry-missing',
    );
    await expectConflict({ kind: 'remove', entryId: gone, baseSequence: await now() }, 'entry-missing');
    for (const parentId of [file, gone, world.newId<EntryId>()]) {
      await expectConflict({ kind: 'create', entryId, parentId, name: 'x', entry: folder }, 'parent-missing');
    }
    await expectConflict(
      { kind: 'update', entryId: file, baseSequence: base, parentId: gone },
      'parent-missing',
    );
    for (const taken of [file, gone]) {
      const create = {
        kind: 'create',
        entryId: taken,
        parentId: ann.rootId,
        name: 'x',
        entry: folder,
      } as const;
      await expectConflict(create, 'entry-exists');
    }
  });

  test('names are taken under NFC and case folding [S-20 S-39]', async () => {
    await make('Äpfel', ann.rootId);
    const other = await make('other', ann.rootId);
    const name = 'äPFEL'.normalize('NFD');
    const entryId = world.newId<EntryId>();
    await expectConflict(
      { kind: 'create', entryId, parentId: ann.rootId, name, entry: folder },
      'name-taken',
    );
    const baseSequence = await sequenceOf(other);
    await expectConflict({ kind: 'update', entryId: other, baseSequence, name }, 'name-taken');
    const twice = [world.newId<EntryId>(), world.newId<EntryId>()].map(
      (id) => ({ kind: 'create', entryId: id, parentId: ann.rootId, name: 'new', entry: folder }) as const,
    );
    expect((await conflictsOf(twice)).map(({ index }) => index)).toEqual([1]);
  });

  test('a folder does not go into itself, the root does not move, kinds stay [S-20 S-26]', async () => {
    const top = await make('top', ann.rootId);
    const below = await make('below', top);
    const file = await make('file', below, 'one');
    const base = await sequenceOf(top);
    for (const parentId of [top, below]) {
      await expectConflict({ kind: 'update', entryId: top, baseSequence: base, parentId }, 'cycle');
    }
    await expectConflict({ kind: 'update', entryId: ann.rootId, baseSequence: 0, name: 'x' }, 'not-allowed');
    await expectConflict({ kind: 'remove', entryId: ann.rootId, baseSequence: await now() }, 'not-allowed');
    const content = await world.upload(ann, 'two');
    await expectConflict({ kind: 'update', entryId: top, baseSequence: base, content }, 'not-allowed');
    const baseSequence = await sequenceOf(file);
    await expectConflict({ kind: 'update', entryId: file, baseSequence, target: 'x' }, 'not-allowed');
  });

  test('all conflicts come at once, with what is there now [S-57]', async () => {
    const file = await make('file', ann.rootId, 'one');
    const conflicts = await conflictsOf([
      { kind: 'update', entryId: file, baseSequence: 0, name: 'x' },
      { kind: 'create', entryId: world.newId(), parentId: ann.rootId, name: 'fine', entry: folder },
      { kind: 'remove', entryId: world.newId(), baseSequence: 0 },
    ]);
    expect(conflicts.map(({ index, reason }) => [index, reason])).toEqual([
      [0, 'stale-base'],
      [2, 'entry-missing'],
    ]);
    expect(conflicts[0]?.current).toMatchObject({ entryId: file, name: 'file', kind: 'file' });
    expect(conflicts[1]?.current).toBeNull();
    expect(Object.keys(await paths()).sort()).toEqual(['', '/file']);
  });
});

describe('whole changesets', () => {
  test('the answer says where the journal stood before and stands after, also when it is asked for again', async () => {
    const folderId = await make('folder', ann.rootId);
    await make('file', folderId, 'one');
    const { cursor: start } = await world.services.spaces.readSnapshot(ann.principal, ann.spaceId, null, 1);
    const changeset = {
      changesetId: world.newId<ChangesetId>(),
      changes: [
        { kind: 'create', entryId: world.newId<EntryId>(), parentId: folderId, name: 'new', entry: folder },
        { kind: 'remove', entryId: folderId, baseSequence: await now() },
      ] satisfies Change[],
    };
    const result = await world.services.spaces.commitChangeset(ann.principal, ann.spaceId, changeset);
    expect(result.journal.before).toBe(start);
    const page = await world.services.spaces.readChanges(ann.principal, ann.spaceId, start, 100);
    expect(page.changes.map(({ changesetId }) => changesetId)).toEqual([
      changeset.changesetId,
      changeset.changesetId,
    ]);
    expect(result.journal.after).toBe(page.cursor);
    await make('later', ann.rootId);
    const again = await world.services.spaces.commitChangeset(ann.principal, ann.spaceId, changeset);
    expect(again).toEqual(result);
  });

  test('one that was made from another history is refused, one sent again is not [S-57 S-56]', async () => {
    const { commitChangeset, readSnapshot } = world.services.spaces;
    const { cursor } = await readSnapshot(ann.principal, ann.spaceId, null, 1);
    const changeset = (from: string) => ({
      changesetId: world.newId<ChangesetId>(),
      cursor: from,
      changes: [
        { kind: 'create', entryId: world.newId(), parentId: ann.rootId, name: 'a', entry: folder },
      ] satisfies Change[],
    });
    const known = parseCursor(cursor);
    if (known === null) throw new Error('no cursor');
    for (const other of [
      { ...known, epoch: world.newId<Epoch>() },
      { ...known, hash: 'f'.repeat(known.hash.length) },
      { ...known, sequence: known.sequence + 1 },
    ])
      await expect(
        commitChangeset(ann.principal, ann.spaceId, changeset(formatCursor(other))),
      ).rejects.toMatchObject({ code: 'cursor-unknown' });
    expect(Object.keys(await paths())).toEqual(['']);
    const first = changeset(cursor);
    const result = await commitChangeset(ann.principal, ann.spaceId, first);
    await ensureEpoch(world.store, world.environment, world.newId());
    expect(await commitChangeset(ann.principal, ann.spaceId, first)).toEqual(result);
  });

  test('the same changeset has the same answer and is applied once [S-56]', async () => {
    const changesetId = world.newId<ChangesetId>();
    const create = {
      kind: 'create',
      entryId: world.newId<EntryId>(),
      parentId: ann.rootId,
      name: 'a',
    } as const;
    const changeset = { changesetId, changes: [{ ...create, entry: folder }] };
    const { spaces } = world.services;
    const first = await spaces.commitChangeset(ann.principal, ann.spaceId, changeset);
    expect(await spaces.commitChangeset(ann.principal, ann.spaceId, changeset)).toEqual(first);
    expect(await now()).toBe(1);
    expect(world.events).toHaveLength(1);
    const other = { changesetId, changes: [{ ...create, name: 'b', entry: folder }] };
    await expect(spaces.commitChangeset(ann.principal, ann.spaceId, other)).rejects.toMatchObject({
      code: 'changeset-mismatch',
    });
  });

  test('a last change that fails leaves nothing of the others [S-56]', async () => {
    const file = await make('file', ann.rootId, 'one');
    const before = await now();
    const { content } = await world.cut('never sent');
    const create = (name: string, entry: typeof folder) =>
      ({ kind: 'create', entryId: world.newId<EntryId>(), parentId: ann.rootId, name, entry }) as const;
    const moves = [
      { kind: 'update', entryId: file, baseSequence: await sequenceOf(file), name: 'moved' } as const,
      create('x', folder),
    ];
    await expect(world.commit(ann, [...moves, create('y', fileOf(content))])).rejects.toMatchObject({
      code: 'blocks-missing',
    });
    await expect(world.commit(ann, [...moves, create('X', folder)])).rejects.toMatchObject({
      code: 'conflict',
    });
    await expect(world.commit(ann, [...moves, create('a/b', folder)])).rejects.toMatchObject({
      code: 'bad-name',
    });
    expect(await now()).toBe(before);
    expect(Object.keys(await paths()).sort()).toEqual(['', '/file']);
  });

  test('names swap and rotate, also with what is removed and created [S-37]', async () => {
    const [a, b, c, d] = [
      await make('a', ann.rootId, '1'),
      await make('b', ann.rootId),
      await make('c', ann.rootId, '3'),
      await make('d', ann.rootId),
    ] as const;
    const rename = async (entryId: EntryId, name: string) =>
      ({ kind: 'update', entryId, baseSequence: await sequenceOf(entryId), name }) as const;
    const fresh = world.newId<EntryId>();
    await world.commit(ann, [
      { kind: 'create', entryId: fresh, parentId: ann.rootId, name: 'd', entry: folder },
      await rename(a, 'b'),
      await rename(b, 'c'),
      await rename(c, 'a'),
      { kind: 'remove', entryId: d, baseSequence: await now() },
    ]);
    expect(await paths()).toEqual({ '': ann.rootId, '/b': a, '/c': b, '/a': c, '/d': fresh });
  });

  test('folders swap places in one changeset', async () => {
    const outer = await make('outer', ann.rootId);
    const inner = await make('inner', outer);
    await world.commit(ann, [
      { kind: 'update', entryId: inner, baseSequence: await sequenceOf(inner), parentId: ann.rootId },
      { kind: 'update', entryId: outer, baseSequence: await sequenceOf(outer), parentId: inner },
    ]);
    expect(await paths()).toEqual({ '': ann.rootId, '/inner': inner, '/inner/outer': outer });
  });

  test('what moves out of a folder survives its removal in the same changeset', async () => {
    const top = await make('top', ann.rootId);
    const file = await make('file', top, 'one');
    const seen = await now();
    await world.commit(ann, [
      { kind: 'update', entryId: file, baseSequence: await sequenceOf(file), parentId: ann.rootId },
      { kind: 'remove', entryId: top, baseSequence: seen },
    ]);
    expect(await paths()).toEqual({ '': ann.rootId, '/file': file });
  });

  test('what changes nothing adds no journal row', async () => {
    const file = await make('file', ann.rootId, 'one');
    const baseSequence = await sequenceOf(file);
    const content = await world.upload(ann, 'one');
    const result = await world.commit(ann, [
      { kind: 'update', entryId: file, baseSequence, name: 'file', content, modifiedAtUs: 1_000_000 },
    ]);
    expect(result.results[0]?.sequence).toBe(baseSequence);
    expect(await now()).toBe(baseSequence);
    expect(await world.services.files.listVersions(ann.principal, file)).toHaveLength(1);
  });

  test('a revoked device commits nothing any more', async () => {
    await world.store.transact((transaction) =>
      transaction.updateDevice(ann.principal.deviceId, { revokedAt: 1 }),
    );
    await expect(world.commit(ann, [])).rejects.toMatchObject({ code: 'session-revoked' });
  });

  test('a path has at most 512 names, also after a move', async () => {
    const chain: Change[] = [];
    let parentId = ann.rootId;
    for (let depth = 0; depth < 512; depth++) {
      const entryId = world.newId<EntryId>();
      chain.push({ kind: 'create', entryId, parentId, name: 'd', entry: folder });
      parentId = entryId;
    }
    await world.commit(ann, chain);
    const create = { kind: 'create', entryId: world.newId<EntryId>(), parentId, name: 'd' } as const;
    await expectConflict({ ...create, entry: folder }, 'not-allowed');
    const [top, second] = chain.map((change) => change.entryId) as [EntryId, EntryId];
    const other = await make('other', ann.rootId);
    const baseSequence = await sequenceOf(top);
    await expectConflict({ kind: 'update', entryId: top, baseSequence, parentId: other }, 'not-allowed');
    await world.commit(ann, [
      { kind: 'update', entryId: second, baseSequence: await sequenceOf(second), parentId: other },
    ]);
  });

  test('1000 files go in one changeset', async () => {
    const contents = await Promise.all(
      Array.from({ length: 1000 }, (_, index) => world.cut(`file ${index}`)),
    );
    await world.services.blocks.storeBlocks(
      ann.principal,
      ann.spaceId,
      contents.flatMap(({ blocks }) => blocks),
    );
    const changes = contents.map(({ content }, index): Change => {
      const entryId = world.newId<EntryId>();
      return { kind: 'create', entryId, parentId: ann.rootId, name: `f${index}`, entry: fileOf(content) };
    });
    await world.commit(ann, changes);
    expect(await now()).toBe(1000);
  });
});

describe('trash', () => {
  test('an update brings back one file alone, out of the folder it went with', async () => {
    const top = await make('top', ann.rootId);
    const [file, other] = [await make('file', top, 'one'), await make('other', top, 'two')];
    const base = await sequenceOf(file);
    await world.commit(ann, [{ kind: 'remove', entryId: top, baseSequence: await now() }]);
    const content = await world.upload(ann, 'edited');
    const revive = { kind: 'update', entryId: file, baseSequence: base, content } as const;
    await expectConflict(revive, 'entry-missing');
    await world.commit(ann, [{ ...revive, parentId: ann.rootId, name: 'saved' }]);
    expect(await paths()).toEqual({ '': ann.rootId, '/saved': file });
    await world.commit(ann, [{ kind: 'restore', entryId: top, parentId: ann.rootId, name: 'top' }]);
    expect(await paths()).toEqual({ '': ann.rootId, '/saved': file, '/top': top, '/top/other': other });
  });

  test('an update brings back a file that was itself removed', async () => {
    const file = await make('file', ann.rootId, 'one');
    const base = await sequenceOf(file);
    await world.commit(ann, [{ kind: 'remove', entryId: file, baseSequence: base }]);
    const content = await world.upload(ann, 'edited');
    await world.commit(ann, [
      { kind: 'update', entryId: file, baseSequence: base, content, parentId: ann.rootId, name: 'file' },
    ]);
    expect(await paths()).toEqual({ '': ann.rootId, '/file': file });
    expect((await world.services.trash.list(ann.principal, null, { offset: 0, limit: 9 })).items).toEqual([]);
  });

  test('a folder does not come back by an update: what was in it would stay behind [S-23 S-29]', async () => {
    const top = await make('top', ann.rootId);
    const middle = await make('middle', top);
    const [file, left] = [await make('file', middle, 'one'), await make('left', middle, 'two')];
    const bases = [await sequenceOf(file), await sequenceOf(middle)] as const;
    await world.commit(ann, [{ kind: 'remove', entryId: top, baseSequence: await now() }]);
    const place = { parentId: ann.rootId, name: 'middle' };
    const moved = { kind: 'update', entryId: middle, baseSequence: bases[1], ...place } as const;
    await expectConflict(moved, 'entry-missing');
    const saved = { parentId: ann.rootId, name: 'file' };
    const revive = { kind: 'update', entryId: file, baseSequence: bases[0], ...saved } as const;
    const conflicts = await conflictsOf([revive, moved]);
    expect(conflicts.map(({ index, reason }) => [index, reason])).toEqual([[1, 'entry-missing']]);
    await world.commit(ann, [revive]);
    await world.commit(ann, [{ kind: 'restore', entryId: top, parentId: ann.rootId, name: 'top' }]);
    expect(await paths()).toEqual({
      '': ann.rootId,
      '/file': file,
      '/top': top,
      '/top/middle': middle,
      '/top/middle/left': left,
    });
  });

  test('an edit on a content older than the trashed one does not replace it', async () => {
    const file = await make('file', ann.rootId, 'one');
    const base = await sequenceOf(file);
    const content = await world.upload(ann, 'newer');
    await world.commit(ann, [{ kind: 'update', entryId: file, baseSequence: base, content }]);
    await world.commit(ann, [{ kind: 'remove', entryId: file, baseSequence: await now() }]);
    const older = await world.upload(ann, 'other');
    const revive = { kind: 'update', entryId: file, parentId: ann.rootId, name: 'file' } as const;
    await expectConflict({ ...revive, baseSequence: base, content: older }, 'stale-base');
  });

  test('a restore writes a journal row for each entry, parents first', async () => {
    const top = await make('top', ann.rootId);
    const middle = await make('middle', top);
    const file = await make('file', middle, 'one');
    await world.commit(ann, [{ kind: 'remove', entryId: top, baseSequence: await now() }]);
    const removedAt = await now();
    await expectConflict(
      { kind: 'restore', entryId: file, parentId: ann.rootId, name: 'x' },
      'entry-missing',
    );
    await world.commit(ann, [{ kind: 'restore', entryId: top, parentId: ann.rootId, name: 'Top' }]);
    const rows = await world.store.read((reader) => reader.readJournal(ann.spaceId, removedAt, 10));
    expect(rows.map(({ change }) => [change.kind, change.entryId, change.entry?.sequence])).toEqual([
      ['restore', top, removedAt + 1],
      ['restore', middle, removedAt + 2],
      ['restore', file, removedAt + 3],
    ]);
    expect(await paths()).toEqual({
      '': ann.rootId,
      '/Top': top,
      '/Top/middle': middle,
      '/Top/middle/file': file,
    });
    await expectConflict({ kind: 'restore', entryId: top, parentId: ann.rootId, name: 'x' }, 'entry-exists');
  });

  test('what comes back with a folder holds its name in the same changeset', async () => {
    const top = await make('top', ann.rootId);
    await make('file', top, 'one');
    await world.commit(ann, [{ kind: 'remove', entryId: top, baseSequence: await now() }]);
    const conflicts = await conflictsOf([
      { kind: 'restore', entryId: top, parentId: ann.rootId, name: 'top' },
      { kind: 'create', entryId: world.newId(), parentId: top, name: 'FILE', entry: folder },
    ]);
    expect(conflicts.map(({ index, reason }) => [index, reason])).toEqual([[1, 'name-taken']]);
  });
});
