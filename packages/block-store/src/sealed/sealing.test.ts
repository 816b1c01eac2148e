import { createSimulatedEnvironment, systemRandom } from '@cairn/environment';
import type { BlockId } from '@cairn/model';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { makeBlock } from '../testing/blocks.ts';
import { createSealing, SEALED_EXTRA_BYTES } from './sealing.ts';

const SECRET = Buffer.from(Array.from({ length: 32 }, (_, at) => at));
const sealing = createSealing(SECRET, systemRandom);
const anyId = fc
  .uint8Array({ minLength: 33, maxLength: 33 })
  .map((bytes) => Buffer.from(bytes).toString('hex') as BlockId);

describe('blinded ids', () => {
  it('can be named again, and differ for ids that differ in any bit', () => {
    fc.assert(
      fc.property(anyId, fc.integer({ min: 0, max: 33 * 8 - 1 }), (blockId, bit) => {
        const blinded = sealing.blind(blockId);
        expect(sealing.unblind(blinded)).toBe(blockId);
        const near = Buffer.from(blockId, 'hex');
        near[bit >> 3] = (near[bit >> 3] as number) ^ (1 << (bit & 7));
        const other = Buffer.from(sealing.blind(near.toString('hex') as BlockId), 'hex');
        const bytes = Buffer.from(blinded, 'hex');
        // Each side changes as a whole: a few bytes may be equal by chance, not most of them.
        for (const [from, end] of [
          [0, 16],
          [16, 33],
        ] as const) {
          const same = bytes.subarray(from, end).filter((byte, at) => byte === other[from + at]).length;
          expect(same).toBeLessThan(6);
        }
      }),
    );
  });

  it('depend on the secret', () => {
    const { blockId } = makeBlock(1, 10);
    const other = createSealing(Buffer.alloc(32, 7), systemRandom);
    expect(other.blind(blockId)).not.toBe(sealing.blind(blockId));
    expect(other.keyId).not.toBe(sealing.keyId);
  });
});

describe('sealed blocks', () => {
  it('open to what was sealed, whatever it was', () => {
    for (const block of [
      makeBlock(1, 0),
      makeBlock(2, 5000, 'manifest'),
      { ...makeBlock(3, 100), codec: 'zstd' as const, plainBytes: 4000 },
    ]) {
      const sealed = sealing.seal(block);
      expect(sealed.payload.length).toBe(block.payload.length + SEALED_EXTRA_BYTES);
      expect({ ...sealed, blockId: '', payload: null }).toEqual({
        blockId: '',
        kind: 'chunk',
        codec: 'raw',
        plainBytes: sealed.payload.length,
        payload: null,
      });
      expect(sealing.open(sealed)).toEqual(block);
    }
  });

  it('never use a nonce twice, also for the same block', () => {
    const block = makeBlock(1, 10);
    const nonces = new Set<string>();
    for (let turn = 0; turn < 2000; turn++)
      nonces.add(Buffer.from(sealing.seal(block).payload.subarray(0, 12)).toString('hex'));
    expect(nonces.size).toBe(2000);
  });

  it('do not open when any byte is changed or missing, under another id, or with another secret', () => {
    const sealed = sealing.seal(makeBlock(1, 40));
    for (let at = 0; at < sealed.payload.length; at++) {
      const payload = sealed.payload.slice();
      payload[at] = (payload[at] as number) ^ 1;
      expect(sealing.open({ ...sealed, payload })).toBeNull();
      expect(sealing.open({ ...sealed, payload: sealed.payload.subarray(0, at) })).toBeNull();
    }
    expect(sealing.open({ ...sealed, blockId: sealing.blind(makeBlock(2, 40).blockId) })).toBeNull();
    expect(createSealing(Buffer.alloc(32, 7), systemRandom).open(sealed)).toBeNull();
  });

  it('have the form that stores already hold', () => {
    const { random } = createSimulatedEnvironment({ seed: 1 });
    const fixed = createSealing(SECRET, random);
    const { blockId, payload } = fixed.seal(makeBlock(1, 8));
    expect({ keyId: fixed.keyId, blockId, payload: Buffer.from(payload).toString('hex') }).toEqual({
      keyId: '21b152b5c6a15e7a65ddbddd',
      blockId: '2d12d3d7ade7b79b01a2c684b317e6eadb0ee2d028a08e804b0c23a09a6dbd35b1',
      payload: 'f3c9ebfd2b30f05c70710a2e5bc2aa5f3bd5a90e9f2adbdabaf7653a2858e6c4d16bf9877743fc8805eff2',
    });
  });
});
