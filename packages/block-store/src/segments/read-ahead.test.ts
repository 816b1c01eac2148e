import type { BlockId } from '@cairn/model';
import { describe, expect, it } from 'vitest';
import { collect, makeBlock } from '../testing/blocks.ts';
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
});
