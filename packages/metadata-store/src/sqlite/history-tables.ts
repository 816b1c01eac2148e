import type { CapacityRecord, HistoryReader, HistoryTransaction } from '../history-port.ts';
import { toEntry, toJournal } from './rows.ts';
import type { Session } from './session.ts';
import type { Row } from './sqlite.ts';

/** Above every text that begins with what it is appended to. */
const LAST_CHARACTER = '\u{10ffff}';

/** The newest row of entry `?` up to a sequence. Both are expressions. */
function newestRow(entryId: string, sequence: string): string {
  return `(SELECT max(newest.sequence) FROM journal AS newest INDEXED BY journal_by_entry
    WHERE newest.space_id = ?1 AND newest.change ->> '$.entryId' = ${entryId} AND newest.sequence <= ${sequence})`;
}

function newestRemoval(entryId: string, sequence: string): string {
  return `(SELECT max(gone.sequence) FROM journal AS gone INDEXED BY journal_by_entry
    WHERE gone.space_id = ?1 AND gone.change ->> '$.entryId' = ${entryId} AND gone.sequence <= ${sequence}
      AND gone.change ->> '$.kind' = 'remove')`;
}

/** The reading methods of names, the past and figures over time. */
export function createHistoryReader({ one, all }: Session): HistoryReader {
  return {
    async findNames(spaceId, text, where, after, limit) {
      // The index alone decides, and only what was found is read from the table.
      const found = `SELECT entry_id, search_name FROM entries INDEXED BY entries_by_search_name
        WHERE space_id = ?1 AND trash_id = '' AND (search_name, entry_id) > (?2, ?3)`;
      const rows =
        where === 'beginning'
          ? all(
              `SELECT entries.* FROM (${found} AND search_name < ?4 ORDER BY search_name, entry_id LIMIT ?5) AS found
               CROSS JOIN entries ON entries.space_id = ?1 AND entries.entry_id = found.entry_id`,
              spaceId,
              after?.searchName ?? text,
              after?.entryId ?? '',
              text + LAST_CHARACTER,
              limit,
            )
          : all(
              `SELECT entries.* FROM (${found} AND instr(search_name, ?4) > 1 ORDER BY search_name, entry_id LIMIT ?5) AS found
               CROSS JOIN entries ON entries.space_id = ?1 AND entries.entry_id = found.entry_id`,
              spaceId,
              after?.searchName ?? '',
              after?.entryId ?? '',
              text,
              limit,
            );
      return rows.map(toEntry);
    },

    async readJournalBack(spaceId, before, limit) {
      return all(
        'SELECT * FROM journal WHERE space_id = ? AND sequence < ? ORDER BY sequence DESC LIMIT ?',
        spaceId,
        before,
        limit,
      ).map(toJournal);
    },
    async findJournalAt(spaceId, at) {
      const row = one(
        `SELECT * FROM journal INDEXED BY journal_by_instant
         WHERE space_id = ? AND change ->> '$.committedAt' <= ?
         ORDER BY change ->> '$.committedAt' DESC, sequence DESC LIMIT 1`,
        spaceId,
        at,
      );
      return row === undefined ? undefined : toJournal(row);
    },
    async listStates(spaceId, wanted) {
      const rows = all(
        `SELECT wanted.key AS place, journal.* FROM json_each(?2) AS wanted
         CROSS JOIN journal ON journal.space_id = ?1
           AND journal.sequence = ${newestRow(`wanted.value ->> 'entryId'`, `wanted.value ->> 'sequence'`)}`,
        spaceId,
        JSON.stringify(wanted.map(({ entryId, sequence }) => ({ entryId, sequence }))),
      );
      const found = new Map(rows.map((row) => [row['place'] as number, toJournal(row)]));
      return wanted.map((_, place) => found.get(place));
    },
    async listChildrenAt(spaceId, parentIds, sequence, limit) {
      return all(
        `SELECT candidate.* FROM json_each(?2) AS wanted
         CROSS JOIN journal AS candidate INDEXED BY journal_by_parent ON candidate.space_id = ?1
           AND candidate.change ->> '$.entry.parentId' = wanted.value AND candidate.sequence <= ?3
         WHERE candidate.sequence = ${newestRow(`candidate.change ->> '$.entryId'`, '?3')}
           AND candidate.sequence > coalesce(${newestRemoval('wanted.value', '?3')}, 0)
         LIMIT ?4`,
        spaceId,
        JSON.stringify(parentIds),
        sequence,
        limit,
      ).map(toJournal);
    },
    async findRemoval(spaceId, entryId, sequence) {
      const row = one(`SELECT ${newestRemoval('?2', '?3')} AS sequence`, spaceId, entryId, sequence);
      return (row?.['sequence'] ?? 0) as number;
    },

    async measureContents(spaceId) {
      const kinds = all(
        `SELECT kind, count(*) AS count FROM entries
         WHERE space_id = ? AND trash_id = '' AND parent_id IS NOT NULL GROUP BY kind`,
        spaceId,
      );
      const count = (kind: string) => (kinds.find((row) => row['kind'] === kind)?.['count'] ?? 0) as number;
      const chunks = one(
        `SELECT total(plain_bytes) AS plain_bytes, total(stored_bytes) AS stored_bytes
         FROM block_references AS held
         CROSS JOIN blocks ON blocks.number = held.block_number
         WHERE held.space_id = ? AND blocks.kind = 'chunk'`,
        spaceId,
      ) as Row;
      return {
        files: count('file'),
        folders: count('folder'),
        chunks: {
          plainBytes: chunks['plain_bytes'] as number,
          storedBytes: chunks['stored_bytes'] as number,
        },
      };
    },
    async listCapacity(since, limit) {
      return all(
        'SELECT * FROM capacity_samples WHERE sampled_at >= ? ORDER BY sampled_at LIMIT ?',
        since,
        limit,
      ).map(
        (row): CapacityRecord => ({
          sampledAt: row['sampled_at'] as number,
          usedBytes: row['used_bytes'] as number,
          capacityBytes: row['capacity_bytes'] as number | null,
          liveBytes: row['live_bytes'] as number,
        }),
      );
    },
  };
}

/** The writing ones. */
export function createHistoryWrites({ run }: Session): Omit<HistoryTransaction, keyof HistoryReader> {
  return {
    async putCapacity({ sampledAt, usedBytes, capacityBytes, liveBytes }, keptSince) {
      run(
        'INSERT OR REPLACE INTO capacity_samples VALUES (?, ?, ?, ?)',
        sampledAt,
        usedBytes,
        capacityBytes,
        liveBytes,
      );
      run('DELETE FROM capacity_samples WHERE sampled_at < ?', keptSince);
    },
  };
}
