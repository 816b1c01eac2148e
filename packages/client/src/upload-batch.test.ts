import { blockIdOf, createNodePlatform, openBlock, type PlainBlock } from '@cairn/content';
import type { BlockId } from '@cairn/model';
import { decodePack } from '@cairn/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BodyPiece } from './transport.ts';
import { createBatchBuffers, UploadBatch } from './upload-batch.ts';

const platform = createNodePlatform();
const MIB = 1024 * 1024;

function blockOf(plain: Uint8Array): PlainBlock {
  return { blockId: blockIdOf(platform, 'chunk', plain), kind: 'chunk', plain };
}

function makeBytes(sizeBytes: number, seed: number, compressible: boolean): Uint8Array {
  const bytes = new Uint8Array(sizeBytes);
  let state = seed + 1;
  for (let index = 0; index < sizeBytes; index++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    bytes[index] = compressible ? (state >>> 30) + 65 : state >>> 23;
  }
  return bytes;
}

const join = (pieces: readonly BodyPiece[]): Uint8Array => Buffer.concat(pieces as readonly Uint8Array[]);

describe('a batch', () => {
  it('becomes the pack of its missing blocks in its own memory', () => {
    const item = fc.record({
      sizeBytes: fc.integer({ min: 1, max: 40_000 }),
      seed: fc.nat(1_000_000),
      compressible: fc.boolean(),
      missing: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(item, { maxLength: 12 }), (items) => {
        // Memory that was used before holds anything.
        const batch = new UploadBatch(new Uint8Array(4 * MIB).fill(0xa5));
        const missing = new Set<BlockId>();
        const expected: Uint8Array[] = [];
        let skipped = 0;
        for (const { sizeBytes, seed, compressible, missing: isMissing } of items) {
          const block = blockOf(makeBytes(sizeBytes, seed, compressible));
          if (batch.blockIds.includes(block.blockId)) continue;
          batch.add(block);
          if (isMissing) {
            missing.add(block.blockId);
            expected.push(block.plain);
          } else {
            skipped += sizeBytes;
          }
        }
        const { pack, skippedBytes } = batch.encode(platform, missing);
        expect(skippedBytes).toBe(skipped);
        const found = pack === null ? [] : decodePack(join(pack)).map((block) => openBlock(platform, block));
        expect(found.length).toBe(expected.length);
        for (const [index, plain] of expected.entries())
          expect(Buffer.compare(found[index] as Uint8Array, plain)).toBe(0);
      }),
      { numRuns: 60 },
    );
  });

  it('takes the largest block, and says when it is full', () => {
    const batch = new UploadBatch(new Uint8Array(4 * MIB));
    const largest = makeBytes(3 * MIB, 1, false);
    expect(batch.hasRoomFor(largest.length)).toBe(true);
    batch.add(blockOf(largest));
    expect(batch.hasRoomFor(largest.length)).toBe(false);
    const { pack } = batch.encode(platform, new Set(batch.blockIds));
    expect(decodePack(join(pack ?? [])).length).toBe(1);
  });
});

describe('the memory of batches', () => {
  it('is bounded over all uploads, and none of them is left without', () => {
    const buffers = createBatchBuffers();
    const greedy = buffers.createShare();
    const taken: Uint8Array[] = [];
    for (let buffer = greedy.take(); buffer !== null; buffer = greedy.take()) taken.push(buffer);
    expect(taken.length).toBe(6);
    const late = buffers.createShare();
    const own = late.take();
    expect(own).not.toBeNull();
    expect(late.take()).toBeNull();
    for (const buffer of taken.slice(1)) greedy.give(buffer);
    const again = late.take();
    expect(taken).toContain(again);
  });
});
