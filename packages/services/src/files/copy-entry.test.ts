import type { MetadataStore, MetadataTransaction } from '@cairn/metadata-store';
import { CHANGESET_LIMITS, type Change, type EntryId } from '@cairn/model';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createDataWorld, type DataWorld, fileOf, folder, type TestUser } from '../testing/data-world.ts';

type Work<Result> = (transaction: MetadataTransaction) => Promise<Result>;

let world: DataWorld;
let ann: TestUser;
let topId: EntryId;
beforeEach(async () => {
  world = await createDataWorld();
  ann = await world.addUser('ann');
  topId = world.newId();
});
afterEach(() => world.close());

/** A folder with so many files in it, of one content. */
async function fill(count: number): Promise<void> {
  const entry = fileOf(await world.upload(ann, 'the same in all'));
  const changes: Change[] = [
    { kind: 'create', entryId: topId, parentId: ann.rootId, name: 'large', entry: folder },
  ];
  for (let index = 0; index < count; index++)
    changes.push({ kind: 'create', entryId: world.newId(), parentId: topId, name: `f${index}`, entry });
  for (let at = 0; at < changes.length; at += CHANGESET_LIMITS.maxChanges)
    await world.commit(ann, changes.slice(at, at + CHANGESET_LIMITS.maxChanges));
}

const copy = (name: string) =>
  world.services.files.copy(ann.principal, topId, { parentId: ann.rootId, name });

/** Names in the root, with how much is in each. */
async function inRoot(): Promise<Record<string, number>> {
  const entries = [...(await world.liveTree(ann)).values()];
  const tops = entries.filter(({ parentId }) => parentId === ann.rootId);
  return Object.fromEntries(
    tops.map(({ name, entryId }) => [name, entries.filter(({ parentId }) => parentId === entryId).length]),
  );
}

/** From the given commit on, the database refuses all: what a server that is killed leaves behind. */
function endAtCommit(number: number): () => void {
  const transact: MetadataStore['transact'] = world.store.transact.bind(world.store);
  let commits = 0;
  world.store.transact = <Result>(work: Work<Result>) =>
    ++commits < number ? transact(work) : Promise.reject<Result>(new Error('killed'));
  return () => {
    world.store.transact = transact;
  };
}

describe('a copy', () => {
  test.each([3, CHANGESET_LIMITS.maxChanges + 50])(
    'of %i files is whole, and sends nothing',
    async (count) => {
      await fill(count);
      const made = await copy('again');
      expect(made).toMatchObject({ path: '/again' });
      expect(await inRoot()).toEqual({ large: count, again: count });
      await expect(copy('again')).rejects.toMatchObject({ code: 'already-exists' });
    },
  );

  test('that is cut off by the end of the server does not have the name of a whole one', async () => {
    const count = 2 * CHANGESET_LIMITS.maxChanges + 50;
    await fill(count);
    for (const commit of [2, 3, 4]) {
      const goOn = endAtCommit(commit);
      await expect(copy('again')).rejects.toThrow('killed');
      goOn();
      const names = Object.keys(await inRoot());
      expect(names).not.toContain('again');
      expect(names.filter((name) => /^Unfinished copy [0-9a-f]{8}$/.test(name))).toHaveLength(commit - 1);
    }
    await copy('again');
    expect(await inRoot()).toMatchObject({ large: count, again: count });
  });

  test('whose name somebody takes meanwhile goes to the trash, whole as it is, and says so', async () => {
    await fill(CHANGESET_LIMITS.maxChanges + 50);
    const transact: MetadataStore['transact'] = world.store.transact.bind(world.store);
    let commits = 0;
    world.store.transact = async <Result>(work: Work<Result>) => {
      const result = await transact(work);
      if (++commits === 1) {
        world.store.transact = transact;
        const entry = fileOf(await world.upload(ann, 'mine'));
        await world.commit(ann, [
          { kind: 'create', entryId: world.newId(), parentId: ann.rootId, name: 'again', entry },
        ]);
      }
      return result;
    };
    await expect(copy('again')).rejects.toMatchObject({ code: 'already-exists' });
    expect(Object.keys(await inRoot()).sort()).toEqual(['again', 'large']);
  });
});
