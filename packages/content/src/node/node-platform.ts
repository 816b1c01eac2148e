import { hash } from 'node:crypto';
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { estimateEntropy } from '../entropy.ts';
import type { ContentPlatform } from '../platform.ts';

/** Above this, in bits per byte, nothing is to be won and zstd is not even tried. */
const INCOMPRESSIBLE_ENTROPY = 7.6;
/** Frames cost some bytes themselves; below this they never save the share that is asked for. */
const MIN_COMPRESSIBLE_BYTES = 64;
/** A compressed form is kept only if it is at most this part of the plain bytes. */
const WORTHWHILE_RATIO = 0.95;

const COMPRESSION = {
  // Level 1 is the fast one. -1 would silently mean "default" in Node and is 3.
  params: { [constants.ZSTD_c_compressionLevel]: 1 },
} as const;
/** 8 MiB: more than any block; a frame may not make the decoder reserve a larger window. */
const MAX_WINDOW_LOG = 23;

/** Hashing and compression by Node's own OpenSSL and zstd. */
export function createNodePlatform(): ContentPlatform {
  return {
    sha256: (bytes) => hash('sha256', bytes, 'buffer'),
    compress(bytes) {
      if (bytes.length < MIN_COMPRESSIBLE_BYTES || estimateEntropy(bytes) > INCOMPRESSIBLE_ENTROPY)
        return null;
      const compressed = zstdCompressSync(bytes, COMPRESSION);
      // The copy frees the larger buffer that zlib's result is a part of.
      return compressed.length <= bytes.length * WORTHWHILE_RATIO ? new Uint8Array(compressed) : null;
    },
    decompress: (bytes, plainBytes) =>
      zstdDecompressSync(bytes, {
        maxOutputLength: Math.max(plainBytes, 1),
        params: { [constants.ZSTD_d_windowLogMax]: MAX_WINDOW_LOG },
      }),
  };
}
