import type { BlockCodec } from '@cairn/content';
import type { BlockId } from '@cairn/model';
import { codecOf, kindOf, type RecordKind } from './record-format.ts';

/** live: readable. deleted: its generation is remembered. damaged: quarantined. missing: its segment is not there. */
export type BlockState = 'live' | 'deleted' | 'damaged' | 'missing';
export const STATES: readonly BlockState[] = ['live', 'deleted', 'damaged', 'missing'];

/** Where a record is. */
export interface RecordPlace {
  readonly segment: number;
  readonly offset: number;
}

/** What the index says about a block, and where its newest record is. */
export interface IndexedBlock extends RecordPlace {
  readonly blockId: BlockId;
  readonly generation: number;
  readonly state: BlockState;
  readonly kind: RecordKind;
  readonly codec: BlockCodec;
  readonly plainBytes: number;
  readonly storedBytes: number;
}

export interface IndexedSegment {
  readonly number: number;
  readonly segmentUuid: string;
  /** Everything before this offset was acknowledged as durable. */
  readonly durableBytes: number;
}

/** A segment as the index has it. */
export interface KnownSegment extends IndexedSegment {
  /** Whether some of its blocks are marked as missing. */
  readonly hasMissing: boolean;
  /** Bytes of the records in it that the index points at, headers included. */
  readonly liveBytes: number;
  /** Tombstones in it that are the last word on their block. */
  readonly deletedRecords: number;
  /** When all that lives in it was last read and found intact or quarantined, or `null`. */
  readonly lastVerifiedAt: number | null;
}

export interface Damage {
  readonly segment: number;
  readonly offset: number;
  readonly lengthBytes: number;
  readonly blockId: BlockId | null;
  readonly reason: string;
}

export interface IndexTotals {
  readonly blocks: number;
  readonly liveBytes: number;
  readonly quarantinedRecords: number;
  readonly verifiedAt: number | null;
}

/** A row as SQLite gives it. */
export type Row = Record<string, unknown>;

export function idBytes(blockId: BlockId): Buffer {
  return Buffer.from(blockId, 'hex');
}

export function idText(bytes: unknown): BlockId {
  const { buffer, byteOffset, length } = bytes as Uint8Array;
  return Buffer.from(buffer, byteOffset, length).toString('hex') as BlockId;
}

export function toBlock(row: Row): IndexedBlock {
  return {
    blockId: idText(row['block_id']),
    generation: row['generation'] as number,
    state: STATES[row['state'] as number] as BlockState,
    kind: kindOf(row['kind'] as number),
    codec: codecOf(row['codec'] as number),
    plainBytes: row['plain_bytes'] as number,
    storedBytes: row['stored_bytes'] as number,
    segment: row['segment'] as number,
    offset: row['offset'] as number,
  };
}

/** What {@link toPlacedBlock} takes, for a scan of many rows: each value, and above all each blob, costs more than SQLite's work. */
export const PLACED_COLUMNS =
  'lower(hex(block_id)), generation, state * 256 + kind * 16 + codec, plain_bytes, stored_bytes, segment, offset';

export type PlacedRow = readonly [BlockId, number, number, number, number, number, number];

export function toPlacedBlock(row: PlacedRow): IndexedBlock {
  const [blockId, generation, kinds, plainBytes, storedBytes, segment, offset] = row;
  return {
    blockId,
    generation,
    state: STATES[kinds >> 8] as BlockState,
    kind: kindOf((kinds >> 4) & 15),
    codec: codecOf(kinds & 15),
    plainBytes,
    storedBytes,
    segment,
    offset,
  };
}

export function toSegment(row: Row): KnownSegment {
  return {
    number: row['number'] as number,
    segmentUuid: row['segment_uuid'] as string,
    durableBytes: row['durable_bytes'] as number,
    hasMissing: row['has_missing'] === 1,
    liveBytes: row['live_bytes'] as number,
    deletedRecords: row['deleted_records'] as number,
    lastVerifiedAt: row['last_verified_at'] as number | null,
  };
}

export function toDamage(row: Row): Damage {
  return {
    segment: row['segment'] as number,
    offset: row['offset'] as number,
    lengthBytes: row['length_bytes'] as number,
    blockId: row['block_id'] === null ? null : idText(row['block_id']),
    reason: row['reason'] as string,
  };
}
