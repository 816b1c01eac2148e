import type { StoredBlock } from '@cairn/content';
import type { BlockId } from '@cairn/model';

/** What a store knows about a block without reading it. */
export interface BlockLocation {
  readonly blockId: BlockId;
  /** Grows each time the same id is written again after a delete; deletes name it. */
  readonly generation: number;
  readonly storedBytes: number;
}

/** Proves that whoever deletes still has the job of doing so: the token of the lease on it, which grows with each holder. */
export interface Fence {
  readonly job: string;
  readonly token: number;
}

export interface BlockStoreUsage {
  readonly blocks: number;
  /** Bytes of live records, headers included. */
  readonly liveBytes: number;
  /** Bytes on disk, garbage included. */
  readonly diskBytes: number;
  readonly quarantinedRecords: number;
  /**
   * When what was not looked at for longest was last verified by a scrub; `null` while some never was. Blocks that were
   * just written do not count.
   */
  readonly verifiedAt: number | null;
}

export interface CompactionOptions {
  /** Only files of which at least this share is garbage are touched; 0.5 unless told. */
  readonly minGarbageRatio?: number;
  /** Stops between two groups of records; what was moved by then stays moved. */
  readonly signal?: AbortSignal;
  /** How fast bytes are moved at most; as fast as the disk unless told. */
  readonly bytesPerSecond?: number;
}

export interface CompactionReport {
  /** Files that are gone after what lived in them was written elsewhere. */
  readonly segmentsRewritten: number;
  /** Files that are gone and had nothing alive in them, apart from tombstones. */
  readonly segmentsRemoved: number;
  /** Bytes that were written anew. */
  readonly movedBytes: number;
  /** Bytes of the files that are gone; the disk gained this less `movedBytes`. */
  readonly freedBytes: number;
  /** Files that stay because a record in them is damaged and exists nowhere else. */
  readonly skippedDamaged: number;
  /** What ended it early, or `null` when all was done. */
  readonly stoppedBy: 'storage-full' | 'aborted' | null;
}

export interface ScrubOptions {
  /** How fast bytes are read at most; as fast as the disk unless told. */
  readonly bytesPerSecond?: number;
  /** Stops between two reads; a later scrub with `olderThanMs` goes on where this one was. */
  readonly signal?: AbortSignal;
  /** Leaves out what was verified less long ago than this. */
  readonly olderThanMs?: number;
}

export interface ScrubReport {
  readonly checkedBlocks: number;
  /** Bytes of the records that were checked. */
  readonly checkedBytes: number;
  /** The first thousand of those that are not what was written. */
  readonly damaged: readonly BlockId[];
  readonly damagedCount: number;
  /** How many of the damaged ones the disk did not give out at all. */
  readonly unreadable: number;
  readonly durationMs: number;
  readonly stoppedBy: 'aborted' | null;
}

/** Memory that blocks are read into and that is used again. */
export interface ReadMemory {
  /** Just so many bytes, with anything in them, that nobody else has; `null`: read into memory of your own. */
  take(sizeBytes: number): Uint8Array | null;
  /** Nobody looks at what `take` gave any more. What is never given back is garbage. */
  give(memory: Uint8Array): void;
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
  /**
   * Reads many in the given order, a bounded number ahead; yields `null` for an absent one.
   * @param memory where payloads may be put. Then each stays as it is only until the next block is asked for; who stops
   * before the end leaves the memory of what was read to the garbage collector, so a payload may still be on its way to
   * somewhere then. What is not given back stays as it is. A store may do without it.
   */
  getMany(blockIds: readonly BlockId[], memory?: ReadMemory): AsyncIterable<StoredBlock | null>;
  /** Which of these are present, in the same order. */
  has(blockIds: readonly BlockId[]): Promise<boolean[]>;
  /** Where these are, in the same order; `null` for one that is absent or damaged. */
  locate(blockIds: readonly BlockId[]): Promise<(BlockLocation | null)[]>;
  /**
   * Deletes by location: only this generation of the block. A store that several processes share refuses with
   * `precondition-failed` what comes with a lower token than it has seen for that job; a store that one process has
   * for itself needs no fence.
   */
  delete(
    location: { readonly blockId: BlockId; readonly generation: number },
    fence?: Fence,
  ): Promise<boolean>;
  /**
   * Every live block, for verification and collection, in an order of the store's own; `after` is one that it told, and
   * the list goes on behind it.
   */
  list(after?: BlockId): AsyncIterable<BlockLocation>;
  usage(): Promise<BlockStoreUsage>;
  /**
   * Gives back the space of what was deleted or written anew, while everything else goes on. Blocks keep their
   * generations. Needs some free space while it runs, and stops without harm where there is none. Throws
   * `already-running` while another one runs, and `unavailable` when the store takes no writes.
   */
  compact(options?: CompactionOptions): Promise<CompactionReport>;
  /**
   * Reads and verifies every live block, what was not looked at for longest first, while everything else goes on.
   * What is damaged is quarantined as by `get`. Throws `already-running` while another one runs.
   */
  scrub(options?: ScrubOptions): Promise<ScrubReport>;
  /**
   * Throws `unavailable` when the store cannot take writes (poisoned after an I/O error, read-only), and `storage-full`
   * when a bound that it was given is reached.
   */
  checkHealth(): Promise<void>;
  close(): Promise<void>;
}
