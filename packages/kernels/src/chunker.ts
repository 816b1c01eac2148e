import { CHUNK_RULES, type ChunkProfileName } from './chunk-rules.ts';
import type { CutFinder } from './cut-finder.ts';
import { createTypeScriptCutFinder } from './typescript-cut-finder.ts';
import { createWasmCutFinder } from './wasm-cut-finder.ts';

/**
 * Cuts one content after another, holding a bounded window of it. The loop of a caller:
 *
 *     for (;;) {
 *       const count = await read(chunker.space());
 *       if (count === 0) chunker.end(); else chunker.add(count);
 *       for (let chunk = chunker.next(); chunk !== null; chunk = chunker.next()) use(chunk);
 *       if (count === 0) break;
 *     }
 *
 * How the bytes were fed never shows in the cuts.
 */
export interface Chunker {
  readonly profile: ChunkProfileName;
  readonly implementation: CutFinder['implementation'];
  /**
   * Memory for the next bytes, at least one; read the source straight into it. Where `endsChunks` says so, that ends
   * the life of every chunk handed out before. Ask again after every `add`.
   */
  space(): Uint8Array;
  /** Whether the next `space()` takes the memory of chunks that were handed out. */
  readonly endsChunks: boolean;
  /** Says that the first `sizeBytes` bytes of the last `space()` were written. */
  add(sizeBytes: number): void;
  /** Says that the content has no more bytes. */
  end(): void;
  /** The next chunk, as a view that is valid until a `space()` that ends it, or `reset()`; `null` when more bytes are needed or none are left. */
  next(): Uint8Array | null;
  /** Whether the chunk that `next()` gave last is zeros only: part of a hole, of which all but the last are equal. */
  readonly isHole: boolean;
  /** Forgets everything, ready for another content. */
  reset(): void;
}

/** @param finder memory of at least `maxBytes` + 1 of the profile; the chunker owns it from now on */
export function createChunkerOn(finder: CutFinder, profile: ChunkProfileName): Chunker {
  const { minBytes, switchBytes, maxBytes, strictThreshold, looseThreshold } = CHUNK_RULES[profile];
  const { window } = finder;
  if (window.length <= maxBytes)
    throw new RangeError(`${profile} needs a window of more than ${maxBytes} bytes`);
  /** Window offset of the first byte of the current chunk. */
  let start = 0;
  let filled = 0;
  /** Lengths of the current chunk up to here are known not to be cuts. */
  let ruledOut = 0;
  /** So many bytes at the front of the current chunk are known to be zero. */
  let zeroBytes = 0;
  let isHole = false;
  let ended = false;

  /** A length in `[from, to]` at which the current chunk ends, or -1. */
  function findLength(from: number, to: number, threshold: number): number {
    if (from > to) return -1;
    const last = finder.find(start + from - 1, start + to, threshold);
    return last === -1 ? -1 : last + 1 - start;
  }

  function nextLength(): number {
    const available = filled - start;
    const limit = Math.min(available, maxBytes);
    // Until another byte was met, both are the same.
    if (zeroBytes === ruledOut) {
      zeroBytes = finder.firstNonZero(start + zeroBytes, start + limit) - start;
    }
    // Where all 32 bytes are zero there is no cut (their sums are even, see the predicate), so zeros need no search.
    const from = Math.max(minBytes, ruledOut + 1, zeroBytes + 1);
    let length = findLength(from, Math.min(limit, switchBytes - 1), strictThreshold);
    if (length === -1) length = findLength(Math.max(from, switchBytes), limit, looseThreshold);
    if (length !== -1) return length;
    if (limit === maxBytes) return maxBytes;
    ruledOut = limit;
    return ended ? available : 0;
  }

  function isNearlyFull(): boolean {
    return window.length - filled < window.length >>> 2;
  }

  return {
    profile,
    implementation: finder.implementation,
    get isHole() {
      return isHole;
    },
    get endsChunks() {
      return start > 0 && isNearlyFull();
    },
    space() {
      if (isNearlyFull()) {
        window.copyWithin(0, start, filled);
        filled -= start;
        start = 0;
      }
      if (filled === window.length)
        throw new Error('take the finished chunks with next() before adding bytes');
      return window.subarray(filled);
    },
    add(sizeBytes) {
      if (ended) throw new Error('the content has ended; reset() before adding bytes');
      if (!Number.isInteger(sizeBytes) || sizeBytes < 0 || sizeBytes > window.length - filled) {
        throw new RangeError(`${sizeBytes} bytes cannot have been written to the space`);
      }
      filled += sizeBytes;
    },
    end() {
      ended = true;
    },
    next() {
      const length = nextLength();
      if (length === 0) return null;
      const chunk = window.subarray(start, start + length);
      isHole = zeroBytes >= length;
      start += length;
      ruledOut = 0;
      zeroBytes = 0;
      return chunk;
    },
    reset() {
      start = 0;
      filled = 0;
      ruledOut = 0;
      zeroBytes = 0;
      isHole = false;
      ended = false;
    },
  };
}

/**
 * A chunker with memory of its own (1 to 4 MiB, by profile); reuse it for many contents. It runs on WebAssembly
 * where that is allowed and in plain TypeScript elsewhere; the cuts are the same.
 * @param options.shared the chunks are in memory that other threads can see (where it runs on WebAssembly), and in twice
 * as much: some are still looked at there while the next bytes are read
 */
export function createChunker(
  profile: ChunkProfileName,
  { shared = false }: { readonly shared?: boolean } = {},
): Chunker {
  const windowBytes = CHUNK_RULES[profile].windowBytes * (shared ? 2 : 1);
  const finder = createWasmCutFinder(windowBytes, shared) ?? createTypeScriptCutFinder(windowBytes);
  return createChunkerOn(finder, profile);
}
