import type { BlockId } from '@cairn/model';
import { describe, expect, it } from 'vitest';
import type { ReadMemory } from '../block-store.ts';
import { collect, makeBlock } from '../testing/blocks.ts';
import { makeStoreDirectory, openTestStore, removeStoreDirectory } from '../testing/segment-store.ts';
import type { IndexedBlock } from './index-rows.ts';
import { readAhead } from './read-ahead.ts';
import { RECORD_HEADER_BYTES } from './record-format.ts';

/** Records that lie `strideBytes` from each other in one segment. */
function layOut(count: number, sizeBytes: number, strideBytes: number) {
  const blocks = Array.from({ length: count }, (_, seed) => makeBlock(seed, sizeBytes));
  const places = new Map<BlockId, IndexedBlock>();
  blocks.forEach(({ blockId, kind, codec, plainBytes }, index) => {
    places.set(blockId, {
      blockId,
      generation: 1,
      state: 'live',
      kind,
      codec,
      plainBytes,
      storedBytes: sizeBytes,
      segment: 1,
      offset: 64 + index * strideBytes,
    });
  });
  return { blocks, places };
}

describe('reading ahead', () => {
  it.each([
    ['near neighbours', 100, RECORD_HEADER_BYTES + 100],
    ['far ones', 100, 60_000],
    ['ones too far to be read together', 100, 200_000],
  ])('holds little more than what it gives: %s', async (_name, sizeBytes, strideBytes) => {
    const { blocks, places } = layOut(3000, sizeBytes, strideBytes);
    /** The memory behind what was read, as it waits to be taken. */
    const held = new Map<ArrayBufferLike, number>();
    let reads = 0;
    const got = await collect(
      readAhead(
        blocks.map(({ blockId }) => blockId),
        {
          find: (blockId) => places.get(blockId) ?? null,
          async read(run) {
            reads++;
            const [first, last] = [run[0] as IndexedBlock, run[run.length - 1] as IndexedBlock];
            const span = new Uint8Array(last.offset + RECORD_HEADER_BYTES + last.storedBytes - first.offset);
            return run.map((at) => {
              const from = at.offset - first.offset + RECORD_HEADER_BYTES;
              const payload = span.subarray(from, from + at.storedBytes);
              const whole = blocks[(at.offset - 64) / strideBytes] as (typeof blocks)[number];
              payload.set(whole.payload);
              return { at, result: { block: { ...whole, payload }, payloadChecksum: 0, problem: null } };
            });
          },
          take({ result }) {
            const block = result?.block ?? null;
            if (block !== null) held.set(block.payload.buffer, block.payload.buffer.byteLength);
            return block;
          },
        },
      ),
    );
    expect(got).toEqual(blocks);
    let heldBytes = 0;
    for (const bytes of held.values()) heldBytes += bytes;
    expect(heldBytes).toBeLessThanOrEqual(3 * 3000 * (RECORD_HEADER_BYTES + sizeBytes));
    if (strideBytes < 65_536) expect(reads).toBeLessThan(400);
  });

  it('gives back the memory of what was taken, only when the next is asked for, and none of it after an early end', async () => {
    const directory = await makeStoreDirectory();
    const store = await openTestStore(directory, { maxSegmentBytes: 4 * 1024 * 1024 });
    try {
      const blocks = Array.from({ length: 60 }, (_, seed) => makeBlock(seed, 200_000 + seed));
      await store.put(blocks);
      // Not in the order of the disk, and some twice.
      const asked = blocks.map((_, index) => blocks[(index * 7) % 50] as (typeof blocks)[number]);
      const ids = asked.map(({ blockId }) => blockId);
      const taken = new Set<Uint8Array>();
      const memory: ReadMemory = {
        take(sizeBytes) {
          const given = new Uint8Array(sizeBytes);
          taken.add(given);
          return given;
        },
        give(given) {
          expect(taken.delete(given)).toBe(true);
          // As if others had got it, and filled it, at once.
          given.fill(0xee);
        },
      };
      let position = 0;
      for await (const block of store.getMany(ids, memory)) {
        await new Promise((resolve) => setImmediate(resolve));
        expect(
          Buffer.compare(block?.payload ?? new Uint8Array(0), asked[position]?.payload as Uint8Array),
        ).toBe(0);
        position++;
      }
      expect(position).toBe(asked.length);
      expect(taken.size).toBe(0);

      let last: Uint8Array | undefined;
      for await (const block of store.getMany(ids, memory)) {
        last = block?.payload;
        if (++position === asked.length + 5) break;
      }
      expect(Buffer.compare(last as Uint8Array, asked[4]?.payload as Uint8Array)).toBe(0);
      expect([...taken].some(({ buffer }) => buffer === last?.buffer)).toBe(true);
    } finally {
      await store.close();
      await removeStoreDirectory(directory);
    }
  });
});
