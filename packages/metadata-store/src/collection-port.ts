import type { BlockId, SpaceId } from '@cairn/model';
import type { BlockRecord } from './records.ts';

/** One writing of a block in the block store. */
export interface BlockGeneration {
  readonly blockId: BlockId;
  readonly generation: number;
}

/** A block that may be deleted from the block store at any moment, in this generation. */
export interface TombstoneRecord extends BlockGeneration {
  readonly storedBytes: number;
  readonly deletedAt: number;
  /** When the block store had deleted it; `null` while that is to be done. */
  readonly reclaimedAt: number | null;
}

/** What a `put` of the block store answered, and what was known before it. */
export interface PutResult {
  /** Generation of each block, as the block store answered; one that is not named counts as 0. */
  readonly generations: ReadonlyMap<BlockId, number>;
  /** {@link CollectionReader.countPrunings} before the put. */
  readonly prunings: number;
}

export interface BlockAmount {
  readonly blocks: number;
  readonly storedBytes: number;
}

/** What is unused at an instant: no reference, no lease, made and last released not after `touchedBefore`. */
export interface UnusedSince {
  readonly now: number;
  readonly touchedBefore: number;
}

export interface UnusedPage {
  readonly blocks: readonly { readonly blockId: BlockId; readonly storedBytes: number }[];
  /** `after` of the next page, `null` at the end. */
  readonly next: number | null;
}

/** A place in the list of all references. */
export interface ReferencePlace {
  readonly blockNumber: number;
  readonly spaceId: SpaceId;
}

export interface ReferencePage {
  readonly references: readonly {
    readonly spaceId: SpaceId;
    readonly blockId: BlockId;
    readonly kind: BlockRecord['kind'];
    /** Never, unless the database is damaged. */
    readonly condemned: boolean;
  }[];
  /** `after` of the next page, `null` at the end. */
  readonly next: ReferencePlace | null;
}

/** What garbage collection reads; see docs/adr/0011-garbage-collection.md for the states of a block. */
export interface CollectionReader {
  /** How often tombstones or storage nodes were removed, ever: what was put before that is put again. */
  countPrunings(): Promise<number>;
  /** The highest generation among the tombstones that were removed, ever; 0 when none was. */
  readGenerationFloor(): Promise<number>;
  /** Tombstones of these blocks, same order. */
  getTombstones(blockIds: readonly BlockId[]): Promise<(TombstoneRecord | undefined)[]>;
  /** Unused blocks that are not condemned yet, among the next `limit` blocks after the number `after`. */
  pageUnused(since: UnusedSince, after: number, limit: number): Promise<UnusedPage>;
  /** References of all spaces, by block. */
  pageReferences(after: ReferencePlace | null, limit: number): Promise<ReferencePage>;
  /**
   * Which of these writings no block row and no tombstone that is to be reclaimed accounts for, same order.
   */
  areOrphans(blocks: readonly BlockGeneration[]): Promise<boolean[]>;
  /** Tombstones whose block the block store has still to delete, oldest first. */
  listUnreclaimed(limit: number): Promise<TombstoneRecord[]>;
  /** How much is in each state; `sweepable` and `sweepableOrphans` are the part that is old enough. */
  countGarbage(before: { readonly condemnedBefore: number; readonly seenBefore: number }): Promise<{
    readonly condemned: BlockAmount;
    readonly sweepable: BlockAmount;
    readonly unreclaimed: BlockAmount;
    readonly orphans: BlockAmount;
    readonly sweepableOrphans: BlockAmount;
  }>;
}

export interface CollectionTransaction extends CollectionReader {
  /**
   * Takes one reference of the space from each block (an id may occur more than once). Returns the ids whose count
   * fell to zero: the caller goes on with their parts. Taking more than there are is refused.
   */
  releaseReferences(spaceId: SpaceId, blockIds: readonly BlockId[], now: number): Promise<BlockId[]>;
  /** Condemns those that are unused. Returns their ids. */
  condemnBlocks(blocks: readonly BlockGeneration[], since: UnusedSince): Promise<BlockId[]>;
  /** Blocks that were condemned not after `condemnedBefore` become tombstones, oldest first. Returns these. */
  sweepCondemned(sweep: {
    readonly now: number;
    readonly condemnedBefore: number;
    readonly limit: number;
  }): Promise<TombstoneRecord[]>;
  /** Notes orphans. Returns those that were not noted before, in this generation. */
  noteOrphans(
    blocks: readonly (BlockGeneration & { readonly storedBytes: number })[],
    now: number,
  ): Promise<BlockId[]>;
  /**
   * Orphans that were noted not after `seenBefore` become tombstones, unless there is a block row by now. Returns these,
   * and how many notes were looked at.
   */
  sweepOrphans(sweep: {
    readonly now: number;
    readonly seenBefore: number;
    readonly limit: number;
  }): Promise<{ readonly swept: readonly TombstoneRecord[]; readonly looked: number }>;
  /** Notes that the block store deleted these generations; a tombstone of another generation stays as it is. */
  markReclaimed(blocks: readonly BlockGeneration[], now: number): Promise<void>;
  /** Removes tombstones that were reclaimed not after `reclaimedBefore`, and counts that. Returns how many. */
  pruneTombstones(reclaimedBefore: number, limit: number): Promise<number>;

  /**
   * Gives a periodic job to `holder` until `expiresAt`: when nobody has it, the holder has it already, or the time of
   * who has it is over. Returns the fencing token, which grows with each new holder, or `null`.
   */
  takeJobLease(name: string, holder: string, now: number, expiresAt: number): Promise<number | null>;
  /** Ends a lease early, if it is still this one. */
  releaseJobLease(name: string, holder: string, token: number): Promise<void>;
}
