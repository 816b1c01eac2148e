import type { BlockCodec } from '@cairn/content';
import { type BlockId, CairnError } from '@cairn/model';
import { codecNumber, codecOf, kindNumber, kindOf, type RecordKind, recordBytes } from './record-format.ts';
import { Database, isDatabaseDamaged, isDatabaseFull } from './sqlite.ts';

/** live: readable. deleted: its generation is remembered. damaged: quarantined. missing: its segment is not there. */
export type BlockState = 'live' | 'deleted' | 'damaged' | 'missing';
const STATES: readonly BlockState[] = ['live', 'deleted', 'damaged', 'missing'];

/** What the index says about a block, and where its newest record is. */
export interface IndexedBlock {
  readonly blockId: BlockId;
  readonly generation: number;
  readonly state: BlockState;
  readonly kind: RecordKind;
  readonly codec: BlockCodec;
  readonly plainBytes: number;
  readonly storedBytes: number;
  readonly segment: number;
  readonly offset: number;
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
}

const SCHEMA_VERSION = 1;
const SCHEMA = `
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE segments (
  number INTEGER PRIMARY KEY,
  segment_uuid TEXT NOT NULL UNIQUE,
  durable_bytes INTEGER NOT NULL,
  has_missing INTEGER NOT NULL DEFAULT 0,
  live_records INTEGER NOT NULL DEFAULT 0 CHECK (live_records >= 0),
  live_bytes INTEGER NOT NULL DEFAULT 0 CHECK (live_bytes >= 0)
) STRICT;
CREATE TABLE blocks (
  block_id BLOB PRIMARY KEY CHECK (length(block_id) = 33),
  generation INTEGER NOT NULL,
  state INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  codec INTEGER NOT NULL,
  plain_bytes INTEGER NOT NULL,
  stored_bytes INTEGER NOT NULL,
  segment INTEGER NOT NULL REFERENCES segments (number),
  offset INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE damage (
  segment INTEGER NOT NULL,
  offset INTEGER NOT NULL,
  length_bytes INTEGER NOT NULL,
  block_id BLOB,
  reason TEXT NOT NULL,
  PRIMARY KEY (segment, offset)
) STRICT, WITHOUT ROWID;
PRAGMA user_version = ${SCHEMA_VERSION};
`;

type Row = Record<string, unknown>;

function idBytes(blockId: BlockId): Buffer {
  return Buffer.from(blockId, 'hex');
}

function idText(bytes: unknown): BlockId {
  const { buffer, byteOffset, length } = bytes as Uint8Array;
  return Buffer.from(buffer, byteOffset, length).toString('hex') as BlockId;
}

function toBlock(row: Row): IndexedBlock {
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

export type BlockIndex = ReturnType<typeof openBlockIndex>;

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
    const version = (database.prepare('PRAGMA user_version').get() as Row)['user_version'];
    if (version === 0) database.exec(`BEGIN; ${SCHEMA} COMMIT`);
    else if (version !== SCHEMA_VERSION) {
      throw new Error(
        `the block index ${path} has schema version ${String(version)}; this program knows ${SCHEMA_VERSION}`,
      );
    }
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
    'UPDATE segments SET live_records = live_records + ?, live_bytes = live_bytes + ? WHERE number = ?',
  );
  const segmentStatement = database.prepare(
    `INSERT INTO segments (number, segment_uuid, durable_bytes) VALUES (?, ?, ?)
     ON CONFLICT (number) DO UPDATE SET durable_bytes = excluded.durable_bytes`,
  );
  const damageStatement = database.prepare('INSERT OR IGNORE INTO damage VALUES (?, ?, ?, ?, ?)');
  const pageStatement = database.prepare(
    'SELECT * FROM blocks WHERE block_id > ? AND state = 0 ORDER BY block_id LIMIT ?',
  );

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

  /** What the present transaction adds to each segment's counts; written once, at its end. */
  const counted = new Map<number, { records: number; bytes: number }>();
  function count(block: IndexedBlock, sign: 1 | -1): void {
    const sums = counted.get(block.segment) ?? { records: 0, bytes: 0 };
    sums.records += sign;
    sums.bytes += sign * recordBytes(block.storedBytes);
    counted.set(block.segment, sums);
  }

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
    if (block.state === 'live') count(block, 1);
  }

  return {
    find,

    /** Whether nothing read so far said that the file is damaged. */
    isSound: () => isSound,

    /** Runs `work` as one durable transaction, or leaves nothing of it. */
    transaction<Result>(work: () => Result): Result {
      counted.clear();
      database.exec('BEGIN IMMEDIATE');
      try {
        const result = work();
        for (const [segment, { records, bytes }] of counted) countStatement.run(records, bytes, segment);
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
          if (!heals && !ends) return;
        }
        if (known.state === 'live') count(known, -1);
      }
      write(record);
    },

    /** Moves a segment's watermark, creating its row. Call inside a transaction, before its records. */
    setDurable(segment: IndexedSegment): void {
      segmentStatement.run(segment.number, segment.segmentUuid, segment.durableBytes);
    },

    segments(): KnownSegment[] {
      const rows = database.prepare('SELECT * FROM segments ORDER BY number').all() as Row[];
      return rows.map((row) => ({
        number: row['number'] as number,
        segmentUuid: row['segment_uuid'] as string,
        durableBytes: row['durable_bytes'] as number,
        hasMissing: row['has_missing'] === 1,
      }));
    },

    addDamage(damage: Damage): void {
      const id = damage.blockId === null ? null : idBytes(damage.blockId);
      damageStatement.run(damage.segment, damage.offset, damage.lengthBytes, id, damage.reason);
    },

    /** Quarantines the record that the index points at, unless the block has moved on. Call inside a transaction. */
    quarantine(block: IndexedBlock, reason: string): void {
      const known = find(block.blockId);
      if (known?.state !== 'live' || known.generation !== block.generation) return;
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
      database.prepare('UPDATE segments SET has_missing = ? WHERE number = ?').run(missing ? 1 : 0, segment);
      const rows = database
        .prepare(
          'SELECT * FROM blocks WHERE segment = ? AND state = ? AND offset + stored_bytes + ? > ? ORDER BY block_id',
        )
        .all(segment, STATES.indexOf(missing ? 'live' : 'missing'), recordBytes(0), fromBytes) as Row[];
      for (const row of rows) {
        const block = toBlock(row);
        setStateStatement.run(STATES.indexOf(missing ? 'missing' : 'live'), idBytes(block.blockId));
        count(block, missing ? -1 : 1);
      }
      return rows.length;
    },

    /** Live blocks with ids above `after`, in order of id. */
    page(after: BlockId | null, limit: number): IndexedBlock[] {
      const from = after === null ? Buffer.alloc(0) : idBytes(after);
      return guard(() => (pageStatement.all(from, limit) as Row[]).map(toBlock));
    },

    totals(): IndexTotals {
      const live = database
        .prepare('SELECT total(live_records) AS blocks, total(live_bytes) AS bytes FROM segments')
        .get() as Row;
      const damage = database.prepare('SELECT count(*) AS records FROM damage').get() as Row;
      return {
        blocks: live['blocks'] as number,
        liveBytes: live['bytes'] as number,
        quarantinedRecords: damage['records'] as number,
      };
    },

    readMeta(name: string): string | null {
      const row = database.prepare('SELECT value FROM meta WHERE name = ?').get(name) as Row | undefined;
      return row === undefined ? null : (row['value'] as string);
    },

    writeMeta(name: string, value: string): void {
      database
        .prepare('INSERT INTO meta VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value')
        .run(name, value);
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
