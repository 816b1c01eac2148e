import type { ReadMemory } from '@cairn/services';

/** Less than this is had from the system just as well. */
const MIN_POOLED_BYTES = 64 * 1024;
/** Many records that lie side by side, and the largest single one with what is around it. */
const SIZES = [1024 * 1024, 3 * 1024 * 1024 + 64 * 1024] as const;

/**
 * Memory that downloads of all requests are read into, used again and again: fresh memory costs several times what it costs to
 * read into it.
 * @param maxKeptBytes that are kept for later
 */
export function createReadBuffers(maxKeptBytes: number): ReadMemory {
  const free = new Map<number, ArrayBuffer[]>(SIZES.map((size) => [size, []]));
  let keptBytes = 0;

  return {
    take(sizeBytes) {
      const size = SIZES.find((each) => sizeBytes <= each);
      if (sizeBytes < MIN_POOLED_BYTES || size === undefined) return null;
      const known = free.get(size)?.pop();
      if (known !== undefined) keptBytes -= size;
      return new Uint8Array(known ?? new ArrayBuffer(size), 0, sizeBytes);
    },
    give({ buffer }) {
      const size = buffer.byteLength;
      const same = free.get(size);
      if (same === undefined || keptBytes + size > maxKeptBytes) return;
      keptBytes += size;
      same.push(buffer as ArrayBuffer);
    },
  };
}
