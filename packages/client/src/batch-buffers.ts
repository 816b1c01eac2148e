import { MAX_BLOCK_BYTES } from '@cairn/model';

/** Of a full batch. Larger than any block; a batch that cannot take the next block is full. */
export const BATCH_BYTES = 4 * 1024 * 1024;
/** With so much a batch begins: enough for a few small files that were saved. */
const FIRST_BYTES = 64 * 1024;
/** Buffers of each size kept while none is in use. */
const IDLE_BUFFERS = 2;
/**
 * Buffers of all uploads together: 24 MiB, of which four are packs on their way. One more for each upload that has none, so
 * that none waits for others.
 */
const MAX_BUFFERS = 6;

/** Memory of batches, used again and again: fresh memory for every batch is garbage of the size of all uploads. */
export interface BatchBuffers {
  /** What one upload takes its buffers from. */
  createShare(): BufferShare;
  /**
   * Lets go of what is kept for the next uploads and would take long to touch again. The small buffers stay: all that a save
   * after a long rest needs, or it would wait for zeros to be written over megabytes.
   */
  giveMemoryBack(): void;
}

export interface BufferShare {
  /** A small one. `null`: not before one that this upload has is given back. */
  take(): Uint8Array | null;
  /** One of `BATCH_BYTES` instead of this one that was taken, beginning with what is in it. */
  enlarge(buffer: Uint8Array): Uint8Array;
  /** Memory for one compressed block of so many plain bytes; the same for all, until the next call. */
  scratch(sizeBytes: number): Uint8Array;
  /** Only once nobody reads from it any more. */
  give(buffer: Uint8Array): void;
  /** Instead of `give`, for a buffer that a failed request may still read from. */
  forget(): void;
}

export function createBatchBuffers(): BatchBuffers {
  const spare = { first: [] as Uint8Array[], full: [] as Uint8Array[] };
  let inUse = 0;
  /** Made anew for each block, they would be garbage of the size of all uploads. */
  let firstScratch: Uint8Array | null = null;
  let fullScratch: Uint8Array | null = null;

  function keep(buffer: Uint8Array): void {
    const kept = buffer.length < BATCH_BYTES ? spare.first : spare.full;
    if (kept.length < MAX_BUFFERS) kept.push(buffer);
  }

  function createShare(): BufferShare {
    let held = 0;

    function release(): void {
      held--;
      inUse--;
      if (inUse > 0) return;
      spare.first.splice(IDLE_BUFFERS);
      spare.full.splice(IDLE_BUFFERS);
    }

    return {
      take() {
        if (held > 0 && inUse >= MAX_BUFFERS) return null;
        held++;
        inUse++;
        return spare.first.pop() ?? new Uint8Array(FIRST_BYTES);
      },
      enlarge(buffer) {
        const full = spare.full.pop() ?? new Uint8Array(BATCH_BYTES);
        full.set(buffer);
        keep(buffer);
        return full;
      },
      scratch(sizeBytes) {
        // What cannot be compressed becomes a little longer.
        if (sizeBytes <= FIRST_BYTES / 2) {
          firstScratch ??= new Uint8Array(FIRST_BYTES);
          return firstScratch;
        }
        fullScratch ??= new Uint8Array(MAX_BLOCK_BYTES);
        return fullScratch;
      },
      give(buffer) {
        keep(buffer);
        release();
      },
      forget: release,
    };
  }

  return {
    createShare,
    giveMemoryBack() {
      spare.full.length = 0;
      fullScratch = null;
    },
  };
}
