import type { BlockId, CopiedRun, ManifestPart } from '@cairn/model';

/** Runs of chunks that a file has from another content, as far as they are not taken yet. */
export interface CopiedRuns {
  /** Bytes of all that wait. */
  readonly sizeBytes: number;
  /** Notes a chunk of the file, in its order; nothing, when the other content has no such chunk. */
  add(position: number, chunk: ManifestPart): void;
  /** Takes the first ones. */
  take(count: number): CopiedRun[];
}

/** Runs that wait to be told; the oldest give way. */
const MAX_WAITING_RUNS = 4096;

/**
 * Finds where a file's chunks are in another content. Neighbours there that are neighbours here make one run, which takes
 * as many bytes to tell whatever its length.
 * @param chunks of the other content, in their order
 */
export function createCopiedRuns(chunks: readonly ManifestPart[]): CopiedRuns {
  const positions: number[] = [];
  const indexes = new Map<BlockId, number>();
  let end = 0;
  for (const [index, { block, sizeBytes }] of chunks.entries()) {
    positions.push(end);
    end += sizeBytes;
    if (!indexes.has(block)) indexes.set(block, index);
  }
  let runs: CopiedRun[] = [];
  let waitingBytes = 0;
  /** Where the run goes on, if it does. */
  let nextIndex = 0;

  return {
    get sizeBytes() {
      return waitingBytes;
    },
    add(position, { block, sizeBytes }) {
      // Chunks that are there often, as those of zeros, are taken from where the run is.
      const index = chunks[nextIndex]?.block === block ? nextIndex : indexes.get(block);
      if (index === undefined) return;
      nextIndex = index + 1;
      const basePosition = positions[index] ?? 0;
      const last = runs.at(-1);
      const goesOn =
        last !== undefined &&
        last.position + last.sizeBytes === position &&
        last.basePosition + last.sizeBytes === basePosition;
      if (goesOn) runs[runs.length - 1] = { ...last, sizeBytes: last.sizeBytes + sizeBytes };
      else runs.push({ position, basePosition, sizeBytes });
      waitingBytes += sizeBytes;
      while (runs.length > MAX_WAITING_RUNS) waitingBytes -= runs.shift()?.sizeBytes ?? 0;
    },
    take(count) {
      const taken = runs.slice(0, count);
      runs = runs.slice(count);
      waitingBytes -= taken.reduce((sum, run) => sum + run.sizeBytes, 0);
      return taken;
    },
  };
}
