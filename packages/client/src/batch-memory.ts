/**
 * Memory for the blocks of one batch, side by side in the order in which they come: what belongs together in a file can then
 * be written at once.
 */
export interface BatchMemory {
  /**
   * Memory of its own where there is no more room.
   * @param roomBytes so many more, which only count until the next call
   */
  allocate(sizeBytes: number, roomBytes?: number): Uint8Array;
}

/**
 * Memory of batches, used again from batch to batch: fresh memory costs more than to copy the bytes into it. What is not used is
 * kept until the garbage collector comes by.
 */
export interface BatchMemories {
  /** For a batch of so many bytes. */
  take(sizeBytes: number): BatchMemory;
  /** Only once nobody looks at any block of the batch, and none can come any more. */
  give(memory: BatchMemory): void;
}

/** What one request brings at most. */
export const BATCH_BYTES = 5 * 1024 * 1024;
/** Less than this is had from the system just as well. */
const MIN_POOLED_BYTES = 1024 * 1024;
/** Behind the last block, for what only counts until it is there. */
const ROOM_BYTES = 64;
/** One batch arrives while another one is written. */
const MAX_KEPT = 2;

const ownMemory: BatchMemory = {
  allocate: (sizeBytes, roomBytes = 0) => new Uint8Array(sizeBytes + roomBytes),
};

class PooledMemory implements BatchMemory {
  readonly #bytes: Uint8Array;
  #used = 0;

  constructor(sizeBytes: number) {
    this.#bytes = new Uint8Array(sizeBytes);
  }

  allocate(sizeBytes: number, roomBytes = 0): Uint8Array {
    const start = this.#used;
    const end = start + sizeBytes + roomBytes;
    // What was asked for a second time after a break, for instance.
    if (end > this.#bytes.length) return new Uint8Array(sizeBytes + roomBytes);
    this.#used = start + sizeBytes;
    return this.#bytes.subarray(start, end);
  }

  clear(): void {
    this.#used = 0;
  }
}

/** @param poolBytes size of the pieces that are kept: of the largest batch of more than one block */
export function createBatchMemories(poolBytes = BATCH_BYTES): BatchMemories {
  const free: WeakRef<PooledMemory>[] = [];

  function takeFree(): PooledMemory | undefined {
    for (let last = free.pop(); last !== undefined; last = free.pop()) {
      const memory = last.deref();
      if (memory !== undefined) return memory;
    }
    return undefined;
  }
  return {
    take(sizeBytes) {
      if (sizeBytes < MIN_POOLED_BYTES || sizeBytes > poolBytes) return ownMemory;
      return takeFree() ?? new PooledMemory(poolBytes + ROOM_BYTES);
    },
    give(memory) {
      if (!(memory instanceof PooledMemory) || free.length >= MAX_KEPT) return;
      memory.clear();
      free.push(new WeakRef(memory));
    },
  };
}

/** Both as one, where they lie side by side in the same memory; else `null`. */
export function joinAdjacent(first: Uint8Array, second: Uint8Array): Uint8Array | null {
  const isAdjacent = first.buffer === second.buffer && first.byteOffset + first.length === second.byteOffset;
  return isAdjacent ? new Uint8Array(first.buffer, first.byteOffset, first.length + second.length) : null;
}
