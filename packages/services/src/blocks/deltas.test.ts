import {
  blockIdOf,
  type DeltaBlock,
  decodeSignatures,
  encodeBlock,
  encodeDeltaBlock,
  encodeManifestBlock,
  matchBytes,
  matchSignatures,
  openBlock,
  openDelta,
  type StoredBlock,
} from '@cairn/content';
import { type BlockId, MAX_BLOCK_BYTES } from '@cairn/model';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createDataWorld, type DataWorld, type TestUser } from '../testing/data-world.ts';

const KIB = 1024;
let world: DataWorld;
let ann: TestUser;
let bob: TestUser;
beforeEach(async () => {
  world = await createDataWorld();
  ann = await world.addUser('ann');
  bob = await world.addUser('bob');
});
afterEach(() => world.close());

const chunk = (plain: Uint8Array) => encodeBlock(world.platform, 'chunk', plain);
const store = (user: TestUser, blocks: readonly (StoredBlock | DeltaBlock)[]) =>
  world.services.blocks.storeBlocks(user.principal, user.spaceId, blocks);
const read = async (user: TestUser, blockIds: readonly BlockId[]) =>
  Array.fromAsync(await world.services.blocks.readBlocks(user.principal, user.spaceId, blockIds));
const readDeltas = async (user: TestUser, wanted: readonly { blockId: BlockId; bases: BlockId[] }[]) =>
  Array.fromAsync(await world.services.blocks.readDeltas(user.principal, user.spaceId, wanted));

function edit(plain: Uint8Array, at = plain.length >> 1): Uint8Array {
  const edited = plain.slice();
  edited[at] = (edited[at] ?? 0) ^ 1;
  return edited;
}

function deltaOf(plain: Uint8Array, base: Uint8Array, kind: 'chunk' | 'manifest' = 'chunk'): DeltaBlock {
  return encodeDeltaBlock(
    world.platform,
    { blockId: blockIdOf(world.platform, kind, plain), kind, plainBytes: plain.length },
    [blockIdOf(world.platform, kind, base)],
    matchBytes([base], plain, plain.length) as Uint8Array,
  );
}

async function codeOf(action: Promise<unknown>): Promise<unknown> {
  return action.then(
    () => null,
    ({ code, message, details }) => ({ code, message, details }),
  );
}

describe('deltas that are brought', () => {
  test('are stored as the whole blocks that they make', async () => {
    const base = world.environment.random.bytes(200 * KIB);
    const edited = edit(base);
    await store(ann, [chunk(base)]);
    const delta = deltaOf(edited, base);
    expect(await store(ann, [chunk(edit(base, 5)), delta])).toBe(2);
    const [stored] = await read(ann, [delta.blockId]);
    expect(stored).toMatchObject({ codec: 'raw', plainBytes: edited.length });
    expect(Buffer.compare(openBlock(world.platform, stored as StoredBlock), edited)).toBe(0);
  });

  test('are compressed in the store where that helps, like any block', async () => {
    const text = (last: string) => new TextEncoder().encode(`${'a line of a log\n'.repeat(5000)}${last}`);
    await store(ann, [chunk(text('old'))]);
    const delta = deltaOf(text('new'), text('old'));
    await store(ann, [delta]);
    expect((await read(ann, [delta.blockId]))[0]).toMatchObject({ codec: 'zstd' });
  });

  test('may be of lists, whose parts are looked at as in any', async () => {
    const bytes = [1, 2, 3].map(() => world.environment.random.bytes(5000));
    const [one, two, foreign] = bytes.map((each) => chunk(each)) as [StoredBlock, StoredBlock, StoredBlock];
    const list = (...blocks: StoredBlock[]) =>
      encodeManifestBlock(
        0,
        Array.from({ length: 130 }, (_, index) => blocks[index % blocks.length] as StoredBlock).map(
          (block) => ({
            block: block.blockId,
            sizeBytes: block.plainBytes,
          }),
        ),
      );
    await store(ann, [one, two]);
    await store(bob, [foreign]);
    const base = list(one);
    await store(ann, [encodeBlock(world.platform, 'manifest', base)]);
    const good = deltaOf(list(one, two), base, 'manifest');
    expect(await store(ann, [good])).toBe(1);
    const bad = deltaOf(list(one, foreign), base, 'manifest');
    expect(await codeOf(store(ann, [bad]))).toMatchObject({
      code: 'blocks-missing',
      details: { blocks: [foreign.blockId] },
    });
  });

  test('of a base that is not the account\u2019s fail as of one that nobody has, and store nothing', async () => {
    const secret = world.environment.random.bytes(50 * KIB);
    await store(ann, [chunk(secret)]);
    const delta = deltaOf(edit(secret), secret);
    const foreign = await codeOf(store(bob, [delta]));
    const never = world.environment.random.bytes(50 * KIB);
    const absent = await codeOf(store(bob, [deltaOf(edit(never), never)]));
    const text = (value: unknown) => JSON.stringify(value).replace(/0[123][0-9a-f]{64}/g, 'id');
    expect(foreign).toMatchObject({ code: 'blocks-missing', details: { blocks: [chunk(secret).blockId] } });
    expect(text(foreign)).toBe(text(absent));
    expect(
      await world.services.blocks.findMissingBlocks(bob.principal, bob.spaceId, [delta.blockId]),
    ).toEqual([delta.blockId]);
  });

  test('that do not make what they name store nothing of what came with them', async () => {
    const base = world.environment.random.bytes(50 * KIB);
    await store(ann, [chunk(base)]);
    const good = chunk(world.environment.random.bytes(1000));
    const wrong = {
      ...deltaOf(edit(base), base),
      blockId: blockIdOf(world.platform, 'chunk', new Uint8Array(9)),
    };
    expect(await codeOf(store(ann, [good, wrong]))).toMatchObject({ code: 'block-wrong' });
    expect(await codeOf(read(ann, [good.blockId]))).toMatchObject({ code: 'not-found' });
  });

  test('of a base that the store lost are asked for as whole blocks', async () => {
    const base = world.environment.random.bytes(50 * KIB);
    await store(ann, [chunk(base)]);
    const { blockId } = chunk(base);
    const [location] = await world.blocks.locate([blockId]);
    if (location != null) await world.blocks.delete(location);
    expect(await codeOf(store(ann, [deltaOf(edit(base), base)]))).toMatchObject({
      code: 'blocks-missing',
      details: { blocks: [blockId] },
    });
  });

  test('have a limit in number and in what is to be read for them', async () => {
    const base = world.environment.random.bytes(MAX_BLOCK_BYTES);
    await store(ann, [chunk(base)]);
    const delta = deltaOf(edit(base), base);
    const many = (count: number) =>
      codeOf(
        store(
          ann,
          Array.from({ length: count }, () => delta),
        ),
      );
    expect(await many(11)).toMatchObject({ code: 'too-large' });
    expect(await many(257)).toMatchObject({ code: 'too-large' });
    expect(await many(2)).toBeNull();
  });
});

describe('signatures', () => {
  const sign = (user: TestUser, blockIds: readonly BlockId[]) =>
    world.services.blocks.signBlocks(user.principal, user.spaceId, blockIds, 256);

  test('let a device that has not the base describe what is like it', async () => {
    const base = world.environment.random.bytes(100 * KIB);
    const edited = edit(base);
    await store(ann, [chunk(base)]);
    const signatures = decodeSignatures(await sign(ann, [chunk(base).blockId]), 1, 256);
    const instructions = matchSignatures(world.platform, signatures, edited, 10 * KIB) as Uint8Array;
    expect(instructions.length).toBeLessThan(KIB);
    const { blockId } = chunk(edited);
    const header = { blockId, kind: 'chunk', plainBytes: edited.length } as const;
    await store(ann, [encodeDeltaBlock(world.platform, header, [chunk(base).blockId], instructions)]);
    expect(await read(ann, [blockId])).toHaveLength(1);
  });

  test('are given of what can be read, and else as if it were not there', async () => {
    const [mine, hers] = [world.environment.random.bytes(5000), world.environment.random.bytes(5000)].map(
      chunk,
    ) as [StoredBlock, StoredBlock];
    await store(ann, [hers]);
    await store(bob, [mine]);
    const absent = chunk(world.environment.random.bytes(5000));
    const foreign = await codeOf(sign(bob, [mine.blockId, hers.blockId]));
    expect(foreign).toMatchObject({ code: 'not-found' });
    expect(await codeOf(sign(bob, [mine.blockId, absent.blockId]))).toEqual(foreign);
    expect(
      await codeOf(world.services.blocks.signBlocks(bob.principal, ann.spaceId, [mine.blockId], 256)),
    ).toMatchObject({ code: 'not-found' });
  });

  test('have a limit in number and in what is to be read for them', async () => {
    const block = chunk(world.environment.random.bytes(MAX_BLOCK_BYTES));
    await store(ann, [block]);
    const many = (count: number) =>
      codeOf(
        sign(
          ann,
          Array.from({ length: count }, () => block.blockId),
        ),
      );
    expect(await many(11)).toMatchObject({ code: 'too-large' });
    expect(await many(257)).toMatchObject({ code: 'too-large' });
    expect(await many(2)).toBeNull();
  });
});

describe('deltas that are read', () => {
  test('come where they are shorter, in the order asked', async () => {
    const base = world.environment.random.bytes(100 * KIB);
    const edited = edit(base);
    const other = world.environment.random.bytes(100 * KIB);
    const small = world.environment.random.bytes(1000);
    await store(ann, [base, edited, other, small].map(chunk));
    const [baseId, editedId, otherId, smallId] = [base, edited, other, small].map(
      (each) => chunk(each).blockId,
    ) as [BlockId, BlockId, BlockId, BlockId];
    const got = await readDeltas(ann, [
      { blockId: otherId, bases: [baseId] },
      { blockId: editedId, bases: [otherId, baseId] },
      { blockId: smallId, bases: [baseId] },
      { blockId: baseId, bases: [baseId] },
    ]);
    expect(got.map(({ blockId, codec }) => [blockId, codec])).toEqual([
      [otherId, 'raw'],
      [editedId, 'delta'],
      [smallId, 'raw'],
      [baseId, 'raw'],
    ]);
    const plain = openDelta(world.platform, got[1] as DeltaBlock, [other, base]);
    expect(Buffer.compare(plain, edited)).toBe(0);
  });

  test('pass over bases of other accounts, like such that nobody has; what is wanted must be one\u2019s own', async () => {
    const base = world.environment.random.bytes(100 * KIB);
    const edited = edit(base);
    await store(ann, [chunk(base)]);
    await store(bob, [chunk(edited)]);
    const editedId = chunk(edited).blockId;
    const baseId = chunk(base).blockId;
    const absentId = chunk(edit(base, 3)).blockId;
    const [foreign] = await readDeltas(bob, [{ blockId: editedId, bases: [baseId] }]);
    const [absent] = await readDeltas(bob, [{ blockId: editedId, bases: [absentId] }]);
    expect(foreign).toEqual(absent);
    expect(foreign?.codec).toBe('raw');
    const refused = await codeOf(readDeltas(bob, [{ blockId: baseId, bases: [editedId] }]));
    expect(refused).toMatchObject({ code: 'not-found' });
    expect(await codeOf(readDeltas(bob, [{ blockId: absentId, bases: [editedId] }]))).toEqual(refused);
  });

  test('are whole blocks as soon as bases are too much, or were of no use', async () => {
    const base = world.environment.random.bytes(MAX_BLOCK_BYTES);
    const edits = Array.from({ length: 12 }, (_, index) => edit(base, index));
    await store(ann, [chunk(base)]);
    for (const each of edits) await store(ann, [chunk(each)]);
    const bases = [chunk(base).blockId];
    const got = await readDeltas(
      ann,
      edits.map((each) => ({ blockId: chunk(each).blockId, bases })),
    );
    expect(got.filter(({ codec }) => codec === 'delta')).toHaveLength(10);

    const others = Array.from({ length: 5 }, () => world.environment.random.bytes(20 * KIB));
    await store(ann, [...others, edit(others[0] as Uint8Array)].map(chunk));
    const vain = await readDeltas(ann, [
      ...others.map((each) => ({ blockId: chunk(each).blockId, bases })),
      {
        blockId: chunk(edit(others[0] as Uint8Array)).blockId,
        bases: [chunk(others[0] as Uint8Array).blockId],
      },
    ]);
    expect(vain.map(({ codec }) => codec)).toEqual(Array.from({ length: 6 }, () => 'raw'));
    const tooMany = Array.from({ length: 257 }, () => ({ blockId: bases[0] as BlockId, bases }));
    expect(await codeOf(readDeltas(ann, tooMany))).toMatchObject({ code: 'too-large' });
  });
});
