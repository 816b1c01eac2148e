import { type BlockId, isCairnError, MAX_BLOCK_BYTES } from '@cairn/model';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PROTOCOL_LIMITS } from '../constants.ts';
import { decodeDeltaPack, decodeDeltaStream, decodePack, decodePackStream } from './decode-pack.ts';
import {
  encodeDeltaPack,
  encodeDeltaStream,
  encodePack,
  encodePackStream,
  packBytes,
} from './encode-pack.ts';
import {
  BLOCK_HEADER_BYTES,
  DELTA_MAGIC,
  ID_OFFSET,
  MAGIC,
  type PackBlock,
  type PackRecord,
  PLAIN_BYTES_OFFSET,
  TABLE_MAGIC,
} from './pack-format.ts';
import { encodePackTable } from './pack-table.ts';

const digestArbitrary = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .map((bytes) => Buffer.from(bytes).toString('hex'));

const blockArbitrary: fc.Arbitrary<PackBlock> = fc
  .record({
    digest: digestArbitrary,
    kind: fc.constantFrom('chunk' as const, 'manifest' as const),
    codec: fc.constantFrom('raw' as const, 'zstd' as const),
    payload: fc.uint8Array({ minLength: 1, maxLength: 300 }),
    saved: fc.nat(1000),
  })
  .map(({ saved, digest, ...block }) => ({
    ...block,
    blockId: `${block.kind === 'chunk' ? '01' : '02'}${digest}` as BlockId,
    plainBytes: block.payload.length + (block.codec === 'raw' ? 0 : saved),
  }));

const blocksArbitrary = fc.array(blockArbitrary, { maxLength: 12 });

function join(pieces: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(pieces));
}

async function* inPieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let position = 0; position < bytes.length; position += size) {
    yield bytes.subarray(position, position + size);
  }
}

async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** What goes over the wire when blocks and pieces are overwritten as soon as that is allowed. */
async function sendStream(blocks: readonly PackBlock[]): Promise<Uint8Array> {
  async function* overwritten(): AsyncGenerator<PackBlock> {
    for (const block of blocks) {
      const payload = block.payload.slice();
      yield { ...block, payload };
      payload.fill(0xee);
    }
  }
  const sent: Uint8Array[] = [];
  for await (const pieces of encodePackStream(overwritten()))
    for (const piece of pieces) sent.push(piece.slice());
  return join(sent);
}

function plain(blocks: readonly PackBlock[]): unknown[] {
  return blocks.map((block) => ({ ...block, payload: Array.from(block.payload) }));
}

function refusal(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    if (isCairnError(error, 'bad-request', 'too-large')) return error.details['problem'];
    throw error;
  }
  return null;
}

/** A flip inside an id, a length of a compressed block or a payload can be seen only by its hash. */
function expectFlipShows(blocks: readonly PackBlock[], bytes: Uint8Array, at: number, flip: number): void {
  const position = at % bytes.length;
  bytes[position] = (bytes[position] as number) ^ flip;
  let decoded: PackBlock[] | null = null;
  const problem = refusal(() => {
    decoded = decodePack(bytes);
  });
  if (problem === null) expect(plain(decoded ?? [])).not.toEqual(plain(blocks));
}

describe('packs', () => {
  it('give back the blocks, whole and as a stream in any pieces', async () => {
    await fc.assert(
      fc.asyncProperty(blocksArbitrary, fc.integer({ min: 1, max: 200 }), async (blocks, size) => {
        const bytes = join(encodePack(blocks));
        expect(bytes.length).toBe(packBytes(blocks));
        expect(plain(decodePack(bytes))).toEqual(plain(blocks));
        expect(plain(await collect(decodePackStream(inPieces(bytes, size))))).toEqual(plain(blocks));
        expect(await sendStream(blocks)).toEqual(bytes);
      }),
      { numRuns: 60 },
    );
  });

  it('are encoded as a stream without looking at a block once the next was asked for', async () => {
    // Around the sizes at which payloads are copied, and at which what is gathered goes out.
    const sizes = fc.array(
      fc.oneof(
        fc.integer({ min: 1, max: 400 }),
        fc.constantFrom(16_383, 16_384, 16_385, 65_493, 65_535, 65_536, 70_000),
      ),
      { maxLength: 40 },
    );
    await fc.assert(
      fc.asyncProperty(sizes, digestArbitrary, async (lengths, digest) => {
        const blocks = lengths.map((length, index) => ({
          blockId: `01${digest}` as BlockId,
          kind: 'chunk' as const,
          codec: 'raw' as const,
          plainBytes: length,
          payload: new Uint8Array(length).fill(index + 1),
        }));
        expect(Buffer.compare(await sendStream(blocks), join(encodePack(blocks)))).toBe(0);
      }),
      { numRuns: 60 },
    );
  });

  it('are read as a stream into memory that the caller gives', async () => {
    await fc.assert(
      fc.asyncProperty(blocksArbitrary, fc.integer({ min: 1, max: 200 }), async (blocks, size) => {
        const asked: number[] = [];
        const memory = new Uint8Array(12 * 300);
        let used = 0;
        const allocate = (sizeBytes: number): Uint8Array => {
          asked.push(sizeBytes);
          used += sizeBytes;
          return memory.subarray(used - sizeBytes, used);
        };
        const stream = decodePackStream(inPieces(join(encodePack(blocks)), size), { allocate });
        const got = await collect(stream);
        expect(plain(got)).toEqual(plain(blocks));
        expect(got.every(({ payload }) => payload.buffer === memory.buffer)).toBe(true);
        expect(asked).toEqual(blocks.map(({ payload }) => payload.length));
      }),
      { numRuns: 30 },
    );
  });

  it('are an error when cut off anywhere, never a shorter list', async () => {
    await fc.assert(
      fc.asyncProperty(blocksArbitrary, fc.double({ min: 0, max: 1, noNaN: true }), async (blocks, at) => {
        const bytes = join(encodePack(blocks));
        const cut = bytes.subarray(0, Math.min(bytes.length - 1, Math.floor(at * bytes.length)));
        expect(refusal(() => decodePack(cut))).toBe('truncated');
        await expect(collect(decodePackStream(inPieces(cut, 37)))).rejects.toMatchObject({
          details: { problem: 'truncated' },
        });
      }),
      { numRuns: 60 },
    );
  });

  it('never crash on arbitrary or flipped bytes, and never hide a changed frame', () => {
    fc.assert(
      fc.property(blocksArbitrary, fc.nat(), fc.integer({ min: 1, max: 255 }), (blocks, at, flip) => {
        expectFlipShows(blocks, join(encodePack(blocks)), at, flip);
      }),
      { numRuns: 200 },
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
        expect(refusal(() => decodePack(noise))).not.toBeNull();
        expect(refusal(() => decodePack(join([MAGIC, noise])))).not.toBe(undefined);
      }),
    );
  });

  it('refuse what follows the end marker', async () => {
    const bytes = join([...encodePack([]), Uint8Array.of(0)]);
    expect(refusal(() => decodePack(bytes))).toBe('malformed');
    await expect(collect(decodePackStream(inPieces(bytes, 1)))).rejects.toMatchObject({
      code: 'bad-request',
    });
  });

  it('refuse a block larger than any block before its payload is read', async () => {
    const block: PackBlock = {
      blockId: `01${'a'.repeat(64)}` as BlockId,
      kind: 'chunk',
      codec: 'zstd',
      plainBytes: 100,
      payload: new Uint8Array(10),
    };
    const bytes = join(encodePack([block]));
    new DataView(bytes.buffer).setUint32(MAGIC.length + PLAIN_BYTES_OFFSET, MAX_BLOCK_BYTES + 1, true);
    expect(refusal(() => decodePack(bytes))).toBe('too-large');
    const header = bytes.subarray(0, MAGIC.length + BLOCK_HEADER_BYTES);
    await expect(collect(decodePackStream(inPieces(header, 5)))).rejects.toMatchObject({ code: 'too-large' });
  });

  it('refuse unknown algorithms, kinds and codecs', () => {
    const block: PackBlock = {
      blockId: `01${'b'.repeat(64)}` as BlockId,
      kind: 'chunk',
      codec: 'raw',
      plainBytes: 1,
      payload: new Uint8Array(1),
    };
    for (const offset of [0, 1, ID_OFFSET]) {
      const bytes = join(encodePack([block]));
      bytes[MAGIC.length + offset] = 7;
      expect(refusal(() => decodePack(bytes))).toBe('malformed');
    }
  });

  it('refuse a block under an id of the other kind, of a content or of a shard', () => {
    for (const [kind, algorithm] of [
      ['chunk', '02'],
      ['chunk', '03'],
      ['manifest', '01'],
      ['manifest', '03'],
      ['chunk', '10'],
      ['chunk', '25'],
      ['manifest', '20'],
    ] as const) {
      const blockId = `${algorithm}${'e'.repeat(64)}` as BlockId;
      const bytes = join(
        encodePack([{ blockId, kind, codec: 'raw', plainBytes: 1, payload: new Uint8Array(1) }]),
      );
      expect(refusal(() => decodePack(bytes))).toBe('malformed');
    }
  });

  it('keep their limits', async () => {
    const block: PackBlock = {
      blockId: `01${'c'.repeat(64)}` as BlockId,
      kind: 'chunk',
      codec: 'raw',
      plainBytes: 1,
      payload: new Uint8Array(1),
    };
    const tooMany = Array.from({ length: PROTOCOL_LIMITS.maxPackBlocks + 1 }, () => block);
    expect(refusal(() => encodePack(tooMany))).toBe('too-large');
    expect(encodePack(tooMany.slice(1)).length).toBeGreaterThan(PROTOCOL_LIMITS.maxPackBlocks);
    const big = { ...block, plainBytes: MAX_BLOCK_BYTES, payload: new Uint8Array(MAX_BLOCK_BYTES) };
    expect(refusal(() => encodePack([big, big, big, big, big, big]))).toBe('too-large');
    expect(refusal(() => decodePack(new Uint8Array(PROTOCOL_LIMITS.maxPackBytes + 1)))).toBe('too-large');
    const stream = decodePackStream(inPieces(join(encodePack([block, block])), 10), { maxBlocks: 1 });
    await expect(collect(stream)).rejects.toMatchObject({ code: 'too-large' });
  });

  it('stand for a bounded number of plain bytes, however small they are', () => {
    const bomb: PackBlock = {
      blockId: `01${'f'.repeat(64)}` as BlockId,
      kind: 'chunk',
      codec: 'zstd',
      plainBytes: MAX_BLOCK_BYTES,
      payload: new Uint8Array(100),
    };
    const most = Math.floor(PROTOCOL_LIMITS.maxPackPlainBytes / MAX_BLOCK_BYTES);
    const allowed = Array.from({ length: most }, () => bomb);
    expect(decodePack(join(encodePack(allowed)))).toHaveLength(most);
    expect(refusal(() => encodePack([...allowed, bomb]))).toBe('too-large');
    const small = join(encodePack(Array.from({ length: most + 1 }, () => ({ ...bomb, plainBytes: 100 }))));
    const view = new DataView(small.buffer);
    for (let index = 0; index <= most; index++) {
      const header = MAGIC.length + index * (BLOCK_HEADER_BYTES + bomb.payload.length);
      view.setUint32(header + PLAIN_BYTES_OFFSET, MAX_BLOCK_BYTES, true);
    }
    expect(refusal(() => decodePack(small))).toBe('too-large');
  });

  it('let go of their source when the reader stops early', async () => {
    let released = false;
    async function* source(): AsyncGenerator<Uint8Array> {
      try {
        yield* encodePack([
          {
            blockId: `01${'d'.repeat(64)}` as BlockId,
            kind: 'chunk',
            codec: 'raw',
            plainBytes: 1,
            payload: Uint8Array.of(1),
          },
        ]);
      } finally {
        released = true;
      }
    }
    for await (const _block of decodePackStream(source())) break;
    expect(released).toBe(true);
  });
});

describe('packs with all headers in front', () => {
  const plainBlocks = fc.array(
    blockArbitrary.filter(({ codec }) => codec === 'raw'),
    { maxLength: 12 },
  );
  const encode = (blocks: readonly PackBlock[]) =>
    join([
      encodePackTable(blocks.map((block) => ({ ...block, payloadBytes: block.payload.length }))),
      ...blocks.map(({ payload }) => payload),
    ]);
  const block: PackBlock = {
    blockId: `01${'c'.repeat(64)}` as BlockId,
    kind: 'chunk',
    codec: 'raw',
    plainBytes: 1,
    payload: new Uint8Array(1),
  };

  it('give back the blocks, and are an error when cut off or followed by anything', () => {
    fc.assert(
      fc.property(plainBlocks, fc.double({ min: 0, max: 1, noNaN: true }), (blocks, at) => {
        const bytes = encode(blocks);
        expect(plain(decodePack(bytes))).toEqual(plain(blocks));
        const cut = bytes.subarray(0, Math.min(bytes.length - 1, Math.floor(at * bytes.length)));
        expect(refusal(() => decodePack(cut))).toBe('truncated');
        expect(refusal(() => decodePack(join([bytes, Uint8Array.of(0)])))).toBe('malformed');
      }),
    );
  });

  it('never crash on arbitrary or flipped bytes, and never hide a changed one', () => {
    fc.assert(
      fc.property(plainBlocks, fc.nat(), fc.integer({ min: 1, max: 255 }), (blocks, at, flip) => {
        expectFlipShows(blocks, encode(blocks), at, flip);
      }),
      { numRuns: 200 },
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
        expect(refusal(() => decodePack(join([TABLE_MAGIC, noise])))).not.toBe(undefined);
      }),
    );
  });

  it('keep their limits', () => {
    const blocks = Array.from({ length: PROTOCOL_LIMITS.maxPackBlocks + 1 }, () => block);
    expect(refusal(() => decodePack(encode(blocks)))).toBe('too-large');
    expect(decodePack(encode(blocks.slice(1)))).toHaveLength(PROTOCOL_LIMITS.maxPackBlocks);
    // Said of four thousand million blocks: refused before anything is made of it.
    const many = encode([block]);
    many.fill(0xff, TABLE_MAGIC.length, TABLE_MAGIC.length + 4);
    expect(refusal(() => decodePack(many))).toBe('too-large');
    const large = encode([block]);
    const view = new DataView(large.buffer);
    view.setUint32(TABLE_MAGIC.length + 4 + PLAIN_BYTES_OFFSET, MAX_BLOCK_BYTES + 1, true);
    expect(refusal(() => decodePack(large))).toBe('too-large');
  });
});

describe('packs that may have deltas', () => {
  const records: fc.Arbitrary<PackRecord[]> = fc.array(
    fc
      .tuple(blockArbitrary, fc.boolean(), fc.nat(1000))
      .map(([one, isDelta, saved]) =>
        isDelta ? { ...one, codec: 'delta' as const, plainBytes: one.payload.length + saved } : one,
      ),
    { maxLength: 12 },
  );
  const plain = (list: readonly PackRecord[]) =>
    list.map((one) => ({ ...one, payload: Buffer.from(one.payload).toString('hex') }));
  async function* oneByOne(list: readonly PackRecord[]): AsyncGenerator<PackRecord> {
    yield* list;
  }

  it('come back as they were written, whole or in pieces', async () => {
    await fc.assert(
      fc.asyncProperty(records, fc.integer({ min: 1, max: 50 }), async (list, step) => {
        const bytes = join(encodeDeltaPack(list));
        expect(plain(decodeDeltaPack(bytes))).toEqual(plain(list));
        const groups: Uint8Array[] = [];
        for await (const group of encodeDeltaStream(oneByOne(list))) groups.push(join(group));
        const streamed = join(groups);
        expect(streamed).toEqual(bytes);
        async function* pieces(): AsyncGenerator<Uint8Array> {
          for (let at = 0; at < bytes.length; at += step) yield bytes.subarray(at, at + step);
        }
        const received = await Array.fromAsync(decodeDeltaStream(pieces(), { maxBlocks: 12 }));
        expect(plain(received)).toEqual(plain(list));
      }),
      { numRuns: 50 },
    );
  });

  it('are refused when cut off, followed by anything, or where no deltas are taken', () => {
    const refusal = (decode: () => unknown): unknown => {
      try {
        decode();
        return null;
      } catch (error) {
        return isCairnError(error) ? error.details['problem'] : error;
      }
    };
    fc.assert(
      fc.property(records, fc.double({ min: 0, max: 1, noNaN: true }), (list, at) => {
        const bytes = join(encodeDeltaPack(list));
        const cut = bytes.subarray(0, Math.min(bytes.length - 1, Math.floor(at * bytes.length)));
        expect(refusal(() => decodeDeltaPack(cut))).toBe('truncated');
        expect(refusal(() => decodeDeltaPack(join([bytes, Uint8Array.of(0)])))).toBe('malformed');
        expect(refusal(() => decodePack(bytes))).toBe('malformed');
        const named = bytes.slice();
        named.set(MAGIC);
        const hasDelta = list.some(({ codec }) => codec === 'delta');
        expect(refusal(() => decodeDeltaPack(named))).toBe(hasDelta ? 'malformed' : null);
      }),
    );
    expect(DELTA_MAGIC).not.toEqual(MAGIC);
  });

  it('count what deltas make as plain bytes, and take none that are longer than that', () => {
    const payload = new Uint8Array(100);
    const blockId = `01${'a'.repeat(64)}` as BlockId;
    const delta = { blockId, kind: 'chunk', codec: 'delta', plainBytes: MAX_BLOCK_BYTES, payload } as const;
    const many = Array.from({ length: 11 }, () => delta);
    expect(() => encodeDeltaPack(many)).toThrow(expect.objectContaining({ code: 'too-large' }));
    const ten = join(encodeDeltaPack(many.slice(1)));
    expect(decodeDeltaPack(ten)).toHaveLength(10);
    const eleven = join([
      ten.subarray(0, -5),
      ten.subarray(4, 4 + BLOCK_HEADER_BYTES + 100),
      ten.subarray(-5),
    ]);
    expect(() => decodeDeltaPack(eleven)).toThrow(expect.objectContaining({ code: 'too-large' }));
    const long = join(encodeDeltaPack([{ ...delta, plainBytes: 99 }]));
    expect(() => decodeDeltaPack(long)).toThrow(expect.objectContaining({ code: 'bad-request' }));
  });
});
