import type { SpaceId } from '@cairn/model';
import type { BlockAmount, CollectionReader } from '../collection-port.ts';
import { bytesToId } from './content-codec.ts';
import { toTombstone } from './rows.ts';
import type { Session } from './session.ts';
import type { Row } from './sqlite.ts';

/**
 * Whether the block of the outer query is unused: parameters ?1 now, ?2 touched before. CASE, since it stops at the first
 * answer: most blocks are referenced, and `created_at` lies behind a list of parts that may be long.
 */
export const IS_UNUSED = `CASE
  WHEN EXISTS (SELECT 1 FROM block_references WHERE block_references.block_number = blocks.number) THEN 0
  WHEN EXISTS (SELECT 1 FROM block_leases AS lease
               WHERE lease.block_number = blocks.number AND lease.expires_at > ?1) THEN 0
  WHEN EXISTS (SELECT 1 FROM condemned_blocks WHERE condemned_blocks.block_number = blocks.number) THEN 0
  WHEN EXISTS (SELECT 1 FROM block_releases AS release
               WHERE release.block_number = blocks.number AND release.released_at > ?2) THEN 0
  ELSE blocks.created_at <= ?2 END`;

/** Parameter of writings for `json_each`: `[id, generation]` each. */
export function listGenerations(
  blocks: readonly { readonly blockId: string; readonly generation: number }[],
): string {
  return JSON.stringify(blocks.map(({ blockId, generation }) => [blockId, generation]));
}

/** The reading methods of garbage collection. */
export function createCollectionReader({ one, all }: Session): CollectionReader {
  function amount(sql: string, ...parameters: number[]): BlockAmount {
    const row = one(sql, ...parameters) as Row;
    return { blocks: row['blocks'] as number, storedBytes: row['stored_bytes'] as number };
  }

  return {
    async countPrunings() {
      const row = one(`SELECT value FROM server_values WHERE name = 'tombstone-prunings'`);
      return Number(row?.['value'] ?? 0);
    },
    async readGenerationFloor() {
      const row = one(`SELECT value FROM server_values WHERE name = 'generation-floor'`);
      return Number(row?.['value'] ?? 0);
    },
    async getTombstones(blockIds) {
      const rows = all(
        `SELECT wanted.key AS place, block_tombstones.* FROM json_each(?) AS wanted
         CROSS JOIN block_tombstones ON block_tombstones.block_id = unhex(wanted.value)`,
        JSON.stringify(blockIds),
      );
      const found = new Map(rows.map((row) => [row['place'] as number, toTombstone(row)]));
      return blockIds.map((_, place) => found.get(place));
    },
    async pageUnused(since, after, limit) {
      const rows = all(
        `SELECT blocks.number, blocks.block_id, blocks.stored_bytes, ${IS_UNUSED} AS unused FROM blocks
         WHERE blocks.number > ?3 ORDER BY blocks.number LIMIT ?4`,
        since.now,
        since.touchedBefore,
        after,
        limit,
      );
      return {
        blocks: rows
          .filter((row) => row['unused'] === 1)
          .map((row) => ({
            blockId: bytesToId(row['block_id'] as Uint8Array),
            storedBytes: row['stored_bytes'] as number,
          })),
        next: rows.length < limit ? null : (rows.at(-1)?.['number'] as number),
      };
    },
    async pageReferences(after, limit) {
      const rows = all(
        `SELECT held.space_id, held.block_number, blocks.block_id, blocks.kind,
           EXISTS (SELECT 1 FROM condemned_blocks AS condemned
                   WHERE condemned.block_number = held.block_number) AS condemned
         FROM block_references AS held INDEXED BY block_references_by_block
         CROSS JOIN blocks ON blocks.number = held.block_number
         WHERE (held.block_number, held.space_id) > (?, ?)
         ORDER BY held.block_number, held.space_id LIMIT ?`,
        after?.blockNumber ?? 0,
        after?.spaceId ?? '',
        limit,
      );
      const last = rows.at(-1);
      return {
        references: rows.map((row) => ({
          spaceId: row['space_id'] as SpaceId,
          blockId: bytesToId(row['block_id'] as Uint8Array),
          kind: row['kind'] as 'chunk' | 'manifest',
          condemned: row['condemned'] === 1,
        })),
        next:
          last === undefined || rows.length < limit
            ? null
            : { blockNumber: last['block_number'] as number, spaceId: last['space_id'] as SpaceId },
      };
    },
    async areOrphans(blocks) {
      const rows = all(
        `SELECT wanted.key AS place FROM json_each(?) AS wanted
         WHERE NOT EXISTS (SELECT 1 FROM blocks WHERE blocks.block_id = unhex(wanted.value ->> 0))
           AND NOT EXISTS (
             SELECT 1 FROM block_tombstones AS tombstone
             WHERE tombstone.block_id = unhex(wanted.value ->> 0) AND tombstone.reclaimed_at IS NULL
               AND tombstone.generation >= wanted.value ->> 1)`,
        listGenerations(blocks),
      );
      const places = new Set(rows.map((row) => row['place'] as number));
      return blocks.map((_, place) => places.has(place));
    },
    async listUnreclaimed(limit) {
      return all(
        `SELECT * FROM block_tombstones INDEXED BY block_tombstones_to_reclaim
         WHERE reclaimed_at IS NULL ORDER BY deleted_at LIMIT ?`,
        limit,
      ).map(toTombstone);
    },
    async countGarbage({ condemnedBefore, seenBefore }) {
      const condemned = `SELECT count(*) AS blocks, coalesce(sum(stored_bytes), 0) AS stored_bytes
        FROM condemned_blocks CROSS JOIN blocks ON blocks.number = condemned_blocks.block_number`;
      const orphans = `SELECT count(*) AS blocks, coalesce(sum(stored_bytes), 0) AS stored_bytes FROM orphan_blocks`;
      return {
        condemned: amount(condemned),
        sweepable: amount(`${condemned} WHERE condemned_at <= ?`, condemnedBefore),
        unreclaimed: amount(
          `SELECT count(*) AS blocks, coalesce(sum(stored_bytes), 0) AS stored_bytes FROM block_tombstones
           WHERE reclaimed_at IS NULL`,
        ),
        orphans: amount(orphans),
        sweepableOrphans: amount(`${orphans} WHERE seen_at <= ?`, seenBefore),
      };
    },
  };
}
