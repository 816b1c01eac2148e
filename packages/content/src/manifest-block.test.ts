import {
  BLOCK_ID_BYTES,
  type BlockId,
  type BlockKind,
  MANIFEST_LIMITS,
  type ManifestPart,
} from '@cairn/model';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { blockIdOf } from './block-encoding.ts';
import { encodeManifestBlock, parseManifestBlock } from './manifest-block.ts';
import { createNodePlatform } from './node/node-platform.ts';

const platform = createNodePlatform();
const wrong = expect.objectContaining({ code: 'block-wrong' });
const idOf = (seed: number, kind: BlockKind = 'chunk'): BlockId =>
  blockIdOf(platform, kind, Buffer.from(String(seed)));

const anyParts = (depth: number) =>
  fc.array(
    fc.record({
      block: fc.integer().map((seed) => idOf(seed, depth === 0 ? 'chunk' : 'manifest')),
      sizeBytes: fc.integer({ min: 1, max: depth === 0 ? 3 * 1024 * 1024 : 2 ** 46 }),
    }),
    { minLength: 1, maxLength: 60 },
  );
const anyList = fc
  .integer({ min: 0, max: MANIFEST_LIMITS.maxDepth - 1 })
  .chain((depth) => fc.tuple(fc.constant(depth), anyParts(depth)));

describe('manifest blocks', () => {
  it('come back as they were written', () => {
    fc.assert(
      fc.property(anyList, ([depth, parts]) => {
        expect(parseManifestBlock(encodeManifestBlock(depth, parts))).toEqual({ depth, parts });
      }),
    );
  });

  it('can be read in the middle of larger memory', () => {
    const parts = [{ block: idOf(1), sizeBytes: 5 }];
    const bytes = encodeManifestBlock(0, parts);
    const larger = new Uint8Array(bytes.length + 20).fill(7);
    larger.set(bytes, 3);
    expect(parseManifestBlock(larger.subarray(3, 3 + bytes.length)).parts).toEqual(parts);
  });

  it('have exactly one form: what parses is written again as the same bytes', () => {
    const bytes = encodeManifestBlock(1, [
      { block: idOf(1, 'manifest'), sizeBytes: 70_000 },
      { block: idOf(2, 'manifest'), sizeBytes: 2 ** 40 + 1 },
    ]);
    for (let index = 0; index < bytes.length; index++) {
      for (const bit of [1, 0x80]) {
        const changed = bytes.slice();
        changed[index] = (changed[index] as number) ^ bit;
        let parsed: ReturnType<typeof parseManifestBlock>;
        try {
          parsed = parseManifestBlock(changed);
        } catch (error) {
          expect(error).toEqual(wrong);
          continue;
        }
        expect(encodeManifestBlock(parsed.depth, parsed.parts)).toEqual(changed);
        expect(blockIdOf(platform, 'manifest', changed)).not.toBe(blockIdOf(platform, 'manifest', bytes));
      }
    }
  });

  it('are refused when anything is missing, added or impossible', () => {
    const parts = [{ block: idOf(1), sizeBytes: 70_000 }];
    const bytes = encodeManifestBlock(0, parts);
    for (let length = 0; length < bytes.length; length++) {
      expect(() => parseManifestBlock(bytes.subarray(0, length))).toThrow(wrong);
    }
    expect(() => parseManifestBlock(Buffer.concat([bytes, Uint8Array.of(0)]))).toThrow(wrong);
    const change = (at: number, value: number) => {
      const changed = bytes.slice();
      changed[at] = value;
      return () => parseManifestBlock(changed);
    };
    expect(change(3, 2)).toThrow(wrong); // format version
    expect(change(4, MANIFEST_LIMITS.maxDepth)).toThrow(wrong);
    for (const algorithm of [0, 2, 3]) expect(change(9, algorithm)).toThrow(wrong);
    expect(change(9 + BLOCK_ID_BYTES + 3, 1)).toThrow(wrong); // chunk larger than a block
    expect(change(9 + BLOCK_ID_BYTES + 7, 1)).toThrow(wrong); // size beyond safe integers
    expect(() => parseManifestBlock(Uint8Array.of(0x43, 0x4d, 0x42, 1, 0, 0, 0, 0, 0))).toThrow(wrong);
    expect(() => parseManifestBlock(Uint8Array.of(0x43, 0x4d, 0x42, 1, 0, 255, 255, 255, 255))).toThrow(
      wrong,
    );
  });

  it('are never written wrong', () => {
    const part: ManifestPart = { block: idOf(1), sizeBytes: 5 };
    expect(() => encodeManifestBlock(0, [])).toThrow(RangeError);
    expect(() => encodeManifestBlock(MANIFEST_LIMITS.maxDepth, [part])).toThrow(RangeError);
    expect(() => encodeManifestBlock(0, [{ ...part, sizeBytes: 0 }])).toThrow(RangeError);
    expect(() => encodeManifestBlock(0, [{ ...part, block: 'x' as BlockId }])).toThrow(RangeError);
    expect(() => encodeManifestBlock(1, [part])).toThrow(RangeError);
    expect(() => encodeManifestBlock(0, [{ ...part, block: idOf(1, 'manifest') }])).toThrow(RangeError);
    const many = Array.from({ length: MANIFEST_LIMITS.maxBlockParts + 1 }, () => part);
    expect(() => encodeManifestBlock(0, many)).toThrow(RangeError);
  });
});
