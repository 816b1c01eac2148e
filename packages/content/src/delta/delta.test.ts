import { type BlockId, MAX_BLOCK_BYTES } from '@cairn/model';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { blockIdOf } from '../block-encoding.ts';
import { createNodePlatform } from '../node/node-platform.ts';
import { type DeltaBlock, encodeDeltaBlock, listDeltaBases, openDelta } from './delta-block.ts';
import { DeltaWriter, followInstructions } from './delta-instructions.ts';
import { matchBytes } from './match-bytes.ts';
import { matchSignatures } from './match-signatures.ts';
import { leavingFactor, rollHash, weakHash } from './rolling-hash.ts';
import {
  type BlockSignature,
  chooseSpanBytes,
  decodeSignatures,
  encodeSignatures,
  SPAN_BYTES,
  signatureBytes,
  signBlock,
} from './signature.ts';

const platform = createNodePlatform();
const wrong = expect.objectContaining({ code: 'block-wrong' });
const KIB = 1024;
const NO_LIMIT = MAX_BLOCK_BYTES * 2;

/** Bytes that look random, the same for the same seed. */
function noise(size: number, seed: number): Uint8Array {
  const words = new Uint32Array(Math.ceil(size / 4));
  let state = Math.imul(seed + 1, 2654435761) | 1;
  for (let index = 0; index < words.length; index++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[index] = state;
  }
  return new Uint8Array(words.buffer, 0, size);
}

function join(...pieces: Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(pieces));
}

const sign = (bases: readonly Uint8Array[], spanBytes: number): BlockSignature[] =>
  bases.map((base) => signBlock(platform, base, spanBytes));

/** Instructions by either way. */
const WAYS = {
  signatures: (bases: readonly Uint8Array[], plain: Uint8Array, maxBytes = NO_LIMIT) =>
    matchSignatures(
      platform,
      sign(bases, chooseSpanBytes(Math.max(...bases.map(({ length }) => length)))),
      plain,
      maxBytes,
    ),
  bytes: (bases: readonly Uint8Array[], plain: Uint8Array, maxBytes = NO_LIMIT) =>
    matchBytes(bases, plain, maxBytes),
};

/** Pieces of bases, moved and changed, with other bytes between: what edits leave. */
const anyEdit = fc
  .tuple(
    fc.array(
      fc.oneof(
        fc.record({ size: fc.integer({ min: 1, max: 9000 }), seed: fc.nat(20) }),
        fc.record({ size: fc.integer({ min: 1, max: 9000 }), byte: fc.nat(255) }),
      ),
      { minLength: 1, maxLength: 4 },
    ),
    fc.array(
      fc.oneof(
        fc.record({ from: fc.nat(20_000), length: fc.nat(9000) }),
        fc.record({ bytes: fc.uint8Array({ minLength: 1, maxLength: 600 }) }),
        fc.record({ run: fc.nat(255), length: fc.nat(3000) }),
      ),
      { minLength: 1, maxLength: 8 },
    ),
  )
  .map(([shapes, steps]) => {
    const bases = shapes.map((shape) =>
      'seed' in shape ? noise(shape.size, shape.seed) : new Uint8Array(shape.size).fill(shape.byte),
    );
    const all = join(...bases);
    const pieces = steps.map((step) => {
      if ('bytes' in step) return step.bytes;
      if ('run' in step) return new Uint8Array(step.length).fill(step.run);
      const start = step.from % all.length;
      return all.subarray(start, start + step.length);
    });
    return { bases, plain: join(...pieces, Uint8Array.of(7)) };
  });

describe('the weak hash', () => {
  it('moves on by a byte to what it is there', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 2, maxLength: 300 }), fc.nat(300), (bytes, wanted) => {
        const length = 1 + (wanted % (bytes.length - 1));
        const leaving = leavingFactor(length);
        let hash = weakHash(bytes, 0, length);
        for (let start = 1; start + length <= bytes.length; start++) {
          hash = rollHash(hash, leaving, bytes[start - 1] as number, bytes[start + length - 1] as number);
          expect(hash).toBe(weakHash(bytes, start, length));
        }
      }),
    );
  });
});

describe.each(Object.entries(WAYS))('deltas by %s', (way, make) => {
  it('make what they were made of, whatever was edited', () => {
    fc.assert(
      fc.property(anyEdit, ({ bases, plain }) => {
        const instructions = make(bases, plain);
        expect(instructions).not.toBeNull();
        const made = followInstructions(bases, instructions as Uint8Array, plain.length);
        expect(Buffer.compare(made, plain)).toBe(0);
      }),
      { numRuns: 300 },
    );
  });

  it('are short where little changed', () => {
    const base = noise(1024 * KIB, 1);
    const overwritten = base.slice();
    overwritten.set(noise(4 * KIB, 2), 500_001);
    const edits = {
      same: base,
      'a byte in front': join(Uint8Array.of(9), base),
      'a byte behind': join(base, Uint8Array.of(9)),
      'a byte gone in front': base.subarray(1),
      'a byte in the middle': join(base.subarray(0, 400_000), Uint8Array.of(9), base.subarray(400_000)),
      'halves exchanged': join(base.subarray(500_000), base.subarray(0, 500_000)),
      'twice the front': join(base.subarray(0, 300_000), base.subarray(0, 300_000)),
      '4 KiB overwritten': overwritten,
    };
    for (const [name, plain] of Object.entries(edits)) {
      const bytes = make([base], plain)?.length ?? NO_LIMIT;
      const most = way === 'bytes' ? 300 : 2 * chooseSpanBytes(base.length) + 100;
      expect({ name, isShort: bytes <= most + (name.startsWith('4 KiB') ? 4 * KIB : 0), bytes }).toEqual({
        name,
        isShort: true,
        bytes,
      });
    }
  });

  it('find a block that was cut from several, and parts of one that was cut', () => {
    const bases = [noise(200_000, 1), noise(100_000, 2), noise(50_001, 3)];
    const all = join(...bases);
    const merged = join(all.subarray(190_000, 280_000), Uint8Array.of(1, 2, 3), all.subarray(290_000));
    const instructions = make(bases, merged) as Uint8Array;
    expect(instructions.length).toBeLessThan(6000);
    expect(Buffer.compare(followInstructions(bases, instructions, merged.length), merged)).toBe(0);
  });

  it('give up what would be too long', () => {
    expect(make([noise(100_000, 1)], noise(100_000, 2), 50_000)).toBeNull();
    expect(make([noise(100_000, 1)], noise(100, 2), 50)).toBeNull();
    expect(make([], noise(100, 2))).toBeNull();
  });

  it('take no longer for runs of equal bytes and for repetitions than for anything else', () => {
    const size = 1024 * KIB;
    const period = (length: number, seed: number): Uint8Array => {
      const one = noise(length, seed);
      return new Uint8Array(
        Buffer.concat(Array.from({ length: Math.ceil(size / length) }, () => one)),
      ).subarray(0, size);
    };
    /** Zeros whose every span ends in another byte: all begin alike. */
    const almost = new Uint8Array(size);
    for (let at = 255; at < size; at += 256) almost[at] = 1 + (at % 251);
    const zeros = new Uint8Array(size);
    const odd = zeros.slice();
    for (let at = 1000; at < size; at += 1500) odd[at] = 1;
    const pairs: [Uint8Array, Uint8Array][] = [
      [zeros, zeros],
      [zeros, odd],
      [odd, zeros],
      [almost, odd],
      [odd, almost],
      [period(3, 1), period(5, 2)],
      [period(1000, 1), period(1001, 1)],
      [period(256, 1), join(Uint8Array.of(1), period(256, 1).subarray(1))],
    ];
    const start = performance.now();
    for (const [base, plain] of pairs) {
      const instructions = make([base], plain, plain.length);
      if (instructions === null) continue;
      expect(Buffer.compare(followInstructions([base], instructions, plain.length), plain)).toBe(0);
    }
    // Were it quadratic, this would take minutes.
    expect(performance.now() - start).toBeLessThan(30_000);
  });
});

describe('signatures', () => {
  it('come back as they were written, and nothing else is read as some', () => {
    const spanBytes = 256;
    const blocks = [noise(1, 1), noise(256, 2), noise(1000, 3)];
    const signatures = sign(blocks, spanBytes);
    const bytes = encodeSignatures(signatures, spanBytes);
    expect(bytes.length).toBe(
      signatureBytes(
        blocks.map(({ length }) => length),
        spanBytes,
      ),
    );
    expect(decodeSignatures(bytes, 3, spanBytes)).toEqual(signatures);
    const refused = expect.objectContaining({ code: 'bad-request' });
    for (let length = 0; length < bytes.length; length++) {
      expect(() => decodeSignatures(bytes.subarray(0, length), 3, spanBytes)).toThrow(refused);
    }
    expect(() => decodeSignatures(join(bytes, Uint8Array.of(0)), 3, spanBytes)).toThrow(refused);
    expect(() => decodeSignatures(bytes, 3, 512)).toThrow(refused);
    const huge = bytes.slice();
    huge.set([255, 255, 255, 255], 8);
    expect(() => decodeSignatures(huge, 3, spanBytes)).toThrow(refused);
  });

  it('have spans that suit the size', () => {
    expect([1, 64 * KIB, 256 * KIB, 1024 * KIB, MAX_BLOCK_BYTES].map(chooseSpanBytes)).toEqual([
      128, 512, 1024, 2048, 2048,
    ]);
    expect(chooseSpanBytes(2 ** 40)).toBe(SPAN_BYTES.max);
  });

  it('that lie make wrong bytes, which the hash of the block refuses', () => {
    const base = noise(10_000, 1);
    const plain = noise(10_000, 2);
    const honest = signBlock(platform, base, 256);
    const { weak, strong } = signBlock(platform, plain, 256);
    const instructions = matchSignatures(platform, [{ ...honest, weak, strong }], plain, 5000) as Uint8Array;
    const blockId = blockIdOf(platform, 'chunk', plain);
    const delta = encodeDeltaBlock(
      platform,
      { blockId, kind: 'chunk', plainBytes: plain.length },
      [blockIdOf(platform, 'chunk', base)],
      instructions,
    );
    expect(() => openDelta(platform, delta, [base])).toThrow(wrong);
  });

  it('whose every span misleads cost no more than a bounded number of hashes', () => {
    const spanBytes = 2048;
    let hashes = 0;
    const counting = {
      ...platform,
      sha256: (bytes: Uint8Array) => {
        hashes++;
        return platform.sha256(bytes);
      },
    };
    const plain = new Uint8Array(1024 * KIB);
    const spans = plain.length / spanBytes;
    const liar = {
      plainBytes: plain.length,
      spanBytes,
      weak: new Int32Array(spans),
      strong: Int32Array.from({ length: spans }, (_, index) => index + 1),
    };
    expect(matchSignatures(counting, [liar], plain, plain.length)).toBeNull();
    expect(hashes).toBeLessThan(3000);
  });
});

describe('deltas of blocks', () => {
  const base = noise(100_000, 1);
  const plain = join(base.subarray(0, 50_000), noise(300, 2), base.subarray(50_000));
  const baseId = blockIdOf(platform, 'chunk', base);
  const blockId = blockIdOf(platform, 'chunk', plain);
  const header = { blockId, kind: 'chunk', plainBytes: plain.length } as const;
  const instructions = matchBytes([base], plain, plain.length) as Uint8Array;
  const delta = encodeDeltaBlock(platform, header, [baseId], instructions);

  it('open to the bytes that the id names', () => {
    expect(listDeltaBases(delta)).toEqual([baseId]);
    expect(Buffer.compare(openDelta(platform, delta, [base]), plain)).toBe(0);
    expect(delta.payload.length).toBeLessThan(400);
  });

  it('are compressed where that helps', () => {
    const text = new TextEncoder().encode('a line of a log that says nothing new\n'.repeat(200));
    const written = join(base, text);
    const made = encodeDeltaBlock(
      platform,
      { blockId: blockIdOf(platform, 'chunk', written), kind: 'chunk', plainBytes: written.length },
      [baseId],
      matchBytes([base], written, written.length) as Uint8Array,
    );
    expect(made.payload.length).toBeLessThan(300);
    expect(Buffer.compare(openDelta(platform, made, [base]), written)).toBe(0);
  });

  it('never open to anything else, whatever was changed in them', () => {
    for (let at = 0; at < delta.payload.length; at++) {
      const payload = delta.payload.slice();
      payload[at] = (payload[at] as number) ^ (1 + (at % 255));
      // Other names of the bases are for who looks for them.
      const open = (): Uint8Array => openDelta(platform, { ...delta, payload }, [base]);
      if (at >= 2 && at <= 33) expect(Buffer.compare(open(), plain)).toBe(0);
      else expect(open).toThrow(wrong);
    }
    for (let length = 0; length < delta.payload.length; length++) {
      const payload = delta.payload.subarray(0, length);
      expect(() => openDelta(platform, { ...delta, payload }, [base])).toThrow(wrong);
    }
    const changes: Partial<DeltaBlock>[] = [
      { payload: join(delta.payload, Uint8Array.of(0)) },
      { plainBytes: plain.length - 1 },
      { plainBytes: plain.length + 1 },
      { plainBytes: 0 },
      { plainBytes: MAX_BLOCK_BYTES + 1 },
      { blockId: baseId },
      { blockId: `02${blockId.slice(2)}` as BlockId },
      { kind: 'manifest' },
    ];
    for (const change of changes) {
      expect(() => openDelta(platform, { ...delta, ...change }, [base])).toThrow(wrong);
    }
    expect(() => openDelta(platform, delta, [])).toThrow(wrong);
    expect(() => openDelta(platform, delta, [base.subarray(1)])).toThrow(wrong);
    expect(() => openDelta(platform, delta, [base, base])).toThrow(wrong);
  });

  it('are bounded in what they make, however they are written', () => {
    const bombs = [
      // Copies of everything, over and over.
      Uint8Array.from({ length: 50_000 }, (_, at) => [0xc1, 0x9a, 0x0c, 0x00][at % 4] as number),
      Uint8Array.of(0xff, 0xff, 0xff, 0x7f, 0),
      Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f),
      new Uint8Array(1000),
      new Uint8Array(1000).fill(1),
    ];
    for (const bomb of bombs) {
      const hostile = encodeDeltaBlock(platform, header, [baseId], bomb);
      expect(() => openDelta(platform, hostile, [base])).toThrow(wrong);
    }
    // What unpacks to more than the block is refused before it is unpacked.
    const packed = encodeDeltaBlock(platform, header, [baseId], new Uint8Array(plain.length + 1));
    expect(packed.payload.length).toBeLessThan(1000);
    expect(() => openDelta(platform, packed, [base])).toThrow(wrong);
  });

  it('name 1 to 4 different blocks of their own kind', () => {
    const id = (seed: number, kind: 'chunk' | 'manifest' = 'chunk') =>
      blockIdOf(platform, kind, noise(9, seed));
    const make = (bases: readonly BlockId[]) => encodeDeltaBlock(platform, header, bases, instructions);
    expect(() => make([])).toThrow(RangeError);
    expect(() => make([1, 2, 3, 4, 5].map((seed) => id(seed)))).toThrow(RangeError);
    expect(listDeltaBases(make([1, 2, 3, 4].map((seed) => id(seed))))).toHaveLength(4);
    for (const bases of [
      [id(1), id(1)],
      [id(1, 'manifest')],
      [blockId],
      [`00${baseId.slice(2)}` as BlockId],
    ]) {
      expect(() => listDeltaBases(make(bases))).toThrow(wrong);
    }
  });
});

describe('the writer', () => {
  it('knows when it is too long, and joins copies that follow one another', () => {
    const plain = noise(1000, 1);
    const writer = new DeltaWriter(plain, 100);
    writer.copy(10, 200);
    writer.copy(210, 300);
    expect(writer.leftBytes).toBeGreaterThanOrEqual(80);
    expect(writer.leftBytes).toBeLessThan(100);
    writer.copy(0, 450);
    expect(writer.finish()?.length).toBe(3 + 3 + 1 + 50);
  });
});
