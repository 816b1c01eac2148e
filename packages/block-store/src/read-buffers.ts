import type { ReadMemory } from './block-store.ts';

/** Less than this is had from the system just as well. */
const MIN_POOLED_BYTES = 64 * 1024;
/** Around a record. */
const ROOM_BYTES = 64 * 1024;
/** Many records that lie side by side or one of common size, larger ones, and the largest that there are. */
const SIZES = [1, 2, 3].map((mebibytes) => mebibytes * 1024 * 1024 + ROOM_BYTES);

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
