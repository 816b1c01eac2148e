import { CHUNK_RULES } from '@cairn/kernels';
import type { ChunkProfile } from '@cairn/model';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { blockIdOf } from './block-encoding.ts';
import { checkContent } from './content-id.ts';
import { cutContent, describeContent } from './cut-content.ts';
import { listChunks } from './list-chunks.ts';
import { createNodePlatform } from './node/node-platform.ts';
import type { ContentPlatform } from './platform.ts';
import { createBlockBox } from './testing/block-box.ts';
import { createByteSource, makeBytes } from './testing/byte-source.ts';

const platform = createNodePlatform();
const profile = 't32-64k';
const { minBytes, switchBytes, maxBytes, windowBytes } = CHUNK_RULES[profile];

const sizes = fc.oneof(
  fc.integer({ min: 0, max: 400_000 }),
  fc
    .tuple(
      fc.constantFrom(0, minBytes, switchBytes, maxBytes, windowBytes, windowBytes + maxBytes),
      fc.integer({ min: -2, max: 2 }),
    )
    .map(([bound, difference]) => Math.max(0, bound + difference)),
);

async function cutAndReassemble(bytes: Uint8Array, maxReadBytes: number, by: ChunkProfile = profile) {
  const box = createBlockBox(platform);
  const content = await cutContent(platform, createByteSource(bytes, maxReadBytes), {
    profile: by,
    emit: box.emit,
  });
  checkContent(platform, content);
  expect(content.sizeBytes).toBe(bytes.length);
  expect(Buffer.compare(await box.reassemble(content), bytes)).toBe(0);
  return content;
}

describe('cutContent', () => {
  it('makes blocks from which the same bytes come back, whatever the size and the reads', async () => {
    await fc.assert(
      fc.asyncProperty(
        sizes,
        fc.integer(),
        fc.constantFrom(1, 16, 256),
        fc.integer({ min: 1_000, max: 2_000_000 }),
        async (size, seed, alphabet, maxReadBytes) => {
          const bytes = makeBytes(seed, size, alphabet);
          const content = await cutAndReassemble(bytes, maxReadBytes);
          const again = await describeContent(platform, createByteSource(bytes), { profile });
          expect(again).toEqual(content);
        },
      ),
      { numRuns: 60 },
    );
  });

  it.each(['t32-256k', 't32-1m'] as const)('works with %s', async (by) => {
    const bytes = makeBytes(5, CHUNK_RULES[by].windowBytes + CHUNK_RULES[by].maxBytes + 7);
    const content = await cutAndReassemble(bytes, 700_001, by);
    expect(content.manifest.profile).toBe(by);
    expect(content.manifest.parts.length).toBeGreaterThan(2);
  });

  it('gives nothing for nothing', async () => {
    const content = await cutAndReassemble(new Uint8Array(0), 1);
    expect(content.manifest).toEqual({ profile, depth: 0, parts: [] });
  });

  it('gives different contents different ids, also by profile', async () => {
    const bytes = makeBytes(1, 1000);
    const other = makeBytes(2, 1000);
    const ids = [
      await describeContent(platform, createByteSource(bytes), { profile }),
      await describeContent(platform, createByteSource(other), { profile }),
      await describeContent(platform, createByteSource(bytes), { profile: 't32-1m' }),
    ].map((content) => content.contentId);
    expect(new Set(ids).size).toBe(3);
    for (const id of ids) expect(id).toMatch(/^03[0-9a-f]{64}$/);
  });

  it('cuts a large hole into one block and a shallow tree, in bounded memory', async () => {
    const sizeBytes = 256 * 1024 ** 2 + 5;
    let largestRead = 0;
    const hole = {
      async read(into: Uint8Array, position: number) {
        largestRead = Math.max(largestRead, into.length);
        const count = Math.min(into.length, sizeBytes - position);
        into.fill(0, 0, count);
        return count;
      },
    };
    const box = createBlockBox(platform);
    let hashedBytes = 0;
    const counting: ContentPlatform = {
      ...platform,
      sha256(bytes) {
        hashedBytes += bytes.length;
        return platform.sha256(bytes);
      },
    };
    const content = await cutContent(counting, hole, {
      profile: 't32-256k',
      emit: (block) => (box.blocks.has(block.blockId) ? undefined : box.emit(block)),
    });
    expect(content.sizeBytes).toBe(sizeBytes);
    // One chunk of the largest size, and the last one.
    expect(hashedBytes).toBeLessThan(2 * CHUNK_RULES['t32-256k'].maxBytes);
    expect(content.manifest.depth).toBe(1);
    expect([...box.blocks.values()].filter((block) => block.kind === 'chunk')).toHaveLength(2);
    let listed = 0;
    for await (const part of listChunks(platform, content.manifest, box.readPlain)) listed += part.sizeBytes;
    expect(listed).toBe(sizeBytes);
    expect(largestRead).toBeLessThanOrEqual(CHUNK_RULES['t32-256k'].windowBytes);
  });

  it('waits for emit before it overwrites what it gave out or goes on', async () => {
    const bytes = makeBytes(3, 3_000_000);
    let running = 0;
    await cutContent(platform, createByteSource(bytes, 100_000), {
      profile,
      async emit({ blockId, kind, plain }) {
        expect(++running).toBe(1);
        await new Promise((resolve) => setImmediate(resolve));
        expect(blockIdOf(platform, kind, plain)).toBe(blockId);
        running--;
      },
    });
  });

  it('cuts several contents at the same time without mixing them', async () => {
    const contents = Array.from({ length: 12 }, (_, index) => makeBytes(index + 1, 200_000 + index));
    const together = await Promise.all(contents.map((bytes) => cutAndReassemble(bytes, 10_000)));
    expect(new Set(together.map((content) => content.contentId)).size).toBe(contents.length);
  });

  it('stops when aborted, between reads and between chunks', async () => {
    const bytes = makeBytes(3, 3_000_000);
    const before = AbortSignal.abort();
    await expect(
      describeContent(platform, createByteSource(bytes), { profile, signal: before }),
    ).rejects.toMatchObject({ code: 'cancelled' });
    const controller = new AbortController();
    let emitted = 0;
    await expect(
      cutContent(platform, createByteSource(bytes), {
        profile,
        signal: controller.signal,
        emit: () => {
          if (++emitted === 2) controller.abort(new Error('enough'));
        },
      }),
    ).rejects.toMatchObject({ code: 'cancelled', cause: new Error('enough') });
    expect(emitted).toBe(2);
  });

  it('passes errors of the source and of emit on, and works after them', async () => {
    const broken = { read: () => Promise.reject(new Error('disk')) };
    await expect(describeContent(platform, broken, { profile })).rejects.toThrow('disk');
    const bytes = makeBytes(9, 100_000);
    await expect(
      cutContent(platform, createByteSource(bytes), {
        profile,
        emit: () => Promise.reject(new Error('full')),
      }),
    ).rejects.toThrow('full');
    await expect(
      describeContent(platform, { read: async (into) => into.length + 1 }, { profile }),
    ).rejects.toThrow(RangeError);
    await cutAndReassemble(bytes, 10_000);
  });

  it('passes on that hashing beside this thread failed, once, whatever else of it fails', async () => {
    let asked = 0;
    const failing: ContentPlatform = {
      ...platform,
      sha256Aside: () => Promise.reject(new Error(`hash ${++asked}`)),
    };
    const bytes = makeBytes(12, 3_000_000);
    // A rejection that nobody listens to would fail this run.
    await expect(describeContent(failing, createByteSource(bytes), { profile })).rejects.toThrow('hash 1');
    expect(asked).toBeGreaterThan(1);
    await new Promise(setImmediate);
  });

  it('renews one or two chunks when a byte is inserted in front', async () => {
    const bytes = makeBytes(11, 6_000_000);
    const longer = new Uint8Array(bytes.length + 1);
    longer.set(bytes, 1);
    const before = await describeContent(platform, createByteSource(bytes), { profile });
    const after = await describeContent(platform, createByteSource(longer), { profile });
    const known = new Set(before.manifest.parts.map((part) => part.block));
    const renewed = after.manifest.parts.filter((part) => !known.has(part.block));
    expect(before.manifest.parts.length).toBeGreaterThan(60);
    expect(renewed.length).toBeLessThanOrEqual(2);
  });
});
