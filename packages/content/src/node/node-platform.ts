import { hash } from 'node:crypto';
import { estimateEntropy } from '../entropy.ts';
import type { ContentPlatform } from '../platform.ts';
import type { HashThreads } from './hash-threads.ts';
import { createZstdContexts } from './zstd-contexts.ts';

/** Above this, in bits per byte, nothing is to be won and zstd is not even tried. */
const INCOMPRESSIBLE_ENTROPY = 7.6;
/** Frames cost some bytes themselves; below this they never save the share that is asked for. */
const MIN_COMPRESSIBLE_BYTES = 64;
/** A compressed form is kept only if it is at most this part of the plain bytes. */
const WORTHWHILE_RATIO = 0.95;

/**
 * Hashing and compression by Node's own OpenSSL and zstd.
 * @param threads where chunks of large files are hashed; without, all is done in the thread that asks
 */
export function createNodePlatform(threads?: HashThreads): ContentPlatform {
  const zstd = createZstdContexts();
  return {
    ...(threads !== undefined && {
      sha256Aside: (bytes: Uint8Array) => threads.digest(bytes),
      sharesMemory: true,
    }),
    sha256: (bytes) => hash('sha256', bytes, 'buffer'),
    compress(bytes, into) {
      if (bytes.length < MIN_COMPRESSIBLE_BYTES || estimateEntropy(bytes) > INCOMPRESSIBLE_ENTROPY)
        return null;
      const compressed = zstd.compress(bytes, into);
      return compressed.length <= bytes.length * WORTHWHILE_RATIO ? compressed : null;
    },
    decompress: (bytes, plainBytes, into) => zstd.decompress(bytes, plainBytes, into),
  };
}
