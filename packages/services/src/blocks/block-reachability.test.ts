import { blockIdOf, contentIdOf, encodeBlock, encodeManifestBlock, type StoredBlock } from '@cairn/content';
import type { BlockId, EntryId, FileContent, ManifestPart } from '@cairn/model';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createDataWorld, type DataWorld, fileOf, type TestUser } from '../testing/data-world.ts';
import { checkReachable } from './check-reachable.ts';

let world: DataWorld;
let ann: TestUser;
let bob: TestUser;
beforeEach(async () => {
  world = await createDataWorld();
  ann = await world.addUser('ann');
  bob = await world.addUser('bob');
});
afterEach(() => world.close());

const create = (user: TestUser, content: FileContent) =>
  world.commit(user, [
    {
      kind: 'create',
      entryId: world.newId<EntryId>(),
      parentId: user.rootId,
      name: 'file',
      entry: fileOf(content),
    },
  ]);

const chunk = (text: string) => encodeBlock(world.platform, 'chunk', new TextEncoder().encode(text));
const partOf = (block: StoredBlock): ManifestPart => ({ block: block.blockId, sizeBytes: block.plainBytes });
const manifestOf = (parts: ManifestPart[], depth = 0) =>
  encodeBlock(world.platform, 'manifest', encodeManifestBlock(depth, parts));

function contentOf(depth: number, parts: ManifestPart[]): FileContent {
  const sizeBytes = parts.reduce((sum, part) => sum + part.sizeBytes, 0);
  const manifest = { profile: 't32-64k', depth, parts } as const;
  return { contentId: contentIdOf(world.platform, manifest, sizeBytes), sizeBytes, manifest };
}

async function codeOf(action: Promise<unknown>): Promise<unknown> {
  const error = await action.then(
    () => null,
    (thrown) => thrown,
  );
  return error === null ? null : { code: error.code, message: error.message, details: error.details };
}

const absentId = () => blockIdOf(world.platform, 'chunk', world.environment.random.bytes(32));

describe('hashes are no passwords', () => {
  test('committing blocks of another account fails like committing blocks that nobody has', async () => {
    const secret = await world.upload(ann, 'a secret of Ann');
    await create(ann, secret);
    const nobody = await world.cut('never stored by anybody');
    const [stolen] = secret.manifest.parts;
    const foreign = await codeOf(create(bob, secret));
    expect(foreign).toMatchObject({ code: 'blocks-missing', details: { blocks: [stolen?.block] } });
    const absent = await codeOf(create(bob, nobody.content));
    const text = (value: unknown) => JSON.stringify(value).replace(/0[123][0-9a-f]{64}/g, 'id');
    expect(text(foreign)).toBe(text(absent));
    expect(await world.services.spaces.currentSequence(bob.principal, bob.spaceId)).toBe(0);
  });

  test('reading is for those who can reach the block, and rejects before the first byte', async () => {
    const { blocks } = world.services;
    const secret = await world.upload(ann, 'a secret of Ann');
    await create(ann, secret);
    const stolen = secret.manifest.parts[0]?.block as BlockId;
    const mine = chunk('mine');
    await blocks.storeBlocks(bob.principal, bob.spaceId, [mine]);
    const foreign = await codeOf(blocks.readBlocks(bob.principal, bob.spaceId, [mine.blockId, stolen]));
    expect(foreign).toMatchObject({ code: 'not-found' });
    expect(await codeOf(blocks.readBlocks(bob.principal, bob.spaceId, [absentId()]))).toEqual(foreign);
    const read: BlockId[] = [];
    for await (const block of await blocks.readBlocks(ann.principal, ann.spaceId, [stolen])) {
      read.push(block.blockId);
    }
    expect(read).toEqual([stolen]);
  });

  test('"which do you lack" names what only others have, until it was sent', async () => {
    const { blocks } = world.services;
    const { content, blocks: made } = await world.cut('a secret of Ann');
    await world.upload(ann, 'a secret of Ann');
    await create(ann, content);
    const ids = [...made.map(({ blockId }) => blockId), absentId()];
    expect(await blocks.findMissingBlocks(bob.principal, bob.spaceId, ids)).toEqual(ids);
    expect(await blocks.findMissingBlocks(ann.principal, ann.spaceId, ids)).toEqual(ids.slice(-1));
    // Proof by sending the bytes: the same answer as for the first one who sent them.
    expect(await blocks.storeBlocks(bob.principal, bob.spaceId, made)).toBe(made.length);
    expect(await blocks.findMissingBlocks(bob.principal, bob.spaceId, ids)).toEqual(ids.slice(-1));
    await create(bob, content);
  });

  test('a manifest block cannot carry foreign chunks into an account', async () => {
    const { blocks } = world.services;
    const secret = chunk('a secret of Ann');
    await blocks.storeBlocks(ann.principal, ann.spaceId, [secret]);
    await create(ann, contentOf(0, [partOf(secret)]));
    const smuggler = manifestOf([partOf(secret)]);
    const refused = { code: 'blocks-missing', details: { blocks: [secret.blockId] } };
    expect(await codeOf(blocks.storeBlocks(bob.principal, bob.spaceId, [smuggler]))).toMatchObject(refused);
    // Not even when Ann has that very manifest block.
    await blocks.storeBlocks(ann.principal, ann.spaceId, [smuggler]);
    expect(await codeOf(blocks.storeBlocks(bob.principal, bob.spaceId, [smuggler]))).toMatchObject(refused);
    const part = { block: smuggler.blockId, sizeBytes: secret.plainBytes };
    expect(await codeOf(create(bob, contentOf(1, [part])))).toMatchObject({
      code: 'blocks-missing',
      details: { blocks: [smuggler.blockId] },
    });
  });

  test('a manifest block whose parts are no longer leased does not commit', async () => {
    const { blocks } = world.services;
    const piece = chunk('a piece');
    await blocks.storeBlocks(ann.principal, ann.spaceId, [piece]);
    const manifest = manifestOf([partOf(piece)]);
    await blocks.storeBlocks(ann.principal, ann.spaceId, [manifest]);
    const content = contentOf(1, [{ block: manifest.blockId, sizeBytes: piece.plainBytes }]);
    await world.environment.advance(47 * 3_600_000);
    await world.store.transact((transaction) =>
      transaction.leaseBlocks(
        ann.principal.userId,
        [manifest.blockId],
        world.environment.clock.now() + 10 * 3_600_000,
      ),
    );
    await world.environment.advance(2 * 3_600_000);
    expect(await codeOf(create(ann, content))).toMatchObject({
      code: 'blocks-missing',
      details: { blocks: [piece.blockId] },
    });
    await blocks.storeBlocks(ann.principal, ann.spaceId, [piece]);
    await create(ann, content);
    expect(await world.store.read((reader) => reader.hasReferences(ann.spaceId, [piece.blockId]))).toEqual([
      true,
    ]);
  });
});

test('what manifest blocks list is looked at up to a bound, and not again once it is referenced', async () => {
  const { blocks } = world.services;
  const pieces = Array.from({ length: 300 }, (_, index) => chunk(`piece ${index}`));
  const lists = [0, 100, 200].map((start) => manifestOf(pieces.slice(start, start + 100).map(partOf)));
  await blocks.storeBlocks(ann.principal, ann.spaceId, [...pieces, ...lists]);
  const ids = lists.map(({ blockId }) => blockId);
  const look = (maxParts: number) =>
    world.store.read((reader) =>
      checkReachable(reader, ann.principal.userId, ann.spaceId, ids, world.environment.clock.now(), maxParts),
    );
  expect((await look(300)).records.size).toBe(303);
  expect(await codeOf(look(299))).toMatchObject({ code: 'too-large' });
  const parts = lists.map((list, index) => ({
    block: list.blockId,
    sizeBytes: pieces.slice(index * 100, index * 100 + 100).reduce((sum, one) => sum + one.plainBytes, 0),
  }));
  await create(ann, contentOf(1, parts));
  expect((await look(0)).missing).toEqual([]);
});

describe('blocks are what they say', () => {
  test('wrong bytes and wrong manifests are refused [S-5]', async () => {
    const { blocks } = world.services;
    const good = chunk('good');
    const bad = { ...chunk('bad!'), blockId: good.blockId };
    expect(await codeOf(blocks.storeBlocks(ann.principal, ann.spaceId, [bad]))).toMatchObject({
      code: 'block-wrong',
    });
    const liar = manifestOf([{ block: good.blockId, sizeBytes: 5 }]);
    expect(await codeOf(blocks.storeBlocks(ann.principal, ann.spaceId, [good, liar]))).toMatchObject({
      code: 'block-wrong',
    });
    expect(await blocks.findMissingBlocks(ann.principal, ann.spaceId, [good.blockId])).toEqual([
      good.blockId,
    ]);
  });

  test('nobody takes the place of a manifest block by sending its bytes first as something else', async () => {
    const { blocks } = world.services;
    const piece = chunk('a piece of a file whose list others can guess');
    const plain = encodeManifestBlock(0, [partOf(piece)]);
    const manifest = encodeBlock(world.platform, 'manifest', plain);
    const squatter = encodeBlock(world.platform, 'chunk', plain);
    expect(squatter.blockId).not.toBe(manifest.blockId);
    // Bob is first; under the manifest block's own id the bytes are not taken as a chunk.
    const posing = { ...squatter, blockId: manifest.blockId };
    expect(await codeOf(blocks.storeBlocks(bob.principal, bob.spaceId, [posing]))).toMatchObject({
      code: 'block-wrong',
    });
    await blocks.storeBlocks(bob.principal, bob.spaceId, [squatter]);
    await create(bob, contentOf(0, [partOf(squatter)]));
    await blocks.storeBlocks(ann.principal, ann.spaceId, [piece, manifest]);
    const content = contentOf(1, [{ block: manifest.blockId, sizeBytes: piece.plainBytes }]);
    await create(ann, content);
    const bytes: Uint8Array[] = [];
    const { files } = world.services;
    const { entry } = await files.getByPath(ann.principal, null, '/file');
    const opened = await files.openFile(ann.principal, entry.entryId);
    for await (const one of opened.read({ start: 0, end: content.sizeBytes })) bytes.push(one);
    expect(Buffer.concat(bytes).toString()).toBe('a piece of a file whose list others can guess');
    // The same bytes as a chunk are no list, wherever a list is meant.
    const confused = contentOf(1, [{ block: squatter.blockId, sizeBytes: piece.plainBytes }]);
    expect(await codeOf(create(ann, confused))).toMatchObject({ code: 'bad-request' });
  });

  test('a content that does not fit its blocks is refused', async () => {
    const piece = chunk('piece');
    const manifest = manifestOf([partOf(piece)]);
    await world.services.blocks.storeBlocks(ann.principal, ann.spaceId, [manifest, piece]);
    const longer = contentOf(0, [{ block: piece.blockId, sizeBytes: 6 }]);
    const deeper = contentOf(2, [{ block: manifest.blockId, sizeBytes: 5 }]);
    const flat = contentOf(1, [{ block: piece.blockId, sizeBytes: 5 }]);
    for (const content of [longer, deeper, flat]) {
      expect(await codeOf(create(ann, content))).toMatchObject({ code: 'bad-request' });
    }
    await create(ann, contentOf(1, [{ block: manifest.blockId, sizeBytes: 5 }]));
  });
});
