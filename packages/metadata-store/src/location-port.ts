/** A place where blocks are kept. */
export interface BlockPlaceRecord {
  /** Of the place, wherever it is mounted; a folder has it written in it. */
  readonly placeId: string;
  /** As it is written in CAIRN_BLOCKS: `file:` with an absolute path, or `nodes:` with its settings. */
  readonly setting: string;
}

/**
 * `copying`: what only the old place has is copied. `checking`: nothing was left to copy, which is being made sure of.
 * `held`: all is copied but some blocks that cannot be read, or not enough nodes take what is to be copied.
 */
export type BlockMovePhase = 'copying' | 'checking' | 'held';

/** A move of all blocks that is under way. */
export interface BlockMoveRecord {
  readonly target: BlockPlaceRecord;
  readonly phase: BlockMovePhase;
  /** It was cancelled: everything goes back from the target to where it came from. */
  readonly isReturn: boolean;
  /** It is to end although blocks that cannot be read stay behind. */
  readonly leavesDamaged: boolean;
  /** What may be copied each second; `null`: unlimited. */
  readonly bytesPerSecond: number | null;
  readonly startedAt: number;
  /** The walk over all blocks has come to the block of this number. */
  readonly position: number;
  /** Blocks that the walk has looked at. */
  readonly checkedBlocks: number;
  readonly copiedBlocks: number;
  /** Stored bytes of these. */
  readonly copiedBytes: number;
  /** Blocks of this walk that could not be copied, since no place has them whole. */
  readonly badBlocks: number;
}

/** Where the blocks of this database are; see docs/adr/0017-moving-blocks.md. */
export interface BlockLocationRecord {
  /** Of this database, so that a folder of blocks can tell whose it is. */
  readonly serverId: string;
  readonly place: BlockPlaceRecord;
  /** Where they were before the last move that ended; `null`: always here. */
  readonly previous: BlockPlaceRecord | null;
  /** When that move ended, in milliseconds since 1970. */
  readonly movedAt: number | null;
  /** Blocks that it left behind because they could not be read. */
  readonly leftBlocks: number;
  readonly move: BlockMoveRecord | null;
}

export interface LocationReader {
  /** `undefined` for a database that no server has started on since this is recorded. */
  getBlockLocation(): Promise<BlockLocationRecord | undefined>;
}

export interface LocationTransaction extends LocationReader {
  /** Replaces what is recorded. */
  setBlockLocation(location: BlockLocationRecord): Promise<void>;
  /**
   * What was put before this, and has no row yet, must be put again: `insertBlocks` refuses it once, as after a
   * removal of tombstones. For then it may have been put where blocks are no longer kept.
   */
  refuseEarlierPuts(): Promise<void>;
}
