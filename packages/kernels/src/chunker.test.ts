import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CHUNK_RULES } from './chunk-rules.ts';
import { createChunker, createChunkerOn } from './chunker.ts';
import { cutBytes } from './golden/cut-bytes.ts';
import { makeGoldenInput } from './golden/golden-inputs.ts';
import { createTypeScriptCutFinder } from './typescript-cut-finder.ts';

const PROFILE = 't32-64k';
const RULES = CHUNK_RULES[PROFILE];

/** The rules word by word, on a whole content in memory. */
function cutByTheRules(bytes: Uint8Array): number[] {
  const finder = createTypeScriptCutFinder(Math.max(bytes.length, 1));
  finder.window.set(bytes);
  const mayEnd = (last: number, threshold: number) => finder.find(last, last + 1, threshold) === last;
  const candidates: number[] = [];
  for (let at = finder.find(31, bytes.length, 0xffff_ffff); at !== -1; ) {
    candidates.push(at);
    at = finder.find(at + 1, bytes.length, 0xffff_ffff);
  }
  const lengths: number[] = [];
  for (let start = 0; start < bytes.length; ) {
    const end = candidates.find((last) => {
      const length = last - start + 1;
      if (length < RULES.minBytes || length > RULES.maxBytes) return false;
      return mayEnd(last, length < RULES.switchBytes ? RULES.strictThreshold : RULES.looseThreshold);
    });
    const longest = Math.min(RULES.maxBytes, bytes.length - start);
    const length = end === undefined ? longest : end - start + 1;
    lengths.push(length);
    start += length;
  }
  return lengths;
}

describe('createChunker', () => {
  const text = makeGoldenInput({ make: 'text', sizeBytes: 1_500_000 });
  const wasm = createChunker(PROFILE);
  const twin = createChunkerOn(createTypeScriptCutFinder(RULES.windowBytes), PROFILE);

  it('runs on WebAssembly here', () => {
    expect(wasm.implementation).toBe('wasm');
  });

  it('cuts by the rules, however the bytes are fed', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: text.length }),
        fc.integer({ min: 0, max: 600_000 }),
        fc.integer({ min: 0, max: 300_000 }),
        fc.array(fc.integer({ min: 1, max: 90_000 }), { minLength: 1, maxLength: 20 }),
        (from, size, zeros, pieces) => {
          const bytes = new Uint8Array(zeros + size);
          bytes.set(text.subarray(from, from + size), zeros);
          const expected = cutByTheRules(bytes);
          for (const chunker of [wasm, twin]) {
            let turn = 0;
            expect(cutBytes(chunker, bytes)).toEqual(expected);
            expect(cutBytes(chunker, bytes, () => pieces[turn++ % pieces.length] as number)).toEqual(
              expected,
            );
          }
        },
      ),
      { numRuns: 25 },
    );
  });

  it('cuts holes as the rules say, and knows them', () => {
    const piece = fc.record({
      isHole: fc.boolean(),
      sizeBytes: fc.integer({ min: 1, max: 2 * RULES.maxBytes }),
    });
    fc.assert(
      fc.property(
        fc.array(piece, { minLength: 1, maxLength: 6 }),
        fc.integer({ min: 1, max: RULES.windowBytes }),
        (pieces, step) => {
          const bytes = new Uint8Array(pieces.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0));
          let end = 0;
          for (const { isHole, sizeBytes } of pieces) {
            if (!isHole) bytes.set(text.subarray(0, Math.min(sizeBytes, text.length)), end);
            end += sizeBytes;
          }
          const expected = cutByTheRules(bytes);
          for (const chunker of [wasm, twin]) {
            chunker.reset();
            const lengths: number[] = [];
            let position = 0;
            let cut = 0;
            for (let ended = false; !ended; ) {
              const space = chunker.space();
              const part = bytes.subarray(position, position + Math.min(space.length, step));
              space.set(part);
              chunker.add(part.length);
              position += part.length;
              ended = part.length === 0;
              if (ended) chunker.end();
              for (let chunk = chunker.next(); chunk !== null; chunk = chunker.next()) {
                const plain = bytes.subarray(cut, cut + chunk.length);
                expect(Buffer.compare(chunk, plain)).toBe(0);
                expect(chunker.isHole).toBe(plain.every((byte) => byte === 0));
                lengths.push(chunk.length);
                cut += chunk.length;
              }
            }
            expect(lengths).toEqual(expected);
          }
        },
      ),
      { numRuns: 25 },
    );
  });

  it('hands out the bytes that it was given', () => {
    const chunker = createChunker(PROFILE);
    let position = 0;
    let seen = 0;
    for (let ended = false; !ended; ) {
      const space = chunker.space();
      const piece = text.subarray(position, position + Math.min(space.length, 70_001));
      space.set(piece);
      chunker.add(piece.length);
      position += piece.length;
      ended = piece.length === 0;
      if (ended) chunker.end();
      for (let chunk = chunker.next(); chunk !== null; chunk = chunker.next()) {
        expect(Buffer.compare(chunk, text.subarray(seen, seen + chunk.length))).toBe(0);
        seen += chunk.length;
      }
    }
    expect(seen).toBe(text.length);
  });

  it('refuses bytes that cannot be there', () => {
    const chunker = createChunker(PROFILE);
    expect(() => chunker.add(RULES.windowBytes + 1)).toThrow(RangeError);
    expect(() => chunker.add(-1)).toThrow(RangeError);
    expect(() => chunker.add(0.5)).toThrow(RangeError);
    chunker.end();
    expect(() => chunker.add(1)).toThrow('ended');
    chunker.reset();
    chunker.add(RULES.windowBytes);
    expect(() => chunker.space()).toThrow('next()');
  });

  it('refuses memory in which a largest chunk would leave no room', () => {
    const finder = createTypeScriptCutFinder(RULES.maxBytes);
    expect(() => createChunkerOn(finder, PROFILE)).toThrow(RangeError);
  });
});
