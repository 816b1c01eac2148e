import type { StoredBlock } from '@cairn/content';
import type { BlockId } from '@cairn/model';

/** What a store knows about a block without reading it. */
export interface BlockLocation {
  readonly blockId: BlockId;
  /** Grows each time the same id is written again after a delete; deletes name it. */
  readonly generation: number;
  readonly storedBytes: number;
}

export interface BlockStoreUsage {
  readonly blocks: number;
  /** Bytes of live records, headers included. */
  readonly liveBytes: number;
  /** Bytes on disk, garbage included. */
  readonly diskBytes: number;
  readonly quarantinedRecords: number;
}

/**
 * Where blocks live. Callers have checked that payloads fit their ids; the store guarantees that what it
 * acknowledged is durable and that what it returns is what it was given, or an error.
 */
export interface BlockStore {
  /**
   * Stores blocks and resolves when all are durable (fsynced). Blocks that are there already are not written
   * again, unless their generation is at most the one that `above` names: a delete of that generation may be on its
   * way, and must not hit what this call acknowledges. Throws `storage-full` (nothing of this call is acknowledged)
   * when space runs out.
   */
  put(
    blocks: readonly StoredBlock[],
    above?: ReadonlyMap<BlockId, number>,
  ): Promise<readonly BlockLocation[]>;
  /** Reads and verifies one block. `null` when absent; throws `data-damaged` when its record is not what was written. */
  get(blockId: BlockId): Promise<StoredBlock | null>;
  /** Reads many in the given order, a bounded number ahead; yields `null` for an absent one. */
  getMany(blockIds: readonly BlockId[]): AsyncIterable<StoredBlock | null>;
  /** Which of these are present, in the same order. */
  has(blockIds: readonly BlockId[]): Promise<boolean[]>;
  /** Where these are, in the same order; `null` for one that is absent or damaged. */
  locate(blockIds: readonly BlockId[]): Promise<(BlockLocation | null)[]>;
  /** Deletes by location: only this generation of the block. */
  delete(location: { readonly blockId: BlockId; readonly generation: number }): Promise<boolean>;
  /** Every live block with an id above `after`, in order of ids, for verification and collection. */
  list(after?: BlockId): AsyncIterable<BlockLocation>;
  usage(): Promise<BlockStoreUsage>;
  /** Throws `unavailable` when the store cannot take writes (poisoned after an I/O error, read-only). */
  checkHealth(): Promise<void>;
  close(): Promise<void>;
}
