import type { BlockId } from '@cairn/model';
import type {
  CollectionReader,
  CollectionTransaction,
  PutResult,
  TombstoneRecord,
} from '../collection-port.ts';
import { InvalidStateError } from '../invalid-state.ts';
import type { BlockRecord } from '../records.ts';
import { IS_UNUSED, listGenerations } from './collection-reader.ts';
import { bytesToId, idToBytes } from './content-codec.ts';
import type { Session } from './session.ts';

/** What deletes may hit although it was put: see `MetadataTransaction.insertBlocks`. */
export async function listLateBlocks(
  { all }: Session,
  reader: CollectionReader,
  blocks: readonly BlockRecord[],
  put: PutResult,
): Promise<Map<BlockId, number>> {
  const written = blocks.map(({ blockId }) => ({ blockId, generation: put.generations.get(blockId) ?? 0 }));
  // A tombstone that would have told is perhaps gone, so all is put once more.
  const isForgotten = (await reader.countPrunings()) !== put.prunings;
  const late = new Map<BlockId, number>(isForgotten ? written.map(({ blockId }) => [blockId, 0]) : []);
  const rows = all(
    `SELECT wanted.key AS place, tombstone.generation FROM json_each(?) AS wanted
     CROSS JOIN block_tombstones AS tombstone ON tombstone.block_id = unhex(wanted.value ->> 0)
     WHERE tombstone.generation >= wanted.value ->> 1`,
    listGenerations(written),
  );
  for (const row of rows) {
    const { blockId } = written[row['place'] as number] as (typeof written)[number];
    late.set(blockId, row['generation'] as number);
  }
  return late;
}

/** Whoever has put something and not written its rows puts it again. */
export function countPruning({ run }: Pick<Session, 'run'>): void {
  run(
    `INSERT INTO server_values VALUES ('tombstone-prunings', '1')
     ON CONFLICT (name) DO UPDATE SET value = CAST(value AS INTEGER) + 1`,
  );
}

type Writes = Omit<CollectionTransaction, keyof CollectionReader>;

/** The writing methods of garbage collection. */
export function createCollectionWrites({ one, all, run }: Session): Writes {
  function insertTombstones(tombstones: readonly TombstoneRecord[]): void {
    for (const { blockId, generation, storedBytes, deletedAt } of tombstones) {
      run(
        `INSERT INTO block_tombstones (block_id, generation, stored_bytes, deleted_at) VALUES (?, ?, ?, ?)
         ON CONFLICT (block_id) DO UPDATE SET generation = max(generation, excluded.generation),
           stored_bytes = excluded.stored_bytes, deleted_at = excluded.deleted_at, reclaimed_at = NULL`,
        idToBytes(blockId),
        generation,
        storedBytes,
        deletedAt,
      );
    }
  }

  return {
    async releaseReferences(spaceId, blockIds, now) {
      const counts = new Map<BlockId, number>();
      for (const blockId of blockIds) counts.set(blockId, (counts.get(blockId) ?? 0) + 1);
      const wanted = [...counts];
      const rows = all(
        `SELECT wanted.key AS place, held.block_number, held.count FROM json_each(?2) AS wanted
         CROSS JOIN blocks ON blocks.block_id = unhex(wanted.value ->> 0)
         CROSS JOIN block_references AS held ON held.space_id = ?1 AND held.block_number = blocks.number`,
        spaceId,
        JSON.stringify(wanted),
      );
      if (rows.length < wanted.length) throw new InvalidStateError(['block_reference_exists']);
      const gone: BlockId[] = [];
      for (const row of rows) {
        const [blockId, taken] = wanted[row['place'] as number] as (typeof wanted)[number];
        const number = row['block_number'] as number;
        const left = (row['count'] as number) - taken;
        if (left < 0) throw new InvalidStateError(['block_reference_exists']);
        if (left > 0) {
          run(
            'UPDATE block_references SET count = ? WHERE space_id = ? AND block_number = ?',
            left,
            spaceId,
            number,
          );
          continue;
        }
        run('DELETE FROM block_references WHERE space_id = ? AND block_number = ?', spaceId, number);
        run(
          `INSERT INTO block_releases (block_number, released_at) VALUES (?1, ?2)
           ON CONFLICT (block_number) DO UPDATE SET released_at = max(released_at, ?2)`,
          number,
          now,
        );
        gone.push(blockId);
      }
      return gone;
    },
    async condemnBlocks(blocks, since) {
      const wanted = listGenerations(blocks);
      run(
        `DELETE FROM block_leases WHERE block_number IN (
           SELECT blocks.number FROM json_each(?1) AS wanted
           CROSS JOIN blocks ON blocks.block_id = unhex(wanted.value ->> 0)) AND expires_at <= ?2`,
        wanted,
        since.now,
      );
      const rows = all(
        `INSERT INTO condemned_blocks (block_number, generation, condemned_at)
         SELECT blocks.number, wanted.value ->> 1, ?1 FROM json_each(?3) AS wanted
         CROSS JOIN blocks ON blocks.block_id = unhex(wanted.value ->> 0) WHERE ${IS_UNUSED}
         RETURNING (SELECT block_id FROM blocks WHERE number = block_number) AS block_id`,
        since.now,
        since.touchedBefore,
        wanted,
      );
      return rows.map((row) => bytesToId(row['block_id'] as Uint8Array));
    },
    async sweepCondemned({ now, condemnedBefore, limit }) {
      const rows = all(
        `SELECT blocks.number, blocks.block_id, blocks.stored_bytes, condemned.generation
         FROM condemned_blocks AS condemned INDEXED BY condemned_blocks_by_time
         CROSS JOIN blocks ON blocks.number = condemned.block_number
         WHERE condemned.condemned_at <= ? ORDER BY condemned.condemned_at LIMIT ?`,
        condemnedBefore,
        limit,
      );
      const swept = rows.map(
        (row): TombstoneRecord => ({
          blockId: bytesToId(row['block_id'] as Uint8Array),
          generation: row['generation'] as number,
          storedBytes: row['stored_bytes'] as number,
          deletedAt: now,
          reclaimedAt: null,
        }),
      );
      insertTombstones(swept);
      const numbers = JSON.stringify(rows.map((row) => row['number']));
      run('DELETE FROM condemned_blocks WHERE block_number IN (SELECT value FROM json_each(?))', numbers);
      run('DELETE FROM block_releases WHERE block_number IN (SELECT value FROM json_each(?))', numbers);
      // Whatever still uses one of them makes its foreign key refuse all of this.
      run('DELETE FROM blocks WHERE number IN (SELECT value FROM json_each(?))', numbers);
      return swept;
    },
    async noteOrphans(blocks, now) {
      const noted: BlockId[] = [];
      for (const { blockId, generation, storedBytes } of blocks) {
        const changed = run(
          `INSERT INTO orphan_blocks (block_id, generation, stored_bytes, seen_at) VALUES (?, ?, ?, ?)
           ON CONFLICT (block_id) DO UPDATE SET generation = excluded.generation,
             stored_bytes = excluded.stored_bytes, seen_at = excluded.seen_at
           WHERE generation <> excluded.generation`,
          idToBytes(blockId),
          generation,
          storedBytes,
          now,
        );
        if (changed > 0) noted.push(blockId);
      }
      return noted;
    },
    async sweepOrphans({ now, seenBefore, limit }) {
      const rows = all(
        `SELECT orphan.*, EXISTS (SELECT 1 FROM blocks WHERE blocks.block_id = orphan.block_id) AS known
         FROM orphan_blocks AS orphan INDEXED BY orphan_blocks_by_time
         WHERE orphan.seen_at <= ? ORDER BY orphan.seen_at LIMIT ?`,
        seenBefore,
        limit,
      );
      const swept: TombstoneRecord[] = [];
      for (const row of rows) {
        run('DELETE FROM orphan_blocks WHERE block_id = ?', row['block_id'] as Uint8Array);
        if (row['known'] === 1) continue;
        swept.push({
          blockId: bytesToId(row['block_id'] as Uint8Array),
          generation: row['generation'] as number,
          storedBytes: row['stored_bytes'] as number,
          deletedAt: now,
          reclaimedAt: null,
        });
      }
      insertTombstones(swept);
      return { swept, looked: rows.length };
    },
    async markReclaimed(blocks, now) {
      run(
        `UPDATE block_tombstones SET reclaimed_at = ?2 WHERE block_id IN (
           SELECT tombstone.block_id FROM json_each(?1) AS wanted
           CROSS JOIN block_tombstones AS tombstone ON tombstone.block_id = unhex(wanted.value ->> 0)
           WHERE tombstone.generation = wanted.value ->> 1)`,
        listGenerations(blocks),
        now,
      );
    },
    async pruneTombstones(reclaimedBefore, limit) {
      const pruned = all(
        `DELETE FROM block_tombstones WHERE block_id IN (
           SELECT block_id FROM block_tombstones INDEXED BY block_tombstones_reclaimed
           WHERE reclaimed_at <= ? AND reclaimed_at IS NOT NULL ORDER BY reclaimed_at LIMIT ?)
         RETURNING generation`,
        reclaimedBefore,
        limit,
      );
      if (pruned.length > 0) {
        countPruning({ run });
        run(
          `INSERT INTO server_values VALUES ('generation-floor', ?)
           ON CONFLICT (name) DO UPDATE SET value = max(CAST(value AS INTEGER), CAST(excluded.value AS INTEGER))`,
          String(Math.max(...pruned.map((row) => row['generation'] as number))),
        );
      }
      return pruned.length;
    },

    async takeJobLease(name, holder, now, expiresAt) {
      const row = one(
        `INSERT INTO job_leases (name, holder, token, expires_at) VALUES (?1, ?2, 1, ?4)
         ON CONFLICT (name) DO UPDATE SET
           token = iif(holder = ?2 AND expires_at > ?3, token, token + 1), holder = ?2, expires_at = ?4
           WHERE holder = ?2 OR expires_at <= ?3
         RETURNING token`,
        name,
        holder,
        now,
        expiresAt,
      );
      return (row?.['token'] as number | undefined) ?? null;
    },
    async releaseJobLease(name, holder, token) {
      run(
        'UPDATE job_leases SET expires_at = 0 WHERE name = ? AND holder = ? AND token = ?',
        name,
        holder,
        token,
      );
    },
  };
}
