import type { IndexedBlock } from './index-rows.ts';
import { recordBytes } from './record-format.ts';

/** Records are read together up to this size. */
const MAX_RUN_BYTES = 1024 * 1024;
/** Reading over what is between two records is cheaper than a second read up to about here. */
const MAX_HOLE_BYTES = 64 * 1024;

/**
 * Cuts records of one segment, in order of their offsets, into runs that are read at once: neighbours and what is
 * nearly that. A record larger than a run is one by itself.
 */
export function runsOf(blocks: readonly IndexedBlock[]): IndexedBlock[][] {
  const runs: IndexedBlock[][] = [];
  let run: IndexedBlock[] = [];
  let endBytes = 0;
  for (const block of blocks) {
    const blockEnd = block.offset + recordBytes(block.storedBytes);
    const start = run[0]?.offset ?? 0;
    if (run.length === 0 || block.offset - endBytes > MAX_HOLE_BYTES || blockEnd - start > MAX_RUN_BYTES) {
      run = [];
      runs.push(run);
    }
    run.push(block);
    endBytes = blockEnd;
  }
  return runs;
}
