import { blockIdOf, createNodePlatform, openBlock, type PlainBlock } from '@cairn/content';
import type { BlockId } from '@cairn/model';
import { decodePack } from '@cairn/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type BufferShare, createBatchBuffers } from './batch-buffers.ts';
import type { BodyPiece } from './transport.ts';
import { UploadBatch } from './upload-batch.ts';

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

/** Memory that was used before, and so holds anything. */
function dirtyShare(): BufferShare {
  const share = createBatchBuffers().createShare();
  const first = share.take() as Uint8Array;
  first.fill(0xa5);
  const full = share.enlarge(first).fill(0xa5);
  share.give(full);
  return share;
}

const join = (pieces: readonly BodyPiece[]): Uint8Array => Buffer.concat(pieces as readonly Uint8Array[]);

describe('a batch', () => {
  it('becomes the pack of its missing blocks in its own memory', () => {
    const item = fc.record({
      sizeBytes: fc.oneof(fc.integer({ min: 1, max: 3000 }), fc.integer({ min: 1, max: 70_000 })),
      seed: fc.nat(1_000_000),
      compressible: fc.boolean(),
      missing: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(item, { maxLength: 12 }), (items) => {
        const share = dirtyShare();
        const batch = new UploadBatch(share, share.take() as Uint8Array);
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
    const share = createBatchBuffers().createShare();
    const batch = new UploadBatch(share, share.take() as Uint8Array);
    const largest = makeBytes(3 * MIB, 1, false);
    expect(batch.hasRoomFor(largest.length)).toBe(true);
    batch.add(blockOf(largest));
    expect(batch.hasRoomFor(largest.length)).toBe(false);
    const { pack } = batch.encode(platform, new Set(batch.blockIds));
    expect(decodePack(join(pack ?? [])).length).toBe(1);
  });
});
