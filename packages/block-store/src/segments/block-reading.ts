import type { StoredBlock } from '@cairn/content';
import type { Log } from '@cairn/environment';
import { type BlockId, CairnError } from '@cairn/model';
import type { BlockIndex } from './block-index.ts';
import type { IndexedBlock } from './index-rows.ts';
import type { ReadResult, SegmentReader } from './segment-reader.ts';

/** What was read of a block, and where its record was then; `null` when the block went away meanwhile. */
export interface Reading {
  readonly at: IndexedBlock;
  readonly result: ReadResult | null;
}

export interface BlockReading {
  /** Where a block's record is, or `null` when the block is absent; throws `data-damaged` for a quarantined one. */
  find(blockId: BlockId): IndexedBlock | null;
  /**
   * Reads records of one segment, in order of offset, and those that were moved meanwhile where they are now.
   * @param memory as for the segment reader
   */
  read(run: readonly IndexedBlock[], memory?: Buffer): Promise<Reading[]>;
  /** The block of a reading; quarantines a record that is not what was written, and throws `data-damaged`. */
  take(reading: Reading): StoredBlock | null;
  /** Logs and quarantines a record that is not what was written. */
  condemn(at: IndexedBlock, problem: string): void;
}

function damaged(block: IndexedBlock, problem: string, cause?: unknown): CairnError {
  return new CairnError(
    'data-damaged',
    `block ${block.blockId} is damaged on the server's disk (${problem}); upload the file again from a device that has it, or restore the block from a backup`,
    { cause, details: { blockId: block.blockId, generation: block.generation, problem } },
  );
}

/**
 * @param open makes the block that was put of a stored one, or `null` when that is not possible
 */
export function createBlockReading(
  index: BlockIndex,
  reader: SegmentReader,
  log: Log,
  open: (block: StoredBlock) => StoredBlock | null,
): BlockReading {
  /** Looks again for a block whose record was not readable where the index had it before the read began. */
  async function readAgain(failed: IndexedBlock, firstResult: ReadResult): Promise<Reading> {
    let at = failed;
    let result = firstResult;
    for (;;) {
      const now = index.find(at.blockId);
      if (now === null || now.state === 'deleted') return { at, result: null };
      const isMoved = now.segment !== at.segment || now.offset !== at.offset;
      if (now.state !== 'live' || !isMoved) return { at, result };
      at = now;
      [result] = (await reader.read([at])) as [ReadResult];
      if (result.problem === null) return { at, result };
    }
  }

  function condemn(at: IndexedBlock, problem: string): void {
    const { blockId, segment, offset } = at;
    log.error('block-store.damaged', { blockId, segment, offset, problem });
    // A whole file that is gone may come back with its disk; only what was seen to be wrong is written down.
    if (problem === 'segment-missing') return;
    try {
      index.transaction(() => index.quarantine(at, problem));
    } catch (error) {
      // The caller must hear of the damage even when it cannot be noted; the next read finds it again.
      log.error('block-store.quarantine-failed', { blockId, error });
    }
  }

  return {
    find(blockId) {
      const block = index.find(blockId);
      if (block === null || block.state === 'deleted') return null;
      if (block.state !== 'live') throw damaged(block, block.state);
      return block;
    },
    async read(run, memory) {
      const readings: Reading[] = [];
      for (const [position, result] of (await reader.read(run, memory)).entries()) {
        const at = run[position] as IndexedBlock;
        readings.push(result.problem === null ? { at, result } : await readAgain(at, result));
      }
      return readings;
    },
    take({ at, result }) {
      if (result === null) return null;
      if (result.block === null) {
        condemn(at, result.problem);
        throw damaged(at, result.problem, result.cause);
      }
      const block = open(result.block);
      if (block !== null) return block;
      condemn(at, 'seal');
      throw damaged(at, 'seal');
    },
    condemn,
  };
}
