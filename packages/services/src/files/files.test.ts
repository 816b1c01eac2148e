import { createManifestTree, encodeNamedBlock, type StoredBlock } from '@cairn/content';
import type { ContentId, EntryId, FileEntry, VersionId } from '@cairn/model';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createDataWorld, type DataWorld, fileOf, type TestUser } from '../testing/data-world.ts';

let world: DataWorld;
let ann: TestUser;
beforeEach(async () => {
  world = await createDataWorld();
  ann = await world.addUser('ann');
});
afterEach(() => world.close());

async function* pieces(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield new TextEncoder().encode(text);
}

async function collect(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const piece of source) all.push(piece);
  return Buffer.concat(all);
}

const files = () => world.services.files;
const put = (path: string, text: string) => files().putFile(ann.principal, path, pieces(text));

async function textOf(entryId: EntryId, versionId?: VersionId): Promise<string> {
  const options = versionId === undefined ? {} : { versionId };
  const opened = await files().openFile(ann.principal, entryId, options);
  return (await collect(opened.read())).toString();
}

async function pathOf(entryId: EntryId): Promise<string> {
  return (await files().get(ann.principal, entryId)).path;
}

describe('putFile', () => {
  test('makes folders on the way, then saves versions of the same file', async () => {
    const first = await files().putFile(ann.principal, '/docs/new/a.txt', pieces('hel', 'lo'), {
      sizeBytes: 5,
      executable: true,
    });
    expect(await pathOf(first.entryId)).toBe('/docs/new/a.txt');
    const second = await put('/Docs/new/A.txt', 'world');
    expect(second).toMatchObject({ entryId: first.entryId, name: 'a.txt', executable: true });
    expect(await textOf(first.entryId)).toBe('world');
    expect(await textOf(first.entryId, first.versionId)).toBe('hello');
    const versions = await files().listVersions(ann.principal, first.entryId);
    expect(versions.map(({ versionId }) => versionId)).toEqual([second.versionId, first.versionId]);
    const reverted = await files().revert(ann.principal, first.entryId, first.versionId);
    expect(reverted.content.contentId).toBe(first.content.contentId);
    expect(await textOf(first.entryId)).toBe('hello');
    expect(await files().listVersions(ann.principal, first.entryId)).toHaveLength(3);
  });

  test('an empty file has no blocks and reads as nothing', async () => {
    const empty = await put('/empty', '');
    expect(empty.content.sizeBytes).toBe(0);
    expect(await textOf(empty.entryId)).toBe('');
  });

  test('refuses what was not expected before it takes bytes in', async () => {
    const { content } = await put('/a', 'one');
    await put('/folder/b', 'two');
    let taken = 0;
    async function* counted() {
      taken += 1;
      yield new Uint8Array(1);
    }
    const attempt = (path: string, ifMatch?: ContentId | null) =>
      files().putFile(ann.principal, path, counted(), ifMatch === undefined ? {} : { ifMatch });
    await expect(attempt('/a', null)).rejects.toMatchObject({ code: 'precondition-failed' });
    await expect(attempt('/missing', content.contentId)).rejects.toMatchObject({
      code: 'precondition-failed',
    });
    await expect(attempt('/folder')).rejects.toMatchObject({ code: 'not-a-file' });
    await expect(attempt('/a/b')).rejects.toMatchObject({ code: 'not-a-folder' });
    await expect(attempt('/a/../b')).rejects.toMatchObject({ code: 'bad-path' });
    await expect(attempt('/')).rejects.toMatchObject({ code: 'bad-path' });
    expect(taken).toBe(0);
    await attempt('/a', content.contentId);
  });

  test('a body that is shorter or longer than announced changes nothing', async () => {
    for (const sizeBytes of [2, 4]) {
      const put = files().putFile(ann.principal, '/a', pieces('abc'), { sizeBytes });
      await expect(put).rejects.toMatchObject({ code: 'bad-request' });
    }
    await expect(files().getByPath(ann.principal, null, '/a')).rejects.toMatchObject({ code: 'not-found' });
  });

  test('writers of the same path at once all succeed, one version each', async () => {
    const entries = await Promise.all(['1', '2', '3'].map((text) => put('/same/file', text)));
    expect(new Set(entries.map(({ entryId }) => entryId)).size).toBe(1);
    const { entryId } = entries[0] as FileEntry;
    expect(await files().listVersions(ann.principal, entryId)).toHaveLength(3);
  });

  test('holds a bounded part of a large file, and reads it back', async () => {
    const pieceBytes = 1024 * 1024;
    let givenBytes = 0;
    let storedBytes = 0;
    let heldBytes = 0;
    const { blocks } = world;
    const original = blocks.put.bind(blocks);
    blocks.put = async (batch: readonly StoredBlock[]) => {
      const locations = await original(batch);
      storedBytes += batch.reduce((sum, block) => sum + (block.kind === 'chunk' ? block.plainBytes : 0), 0);
      return locations;
    };
    async function* large(): AsyncGenerator<Uint8Array> {
      for (let index = 0; index < 40; index++) {
        const piece = world.environment.random.bytes(pieceBytes);
        givenBytes += pieceBytes;
        heldBytes = Math.max(heldBytes, givenBytes - storedBytes);
        yield piece;
      }
    }
    const entry = await files().putFile(ann.principal, '/large', large());
    expect(storedBytes).toBe(40 * pieceBytes);
    expect(heldBytes).toBeLessThan(16 * pieceBytes);
    const opened = await files().openFile(ann.principal, entry.entryId);
    expect((await collect(opened.read())).length).toBe(40 * pieceBytes);
  });
});

describe('openFile', () => {
  async function createDeepFile(): Promise<{ entryId: EntryId; bytes: Buffer }> {
    const stored: StoredBlock[] = [];
    const emit = ({ blockId, kind, plain }: Parameters<Parameters<typeof createManifestTree>[1]>[0]) => {
      stored.push(encodeNamedBlock(world.platform, blockId, kind, plain));
    };
    const tree = createManifestTree(world.platform, emit);
    const bytes = Buffer.from(world.environment.random.bytes(40_000));
    const { contentIdOf, encodeBlock } = await import('@cairn/content');
    for (let start = 0; start < bytes.length; start += 10) {
      const block = encodeBlock(world.platform, 'chunk', bytes.subarray(start, start + 10));
      stored.push(block);
      await tree.add({ block: block.blockId, sizeBytes: 10 });
    }
    const manifest = await tree.finish('t32-64k');
    expect(manifest.depth).toBeGreaterThan(0);
    for (let start = 0; start < stored.length; start += 4000) {
      const batch = stored.slice(start, start + 4000);
      await world.services.blocks.storeBlocks(ann.principal, ann.spaceId, batch);
    }
    const contentId = contentIdOf(world.platform, manifest, bytes.length);
    const entry = fileOf({ contentId, sizeBytes: bytes.length, manifest });
    const entryId = world.newId<EntryId>();
    await world.commit(ann, [{ kind: 'create', entryId, parentId: ann.rootId, name: 'deep', entry }]);
    return { entryId, bytes };
  }

  test('reads ranges through the manifest, only the chunks it needs', async () => {
    const { entryId, bytes } = await createDeepFile();
    const opened = await files().openFile(ann.principal, entryId);
    for (const [start, end] of [
      [0, 40_000],
      [0, 1],
      [39_999, 40_000],
      [19_995, 20_005],
      [12_345, 34_567],
      [500, 500],
    ] as const) {
      expect(await collect(opened.read({ start, end }))).toEqual(bytes.subarray(start, end));
    }
    let asked = 0;
    const { blocks } = world;
    const original = blocks.getMany.bind(blocks);
    blocks.getMany = (ids) => {
      asked += ids.length;
      return original(ids);
    };
    await collect(opened.read({ start: 20_001, end: 20_019 }));
    expect(asked).toBeLessThan(8);
  });

  test('ranges outside of the file are refused at once', async () => {
    const { entryId } = await put('/a', 'hello');
    const opened = await files().openFile(ann.principal, entryId);
    for (const [start, end] of [
      [0, 6],
      [5, 5],
      [3, 2],
      [-1, 2],
    ] as const) {
      expect(() => opened.read({ start, end })).toThrowError(/5 bytes/);
    }
    expect((await collect(opened.read({ start: 1, end: 3 }))).toString()).toBe('el');
  });

  test('a lost block is damage, not a shorter file', async () => {
    const entry = await put('/a', 'hello');
    const blockId = entry.content.manifest.parts[0]?.block;
    if (blockId === undefined) throw new Error('the file has no block');
    await world.blocks.delete({ blockId, generation: (await firstLocation()).generation });
    const opened = await files().openFile(ann.principal, entry.entryId);
    await expect(collect(opened.read())).rejects.toMatchObject({ code: 'data-damaged' });
  });

  async function firstLocation() {
    for await (const location of world.blocks.list()) return location;
    throw new Error('no block is stored');
  }
});

describe('folders, moves and the trash', () => {
  test('lists in pages by folded name', async () => {
    for (const name of ['b', 'A', 'c']) await put(`/list/${name}`, name);
    const { entry } = await files().getByPath(ann.principal, null, 'list');
    const first = await files().listFolder(ann.principal, entry.entryId, { after: null, limit: 2 });
    expect(first.entries.map(({ name }) => name)).toEqual(['A', 'b']);
    const rest = await files().listFolder(ann.principal, entry.entryId, { after: first.next, limit: 2 });
    expect(rest.entries.map(({ name }) => name)).toEqual(['c']);
    expect(rest.next).toBeNull();
  });

  test('createFolder wants a parent and a free name, unless told to make parents', async () => {
    const create = (path: string, parents: boolean) => files().createFolder(ann.principal, path, { parents });
    await expect(create('/x/y', false)).rejects.toMatchObject({ code: 'not-found' });
    const made = await create('/x/y', true);
    expect(await create('/x/y', true)).toEqual(made);
    await expect(create('/x/Y', false)).rejects.toMatchObject({ code: 'already-exists' });
    await put('/file', '1');
    await expect(create('/file', true)).rejects.toMatchObject({ code: 'not-a-folder' });
    await expect(create('/file', false)).rejects.toMatchObject({ code: 'already-exists' });
  });

  test('update renames, moves by path or folder, and says why not', async () => {
    const { entryId } = await put('/a/file', '1');
    await put('/b/other', '2');
    const update = (change: Parameters<ReturnType<typeof files>['update']>[2]) =>
      files().update(ann.principal, entryId, change);
    await update({ name: 'FILE' });
    expect(await pathOf(entryId)).toBe('/a/FILE');
    await update({ path: '/b/moved' });
    expect(await pathOf(entryId)).toBe('/b/moved');
    await update({ parentId: ann.rootId });
    expect(await pathOf(entryId)).toBe('/moved');
    await expect(update({ path: '/b/other' })).rejects.toMatchObject({ code: 'already-exists' });
    await expect(update({ path: '/none/x' })).rejects.toMatchObject({ code: 'not-found' });
    await expect(update({ parentId: entryId })).rejects.toMatchObject({ code: 'not-a-folder' });
    await expect(update({ name: 'a/b' })).rejects.toMatchObject({ code: 'bad-name' });
    expect(await update({ executable: true, modifiedAtUs: 7 })).toMatchObject({
      executable: true,
      modifiedAtUs: 7,
    });
    const a = (await files().getByPath(ann.principal, null, '/a')).entry;
    const self = files().update(ann.principal, a.entryId, { parentId: a.entryId });
    await expect(self).rejects.toMatchObject({ code: 'bad-request' });
    const root = files().update(ann.principal, ann.rootId, { name: 'x' });
    await expect(root).rejects.toMatchObject({ code: 'bad-request' });
  });

  test('what was removed is in the trash and comes back to its place', async () => {
    const { trash } = world.services;
    const { entryId } = await put('/a/b/file', '1');
    const folder = (await files().getByPath(ann.principal, null, '/a/b')).entry;
    await files().remove(ann.principal, entryId);
    await expect(files().get(ann.principal, entryId)).rejects.toMatchObject({ code: 'not-found' });
    const list = await trash.list(ann.principal, null, { offset: 0, limit: 10 });
    expect(list).toMatchObject({ items: [{ entryId, path: '/a/b/file', sizeBytes: 1 }], next: null });
    expect((await trash.restore(ann.principal, entryId)).path).toBe('/a/b/file');

    await files().remove(ann.principal, entryId);
    await put('/a/b/FILE', '2');
    expect((await trash.restore(ann.principal, entryId)).path).toBe('/a/b/file (restored)');

    await files().remove(ann.principal, entryId);
    await files().remove(ann.principal, folder.entryId);
    expect((await trash.restore(ann.principal, entryId, '/new/place')).path).toBe('/new/place');
    await files().remove(ann.principal, entryId);
    expect((await trash.restore(ann.principal, entryId)).path).toBe('/new/place');
    expect((await trash.restore(ann.principal, folder.entryId)).path).toBe('/a/b');
    await expect(trash.restore(ann.principal, entryId)).rejects.toMatchObject({ code: 'not-found' });
  });

  test('a folder that is gone is made again, and where a file stands in its place the root takes it', async () => {
    const { trash } = world.services;
    const one = await put('/gone/deep/one', '1');
    const two = await put('/gone/deep/two', '2');
    for (const { entryId } of [one, two]) await files().remove(ann.principal, entryId);
    const gone = (await files().getByPath(ann.principal, null, '/gone')).entry;
    await files().remove(ann.principal, gone.entryId);
    expect((await trash.restore(ann.principal, one.entryId)).path).toBe('/gone/deep/one');
    const again = (await files().getByPath(ann.principal, null, '/gone')).entry;
    await files().remove(ann.principal, again.entryId);
    await put('/gone', 'a file now');
    expect((await trash.restore(ann.principal, two.entryId)).path).toBe('/two');
  });
});
