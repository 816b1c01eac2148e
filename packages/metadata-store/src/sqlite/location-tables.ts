import type {
  BlockLocationRecord,
  BlockMovePhase,
  BlockMoveRecord,
  LocationReader,
  LocationTransaction,
} from '../location-port.ts';
import { countPruning } from './collection-writes.ts';
import type { Session } from './session.ts';
import type { Row } from './sqlite.ts';

function toMove(row: Row): BlockMoveRecord {
  return {
    target: { placeId: row['target_id'] as string, setting: row['target_setting'] as string },
    phase: row['phase'] as BlockMovePhase,
    isReturn: row['is_return'] === 1,
    leavesDamaged: row['leaves_damaged'] === 1,
    bytesPerSecond: row['bytes_per_second'] as number | null,
    startedAt: row['started_at'] as number,
    position: row['position'] as number,
    checkedBlocks: row['checked_blocks'] as number,
    copiedBlocks: row['copied_blocks'] as number,
    copiedBytes: row['copied_bytes'] as number,
    badBlocks: row['bad_blocks'] as number,
  };
}

function toLocation(row: Row, move: Row | undefined): BlockLocationRecord {
  const previousId = row['previous_id'] as string | null;
  return {
    serverId: row['server_id'] as string,
    place: { placeId: row['place_id'] as string, setting: row['setting'] as string },
    previous:
      previousId === null ? null : { placeId: previousId, setting: row['previous_setting'] as string },
    movedAt: row['moved_at'] as number | null,
    leftBlocks: row['left_blocks'] as number,
    move: move === undefined ? null : toMove(move),
  };
}

/** The reading methods about where blocks are. */
export function createLocationReader({ one }: Session): LocationReader {
  return {
    async getBlockLocation() {
      const row = one('SELECT * FROM block_location');
      return row === undefined ? undefined : toLocation(row, one('SELECT * FROM block_move'));
    },
  };
}

/** The writing methods about where blocks are. */
export function createLocationWrites({ run }: Session): Omit<LocationTransaction, keyof LocationReader> {
  return {
    async setBlockLocation({ serverId, place, previous, movedAt, leftBlocks, move }) {
      run('DELETE FROM block_move');
      run(
        `INSERT INTO block_location (one, server_id, place_id, setting, previous_id, previous_setting, moved_at,
           left_blocks) VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT (one) DO UPDATE SET server_id = ?1, place_id = ?2, setting = ?3, previous_id = ?4,
           previous_setting = ?5, moved_at = ?6, left_blocks = ?7`,
        serverId,
        place.placeId,
        place.setting,
        previous?.placeId ?? null,
        previous?.setting ?? null,
        movedAt,
        leftBlocks,
      );
      if (move === null) return;
      run(
        `INSERT INTO block_move (one, target_id, target_setting, phase, is_return, leaves_damaged,
           bytes_per_second, started_at, position, checked_blocks, copied_blocks, copied_bytes, bad_blocks)
         VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        move.target.placeId,
        move.target.setting,
        move.phase,
        move.isReturn ? 1 : 0,
        move.leavesDamaged ? 1 : 0,
        move.bytesPerSecond,
        move.startedAt,
        move.position,
        move.checkedBlocks,
        move.copiedBlocks,
        move.copiedBytes,
        move.badBlocks,
      );
    },
    async refuseEarlierPuts() {
      countPruning({ run });
    },
  };
}
