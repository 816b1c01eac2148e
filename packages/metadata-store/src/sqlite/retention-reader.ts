import type { EntryId, SpaceId } from '@cairn/model';
import type { RetentionRecord } from '../records.ts';
import type { RetentionReader } from '../retention-port.ts';
import { decodeContent } from './content-codec.ts';
import { toSpace, toTrash } from './rows.ts';
import type { Session } from './session.ts';
import type { Row } from './sqlite.ts';

/** The reading methods of retention and accounting. */
export function createRetentionReader({ one, all }: Session): RetentionReader {
  return {
    async pageSpaces(after, limit) {
      return all('SELECT * FROM spaces WHERE space_id > ? ORDER BY space_id LIMIT ?', after ?? '', limit).map(
        toSpace,
      );
    },
    async getRetention(spaceId) {
      const row = one('SELECT settings FROM space_retention WHERE space_id = ?', spaceId);
      return row === undefined ? undefined : (JSON.parse(row['settings'] as string) as RetentionRecord);
    },
    async pageVersionedEntries(after, limit) {
      return all(
        `SELECT space_id, entry_id, count(*) AS versions FROM versions INDEXED BY versions_by_entry
         WHERE (space_id, entry_id) > (?, ?) GROUP BY space_id, entry_id ORDER BY space_id, entry_id LIMIT ?`,
        after?.spaceId ?? '',
        after?.entryId ?? '',
        limit,
      ).map((row) => ({
        spaceId: row['space_id'] as SpaceId,
        entryId: row['entry_id'] as EntryId,
        versions: row['versions'] as number,
      }));
    },
    async pageTrash(spaceId, afterSequence, limit) {
      return all(
        'SELECT * FROM trash WHERE space_id = ? AND sequence > ? ORDER BY sequence LIMIT ?',
        spaceId,
        afterSequence,
        limit,
      ).map(toTrash);
    },
    async countReferences(spaceId, blockIds) {
      const rows = all(
        `SELECT wanted.key AS place, held.count, blocks.stored_bytes, EXISTS (
           SELECT 1 FROM block_references AS other
           WHERE other.block_number = blocks.number AND other.space_id <> ?1) AS elsewhere
         FROM json_each(?2) AS wanted
         CROSS JOIN blocks ON blocks.block_id = unhex(wanted.value)
         CROSS JOIN block_references AS held ON held.space_id = ?1 AND held.block_number = blocks.number`,
        spaceId,
        JSON.stringify(blockIds),
      );
      const found = new Map(rows.map((row) => [row['place'] as number, row]));
      return blockIds.map((_, place) => {
        const row = found.get(place);
        return {
          count: (row?.['count'] ?? 0) as number,
          elsewhere: row?.['elsewhere'] === 1,
          storedBytes: (row?.['stored_bytes'] ?? 0) as number,
        };
      });
    },
    async listContents(spaceId, entryIds) {
      return all(
        `SELECT versions.content FROM json_each(?2) AS wanted
         CROSS JOIN versions ON versions.space_id = ?1 AND versions.entry_id = wanted.value
         WHERE versions.content IS NOT NULL`,
        spaceId,
        JSON.stringify(entryIds),
      ).map((row) => decodeContent(row['content'] as Uint8Array));
    },
    async measure(spaceId) {
      const row = one(
        `SELECT total(live) AS live_files, total(live * size_bytes) AS live_bytes,
           total(old) AS old_versions, total(old * size_bytes) AS old_bytes,
           total(trashed AND current) AS trash_files, total(trashed * size_bytes) AS trash_bytes
         FROM (
           SELECT versions.size_bytes, entries.trash_id <> '' AS trashed,
             entries.version_id = versions.version_id AS current,
             entries.trash_id = '' AND entries.version_id = versions.version_id AS live,
             entries.trash_id = '' AND entries.version_id <> versions.version_id AS old
           FROM versions
           CROSS JOIN entries ON entries.space_id = versions.space_id AND entries.entry_id = versions.entry_id
           WHERE versions.kind = 'file' AND (?1 IS NULL OR versions.space_id = ?1))`,
        spaceId,
      ) as Row;
      const stored = one(
        `SELECT count(*) AS blocks, total(stored_bytes) AS bytes FROM blocks
         WHERE EXISTS (
           SELECT 1 FROM block_references AS held
           WHERE held.block_number = blocks.number AND (?1 IS NULL OR held.space_id = ?1))`,
        spaceId,
      ) as Row;
      return {
        live: { files: row['live_files'] as number, bytes: row['live_bytes'] as number },
        versions: { versions: row['old_versions'] as number, bytes: row['old_bytes'] as number },
        trash: { files: row['trash_files'] as number, bytes: row['trash_bytes'] as number },
        stored: { blocks: stored['blocks'] as number, bytes: stored['bytes'] as number },
      };
    },
  };
}
