import type { StoredBlock } from '@cairn/content';
import type { BlockId } from '@cairn/model';
import type { Reading } from './block-reading.ts';
import type { IndexedBlock } from './index-rows.ts';
import { recordBytes } from './record-format.ts';

export interface ReadAheadSource {
  /** `null` for an absent block; throws for one that is known to be damaged. */
  readonly find: (blockId: BlockId) => IndexedBlock | null;
  readonly read: (run: readonly IndexedBlock[]) => Promise<Reading[]>;
  /** The block of a reading, `null` when it went away meanwhile, or its error. */
  readonly take: (reading: Reading) => StoredBlock | null;
}

/** Neighbours on disk are read together up to this size. */
const MAX_RUN_BYTES = 1024 * 1024;
/** Bytes that may be read and not yet taken, apart from a single larger record. */
const MAX_AHEAD_BYTES = 8 * 1024 * 1024;
/** Absent blocks cost no bytes, so runs are bounded by number too. */
const MAX_AHEAD_RUNS = 64;

interface Run {
  /** `null` for absent and failed ones, which hold nothing. */
  readonly results: Promise<Reading[]> | null;
  readonly error: unknown;
  readonly sizeBytes: number;
}

/** Yields the blocks in the order asked, a bounded number of bytes ahead, joining reads of neighbours. */
export async function* readAhead(
  blockIds: readonly BlockId[],
  source: ReadAheadSource,
): AsyncGenerator<StoredBlock | null> {
  let next = 0;
  let pushedBack: IndexedBlock | null = null;
  const runs: Run[] = [];
  let aheadBytes = 0;

  function nextRun(): Run {
    let first = pushedBack;
    pushedBack = null;
    try {
      first ??= source.find(blockIds[next++] as BlockId);
    } catch (error) {
      return { results: null, error, sizeBytes: 0 };
    }
    if (first === null) return { results: null, error: null, sizeBytes: 0 };
    const blocks = [first];
    let sizeBytes = recordBytes(first.storedBytes);
    while (next < blockIds.length && sizeBytes < MAX_RUN_BYTES) {
      let block: IndexedBlock | null;
      try {
        block = source.find(blockIds[next] as BlockId);
      } catch {
        break; // it is met again as the first of its own run, and its error is told there
      }
      if (block === null) break;
      const isNeighbour = block.segment === first.segment && block.offset === first.offset + sizeBytes;
      const isSmall = sizeBytes + recordBytes(block.storedBytes) <= MAX_RUN_BYTES;
      next++;
      if (!isNeighbour || !isSmall) {
        pushedBack = block;
        break;
      }
      blocks.push(block);
      sizeBytes += recordBytes(block.storedBytes);
    }
    const results = source.read(blocks);
    // A reader that stops early must leave no rejection behind that nobody hears.
    results.catch(() => undefined);
    return { results, error: null, sizeBytes };
  }

  for (;;) {
    while (
      (next < blockIds.length || pushedBack !== null) &&
      runs.length < MAX_AHEAD_RUNS &&
      (runs.length === 0 || aheadBytes < MAX_AHEAD_BYTES)
    ) {
      const run = nextRun();
      runs.push(run);
      aheadBytes += run.sizeBytes;
    }
    const run = runs.shift();
    if (run === undefined) return;
    if (run.error !== null) throw run.error;
    if (run.results === null) yield null;
    else {
      for (const reading of await run.results) yield source.take(reading);
    }
    aheadBytes -= run.sizeBytes;
  }
}
