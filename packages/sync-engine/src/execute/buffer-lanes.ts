/** Work on chunks, a few side by side, each in a buffer that is used again. */
export interface BufferLanes {
  /**
   * Waits for a free lane and begins the work there, with a buffer of `sizeBytes` that is its own until it resolves.
   * Rejects with the error of work that failed before; then nothing is begun.
   */
  begin(sizeBytes: number, work: (buffer: Uint8Array) => Promise<void>): Promise<void>;
  /** Waits for all that was begun, and rejects with the first error. */
  end(): Promise<void>;
}

/**
 * Memory that was never used costs more to get than a chunk costs to hash, so each lane keeps what it had, and grows by steps of
 * a power of two: what is not touched of that costs nothing.
 * @param count lanes, and with it the memory: at most the largest chunk for each
 * @param allocate makes a lane's memory
 */
export function createBufferLanes(
  count: number,
  allocate: (sizeBytes: number) => Uint8Array = (sizeBytes) => new Uint8Array(sizeBytes),
): BufferLanes {
  const free: Uint8Array[] = Array.from({ length: count }, () => new Uint8Array(0));
  const running = new Set<Promise<void>>();
  let failure: { readonly error: unknown } | null = null;

  async function run(buffer: Uint8Array, sizeBytes: number, work: (buffer: Uint8Array) => Promise<void>) {
    try {
      await work(buffer.subarray(0, sizeBytes));
    } catch (error) {
      failure ??= { error };
    } finally {
      free.push(buffer);
    }
  }

  return {
    async begin(sizeBytes, work) {
      while (free.length === 0) await Promise.race(running);
      if (failure !== null) throw failure.error;
      const kept = free.pop() ?? new Uint8Array(0);
      const buffer = kept.length < sizeBytes ? allocate(2 ** Math.ceil(Math.log2(sizeBytes))) : kept;
      const promise = run(buffer, sizeBytes, work);
      running.add(promise);
      void promise.finally(() => running.delete(promise));
    },
    async end() {
      await Promise.all(running);
      if (failure !== null) throw failure.error;
    },
  };
}
