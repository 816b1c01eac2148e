import type { BlockId } from '@cairn/model';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  decodeFrames,
  decodeIds,
  decodeLocations,
  encodeEnd,
  encodeFrame,
  encodeIds,
  encodeLocations,
  type NodeFrame,
} from './node-frames.ts';

const idArbitrary = fc
  .tuple(fc.constantFrom('01', '02'), fc.uint8Array({ minLength: 32, maxLength: 32 }))
  .map(([kind, bytes]) => `${kind}${Buffer.from(bytes).toString('hex')}` as BlockId);
const numberArbitrary = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const frameArbitrary: fc.Arbitrary<NodeFrame> = fc.oneof(
  fc.record({ status: fc.constantFrom('absent', 'damaged'), blockId: idArbitrary, number: numberArbitrary }),
  fc
    .tuple(idArbitrary, fc.constantFrom('raw', 'zstd'), fc.uint8Array({ maxLength: 300 }), numberArbitrary)
    .map(([blockId, codec, payload, number]): NodeFrame => {
      const kind = blockId.startsWith('01') ? 'chunk' : 'manifest';
      const block = { blockId, kind, codec, plainBytes: payload.length + 7, payload } as const;
      return { status: 'block', block, number };
    }),
);

function encode(frames: readonly NodeFrame[]): Buffer {
  return Buffer.concat([...frames.flatMap(encodeFrame), encodeEnd(frames.length)]);
}

async function decode(bytes: Uint8Array, pieceBytes: number, maxBlocks?: number): Promise<NodeFrame[]> {
  async function* pieces() {
    for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
  }
  const frames: NodeFrame[] = [];
  for await (const frame of decodeFrames(pieces(), maxBlocks === undefined ? {} : { maxBlocks }))
    frames.push(frame);
  return frames;
}

describe('frames between server and storage node', () => {
  test('come out as they went in, in pieces of any length', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(frameArbitrary, { maxLength: 8 }), fc.nat(100), async (frames, piece) => {
        expect(await decode(encode(frames), piece + 1)).toEqual(frames);
      }),
    );
  });

  test('are an error when cut off anywhere, with one more than was said, or with anything behind', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(frameArbitrary, { minLength: 1, maxLength: 4 }),
        fc.nat(),
        async (frames, at) => {
          const bytes = encode(frames);
          await expect(decode(bytes.subarray(0, at % bytes.length), 64)).rejects.toMatchObject({
            code: 'bad-request',
          });
          await expect(decode(Buffer.concat([bytes, Buffer.of(0)]), 64)).rejects.toMatchObject({
            code: 'bad-request',
          });
          const wrongCount = Buffer.concat([...frames.flatMap(encodeFrame), encodeEnd(frames.length + 1)]);
          await expect(decode(wrongCount, 64)).rejects.toMatchObject({ code: 'bad-request' });
          await expect(decode(bytes, 64, frames.length - 1)).rejects.toMatchObject({ code: 'too-large' });
        },
      ),
    );
  });

  test('never make anything but frames or an error of noise', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (noise) => {
        await decode(noise, 7).catch((error) =>
          expect(['bad-request', 'too-large']).toContain((error as { code: string }).code),
        );
      }),
    );
  });

  test('ids and locations come out as they went in, and what is cut off is an error', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(idArbitrary, numberArbitrary, numberArbitrary), { maxLength: 9 }),
        (rows) => {
          const ids = rows.map(([blockId]) => blockId);
          expect(decodeIds(encodeIds(ids))).toEqual(ids);
          const locations = rows.map(([blockId, generation, storedBytes]) => ({
            blockId,
            generation,
            storedBytes,
          }));
          expect(decodeLocations(encodeLocations(locations))).toEqual(locations);
          if (rows.length === 0) return;
          expect(() => decodeIds(encodeIds(ids).subarray(1))).toThrow('cut off');
          expect(() => decodeLocations(encodeLocations(locations).subarray(1))).toThrow('cut off');
        },
      ),
    );
  });
});
