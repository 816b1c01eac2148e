/** Memory for one request. */
export interface MemoryLease {
  /** So many bytes, with anything in them, that nobody else has. */
  take(sizeBytes: number): Uint8Array;
  /**
   * Nobody looks at any of it any more, on the way to a socket included: others get it. Where that is not certain, it is
   * not called, and the memory is left to the garbage collector.
   */
  release(): void;
}

export interface MemoryPool {
  /** @param sizeBytes about how much will be taken */
  lease(sizeBytes: number): MemoryLease;
}

export interface MemoryPoolOptions {
  /** Payloads are taken from pieces of this size. */
  readonly chunkBytes: number;
  /** Pieces that are kept for later. */
  readonly maxKept: number;
}

/** Less than this is had from the system just as well. */
const MIN_LEASED_BYTES = 256 * 1024;

/**
 * Memory of payloads that is used again and again: what a system gives anew it must find and clear page by page, which can
 * cost several times what it costs to copy the bytes.
 */
export function createMemoryPool({ chunkBytes, maxKept }: MemoryPoolOptions): MemoryPool {
  const free: Uint8Array[] = [];

  return {
    lease(sizeBytes) {
      const isSmall = sizeBytes < MIN_LEASED_BYTES;
      let taken: Uint8Array[] = [];
      let position = chunkBytes;
      return {
        take(count) {
          if (isSmall || count === 0 || count > chunkBytes) return new Uint8Array(count);
          if (position + count > chunkBytes) {
            taken.push(free.pop() ?? new Uint8Array(chunkBytes));
            position = 0;
          }
          position += count;
          return (taken[taken.length - 1] as Uint8Array).subarray(position - count, position);
        },
        release() {
          for (const chunk of taken) if (free.length < maxKept) free.push(chunk);
          taken = [];
          position = chunkBytes;
        },
      };
    },
  };
}
