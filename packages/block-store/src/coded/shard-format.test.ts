import { createHash } from 'node:crypto';
import type { StoredBlock } from '@cairn/content';
import { type BlockId, isBlockId, isShardId, isStoredId, parseShardId, shardIdOf } from '@cairn/model';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { makeBlock } from '../testing/blocks.ts';
import { decodeShards, encodeShards, isIntactShard, parseShard, type Shard } from './shard-format.ts';

const anyBlock = fc
  .record({
    seed: fc.nat(1_000_000),
    sizeBytes: fc.oneof(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 30_000, max: 140_000 })),
    kind: fc.constantFrom('chunk' as const, 'manifest' as const),
    codec: fc.constantFrom('raw' as const, 'zstd' as const),
  })
  .map(
    ({ seed, sizeBytes, kind, codec }): StoredBlock => ({
      ...makeBlock(seed, sizeBytes, kind),
      codec,
      plainBytes: sizeBytes + 7,
    }),
  );

describe('ids of shards', () => {
  test('lead to the block and back, and are no block ids', () => {
    for (const kind of ['chunk', 'manifest'] as const) {
      const { blockId } = makeBlock(1, 10, kind);
      const shardIds = [0, 1, 2, 3, 4, 5].map((index) => shardIdOf(blockId, index));
      expect(new Set(shardIds).size).toBe(6);
      for (const [index, shardId] of shardIds.entries()) {
        expect(parseShardId(shardId)).toEqual({ blockId, index });
        expect([isShardId(shardId), isStoredId(shardId), isBlockId(shardId)]).toEqual([true, true, false]);
      }
      expect([isShardId(blockId), isStoredId(blockId)]).toEqual([false, true]);
      expect(() => shardIdOf(blockId, 6)).toThrow(RangeError);
      expect(() => shardIdOf(shardIds[0] as BlockId, 1)).toThrow(RangeError);
    }
    for (const text of ['16', '26', '30', '03', '1a'].map((start) => start + '0'.repeat(64))) {
      expect(isStoredId(text)).toBe(false);
    }
  });
});

describe('shards', () => {
  test('of which any four are left give the block back', () => {
    fc.assert(
      fc.property(anyBlock, fc.shuffledSubarray([0, 1, 2, 3, 4, 5], { minLength: 4 }), (block, left) => {
        const records = encodeShards(block);
        const shards = left.map((index) => parseShard(records[index] as StoredBlock) as Shard);
        const decoded = decodeShards(shards);
        expect({ ...decoded, payload: null }).toEqual({ ...block, payload: null });
        expect(Buffer.compare(decoded.payload, block.payload)).toBe(0);
      }),
      { numRuns: 150 },
    );
  });

  test('take half of what three replicas do', () => {
    const block = makeBlock(1, 1_000_003);
    const bytes = encodeShards(block).reduce((sum, { payload }) => sum + payload.length, 0);
    expect(bytes).toBeLessThan((3 * 1_000_003) / 2 + 6 * 80);
  });

  test('with any bit changed, cut off or under another id are none', () => {
    fc.assert(
      fc.property(anyBlock, fc.nat(5), fc.nat(), fc.nat(7), (block, index, place, bit) => {
        const record = encodeShards(block)[index] as StoredBlock;
        expect(isIntactShard(record)).toBe(true);
        const payload = new Uint8Array(record.payload);
        const at = place % payload.length;
        payload[at] = (payload[at] as number) ^ (1 << bit);
        expect(isIntactShard({ ...record, payload })).toBe(false);
        expect(isIntactShard({ ...record, payload: record.payload.subarray(0, at) })).toBe(false);
        expect(isIntactShard({ ...record, blockId: shardIdOf(block.blockId, (index + 1) % 6) })).toBe(false);
        expect(isIntactShard({ ...record, blockId: shardIdOf(makeBlock(7, 7).blockId, index) })).toBe(false);
        expect(isIntactShard({ ...record, blockId: block.blockId })).toBe(false);
      }),
      { numRuns: 150 },
    );
  });

  test('of another payload of the same block are another set', () => {
    const block = makeBlock(1, 500);
    const setOf = (each: StoredBlock) => parseShard(encodeShards(each)[0] as StoredBlock)?.set;
    expect(setOf(block)).toBe(setOf({ ...block, payload: new Uint8Array(block.payload) }));
    expect(setOf(block)).not.toBe(setOf({ ...block, payload: block.payload.subarray(1) }));
    expect(setOf(block)).not.toBe(setOf({ ...block, codec: 'zstd' }));
  });

  test('are, byte for byte, what was stored by earlier versions', () => {
    const payload = Uint8Array.from({ length: 1001 }, (_, index) => (index * index + 7) & 0xff);
    const blockId = `01${createHash('sha256').update(payload).digest('hex')}` as BlockId;
    const records = encodeShards({ blockId, kind: 'chunk', codec: 'raw', plainBytes: 1001, payload });
    const digests = records.map((record) =>
      createHash('sha256').update(record.payload).digest('hex').slice(0, 16),
    );
    expect(digests).toEqual([
      '86b5a094696809ad',
      'f4dd87cb04a45623',
      '55dc31b79847f41e',
      'a74d7e8238ac5234',
      '882f16f3b69a48d8',
      '220179303e022de6',
    ]);
  });
});
