import type { ByteSource } from '../cut-content.ts';

/** A source over bytes in memory that may give fewer bytes than asked for, as files do. */
export function createByteSource(bytes: Uint8Array, maxReadBytes = Number.POSITIVE_INFINITY): ByteSource {
  return {
    async read(into, position) {
      const count = Math.min(into.length, maxReadBytes, bytes.length - position);
      into.set(bytes.subarray(position, position + count));
      return count;
    },
  };
}

/** Bytes of a seed; incompressible, or of a small alphabet so that they compress. */
export function makeBytes(seed: number, sizeBytes: number, alphabet = 256): Uint8Array {
  let state = (seed | 1) >>> 0;
  const bytes = new Uint8Array(sizeBytes);
  for (let index = 0; index < sizeBytes; index++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[index] = (state >>> 9) % alphabet;
  }
  return bytes;
}
