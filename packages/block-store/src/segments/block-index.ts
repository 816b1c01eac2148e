import { type BlockId, CairnError } from '@cairn/model';
import {
  type Damage,
  type IndexedBlock,
  type IndexedSegment,
  type IndexTotals,
  idBytes,
  type KnownSegment,
  PLACED_COLUMNS,
  type PlacedRow,
  type RecordPlace,
  type Row,
  STATES,
  toBlock,
  toDamage,
  toPlacedBlock,
  toSegment,
} from './index-rows.ts';
import { prepareIndexSchema } from './index-schema.ts';
import { codecNumber, kindNumber, recordBytes } from './record-format.ts';
import { Database, isDatabaseDamaged, isDatabaseFull } from './sqlite.ts';

export type BlockIndex = ReturnType<typeof openBlockIndex>;

function isAt(block: IndexedBlock, place: RecordPlace): boolean {
  return block.segment === place.segment && block.offset === place.offset;
}

/**
 * Opens or creates the index in the file `path`. It is a cache of what the segments say, plus the durable
 * watermark of each. Only the process that has the folder's lock may call this. Throws SQLite's errors.
 */
export function openBlockIndex(path: string) {
  const database = new Database(path, { timeout: 0 });
  try {
    // The folder is locked, so the write-ahead log needs no shared memory beside it.
    database.exec('PRAGMA locking_mode = EXCLUSIVE');
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;');
    database.exec('PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA cache_size = -32768;');
    // 16 MiB of log before it goes into the file: pages that many puts change are then copied and flushed once.
    database.exec('PRAGMA wal_autocheckpoint = 4096');
    prepareIndexSchema(database, path);
  } catch (error) {
    database.close();
    throw error;
  }

  const findStatement = database.prepare('SELECT * FROM blocks WHERE block_id = ?');
  const putStatement = database.prepare(
    `INSERT INTO blocks VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (block_id) DO UPDATE SET
     generation = excluded.generation, state = excluded.state, kind = excluded.kind, codec = excluded.codec,
     plain_bytes = excluded.plain_bytes, stored_bytes = excluded.stored_bytes,
     segment = excluded.segment, offset = excluded.offset`,
  );
  const setStateStatement = database.prepare('UPDATE blocks SET state = ? WHERE block_id = ?');
  const countStatement = database.prepare(
    `UPDATE segments SET live_records = live_records + ?, live_bytes = live_bytes + ?,
     deleted_records = deleted_records + ? WHERE number = ?`,
  );
  const segmentStatement = database.prepare(
    `INSERT INTO segments (number, segment_uuid, durable_bytes) VALUES (?, ?, ?)
     ON CONFLICT (number) DO UPDATE SET durable_bytes = excluded.durable_bytes, last_verified_at = NULL`,
  );
  const damageStatement = database.prepare('INSERT OR IGNORE INTO damage VALUES (?, ?, ?, ?, ?)');
  const pageStatement = database.prepare(
    'SELECT * FROM blocks WHERE block_id > ? AND state = 0 ORDER BY block_id LIMIT ?',
  );
  const placeStatement = database.prepare(
    `SELECT ${PLACED_COLUMNS} FROM blocks WHERE segment = ? AND offset >= ? ORDER BY offset LIMIT ?`,
  );
  placeStatement.setReturnArrays(true);
  const liveStatement = database.prepare(
    'SELECT total(live_records) AS blocks, total(live_bytes) AS bytes FROM segments',
  );
  // The newest segment is never done with while it is written, so it counts only when it is.
  const oldestStatement = database.prepare(
    `SELECT min(coalesce(last_verified_at, -1)) AS at FROM segments WHERE live_records > 0 AND
     (last_verified_at IS NOT NULL OR number < (SELECT max(number) FROM segments))`,
  );
  const damagedStatement = database.prepare('SELECT count(*) AS records FROM damage');

  let isSound = true;
  function guard<Result>(work: () => Result): Result {
    try {
      return work();
    } catch (error) {
      if (!isDatabaseDamaged(error)) throw error;
      isSound = false;
      throw new CairnError(
        'unavailable',
        'the index of the block store is damaged; restart the server, which then makes it anew from the segments',
        { cause: error },
      );
    }
  }

  function find(blockId: BlockId): IndexedBlock | null {
    return guard(() => {
      const row = findStatement.get(idBytes(blockId)) as Row | undefined;
      return row === undefined ? null : toBlock(row);
    });
  }

  let flushes = true;
  function flushAtCommit(wanted: boolean): void {
    if (wanted === flushes) return;
    database.exec(`PRAGMA synchronous = ${wanted ? 'FULL' : 'NORMAL'}`);
    flushes = wanted;
  }

  /** What the present transaction adds to each segment's counts; written once, at its end. */
  const counted = new Map<number, { records: number; bytes: number; deleted: number }>();
  function count(block: IndexedBlock, sign: 1 | -1): void {
    if (block.state !== 'live' && block.state !== 'deleted') return;
    const sums = counted.get(block.segment) ?? { records: 0, bytes: 0, deleted: 0 };
    if (block.state === 'deleted') sums.deleted += sign;
    else {
      sums.records += sign;
      sums.bytes += sign * recordBytes(block.storedBytes);
    }
    counted.set(block.segment, sums);
  }

  /** Segments whose files are not there or cut short, since the index was opened. */
  const lacking = new Set<number>();

  function write(block: IndexedBlock): void {
    putStatement.run(
      idBytes(block.blockId),
      block.generation,
      STATES.indexOf(block.state),
      kindNumber(block.kind),
      codecNumber(block.codec),
      block.plainBytes,
      block.storedBytes,
      block.segment,
      block.offset,
    );
    count(block, 1);
  }

  return {
    find,

    /** Whether nothing read so far said that the file is damaged. */
    isSound: () => isSound,

    /**
     * Runs `work` as one transaction, or leaves nothing of it. `now` makes it durable, and with it all before; with
     * `later` a loss of power may take it back, in the order of transactions: for what the segments say, too.
     */
    transaction<Result>(work: () => Result, durable: 'now' | 'later' = 'now'): Result {
      flushAtCommit(durable === 'now');
      counted.clear();
      database.exec('BEGIN IMMEDIATE');
      try {
        const result = work();
        for (const [segment, { records, bytes, deleted }] of counted)
          countStatement.run(records, bytes, deleted, segment);
        database.exec('COMMIT');
        return result;
      } catch (error) {
        // A full disk makes SQLite roll back by itself in some cases and not in others.
        if (database.isTransaction) database.exec('ROLLBACK');
        throw error;
      }
    },

    /**
     * Takes in one record of a segment, in any order: the highest generation wins, a tombstone ends its own
     * generation, an intact copy beats a damaged one of the same generation. Call inside a transaction.
     */
    apply(record: IndexedBlock): void {
      const known = find(record.blockId);
      if (known !== null) {
        if (record.generation < known.generation) return;
        if (record.generation === known.generation) {
          const heals = record.state === 'live' && (known.state === 'damaged' || known.state === 'missing');
          const ends = record.state === 'deleted' && known.state !== 'deleted';
          // A tombstone whose file is gone does not count, if there is one like it elsewhere.
          const replaces =
            record.state === 'deleted' && known.state === 'deleted' && lacking.has(known.segment);
          if (!heals && !ends && !replaces) return;
        }
        count(known, -1);
      }
      write(record);
    },

    /**
     * Points the index at a copy of a record that it had at `from`, unless the block has moved on since: a delete or
     * a later put wins. An intact copy also ends the quarantine of the place it was made from. Call inside a
     * transaction.
     */
    relocate(copy: IndexedBlock, from: RecordPlace): void {
      const known = find(copy.blockId);
      if (known === null || known.generation !== copy.generation || !isAt(known, from)) return;
      if ((known.state === 'deleted') !== (copy.state === 'deleted')) return;
      count(known, -1);
      write(copy);
    },

    /** Moves a segment's watermark, creating its row. Call inside a transaction, before its records. */
    setDurable(segment: IndexedSegment): void {
      segmentStatement.run(segment.number, segment.segmentUuid, segment.durableBytes);
    },

    /** Notes that all of a segment was verified, unless it has got records since. Call inside a transaction. */
    setVerified(segment: IndexedSegment, verifiedAt: number): void {
      database
        .prepare('UPDATE segments SET last_verified_at = ? WHERE number = ? AND durable_bytes = ?')
        .run(verifiedAt, segment.number, segment.durableBytes);
    },

    segments(): KnownSegment[] {
      const rows = database.prepare('SELECT * FROM segments ORDER BY number').all() as Row[];
      return rows.map(toSegment);
    },

    /** What the index has in a segment at or beyond an offset, in order: live, deleted, damaged, missing. */
    placedIn(segment: number, fromOffset: number, limit: number): IndexedBlock[] {
      return guard(() =>
        (placeStatement.all(segment, fromOffset, limit) as unknown as PlacedRow[]).map(toPlacedBlock),
      );
    },

    /**
     * Forgets a segment and what was wrong in it. SQLite refuses, and nothing changes, while any block has its record
     * there. Call inside a transaction.
     */
    forgetSegment(segment: number): void {
      database.prepare('DELETE FROM damage WHERE segment = ?').run(segment);
      database.prepare('DELETE FROM segments WHERE number = ?').run(segment);
      lacking.delete(segment);
    },

    damageIn(segment: number): Damage[] {
      const rows = database.prepare('SELECT * FROM damage WHERE segment = ?').all(segment) as Row[];
      return rows.map(toDamage);
    },

    addDamage(damage: Damage): void {
      const id = damage.blockId === null ? null : idBytes(damage.blockId);
      damageStatement.run(damage.segment, damage.offset, damage.lengthBytes, id, damage.reason);
    },

    /** Quarantines the record that the index points at, unless the block has moved on. Call inside a transaction. */
    quarantine(block: IndexedBlock, reason: string): void {
      const known = find(block.blockId);
      if (known?.state !== 'live' || known.generation !== block.generation || !isAt(known, block)) return;
      count(known, -1);
      setStateStatement.run(STATES.indexOf('damaged'), idBytes(block.blockId));
      this.addDamage({
        segment: block.segment,
        offset: block.offset,
        lengthBytes: recordBytes(block.storedBytes),
        blockId: block.blockId,
        reason,
      });
    },

    /** Marks what lies at or beyond `fromBytes` of a segment as missing, or as there again. Returns how many blocks. */
    setMissing(segment: number, fromBytes: number, missing: boolean): number {
      if (missing) lacking.add(segment);
      else lacking.delete(segment);
      database.prepare('UPDATE segments SET has_missing = ? WHERE number = ?').run(missing ? 1 : 0, segment);
      const rows = database
        .prepare(
          'SELECT * FROM blocks WHERE segment = ? AND state = ? AND offset + stored_bytes + ? > ? ORDER BY block_id',
        )
        .all(segment, STATES.indexOf(missing ? 'live' : 'missing'), recordBytes(0), fromBytes) as Row[];
      for (const row of rows) {
        const block = toBlock(row);
        setStateStatement.run(STATES.indexOf(missing ? 'missing' : 'live'), idBytes(block.blockId));
        count({ ...block, state: 'live' }, missing ? -1 : 1);
      }
      return rows.length;
    },

    /** Live blocks with ids above `after`, in order of id. */
    page(after: BlockId | null, limit: number): IndexedBlock[] {
      const from = after === null ? Buffer.alloc(0) : idBytes(after);
      return guard(() => (pageStatement.all(from, limit) as Row[]).map(toBlock));
    },

    totals(): IndexTotals {
      const live = liveStatement.get() as Row;
      const verifiedAt = (oldestStatement.get() as Row)['at'] as number | null;
      const damage = damagedStatement.get() as Row;
      return {
        blocks: live['blocks'] as number,
        liveBytes: live['bytes'] as number,
        quarantinedRecords: damage['records'] as number,
        verifiedAt: verifiedAt === -1 ? null : verifiedAt,
      };
    },

    readMeta(name: string): string | null {
      const row = database.prepare('SELECT value FROM meta WHERE name = ?').get(name) as Row | undefined;
      return row === undefined ? null : (row['value'] as string);
    },

    writeMeta(name: string, value: string): void {
      flushAtCommit(true);
      database
        .prepare('INSERT INTO meta VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value')
        .run(name, value);
    },

    /** Makes all transactions so far durable. */
    flush(): void {
      flushAtCommit(true);
      // A commit that writes nothing flushes nothing.
      database.exec('UPDATE meta SET value = value');
    },

    /** Moves the write-ahead log into the file and frees its space, as far as the disk has room for that. */
    shrinkLog(): void {
      try {
        database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
      } catch (error) {
        if (!isDatabaseFull(error)) throw error;
      }
    },

    /** Throws SQLite's "malformed" when the file's structure is damaged. */
    check(): boolean {
      return (database.prepare('PRAGMA quick_check(1)').get() as Row)['quick_check'] === 'ok';
    },

    close(): void {
      database.close();
    },
  };
}
