import { InvalidStateError } from '../invalid-state.ts';
import type { RetentionReader, RetentionTransaction } from '../retention-port.ts';
import type { Session } from './session.ts';

/** The writing methods of retention. */
export function createRetentionWrites({ run }: Session): Omit<RetentionTransaction, keyof RetentionReader> {
  return {
    async setRetention(spaceId, retention) {
      if (retention === null) {
        run('DELETE FROM space_retention WHERE space_id = ?', spaceId);
        return;
      }
      run(
        `INSERT INTO space_retention VALUES (?1, ?2) ON CONFLICT (space_id) DO UPDATE SET settings = ?2`,
        spaceId,
        JSON.stringify(retention),
      );
    },
    async deleteVersions(spaceId, versionIds) {
      run(
        `DELETE FROM versions WHERE space_id = ?1 AND version_id IN (SELECT value FROM json_each(?2))`,
        spaceId,
        JSON.stringify(versionIds),
      );
    },
    async deleteTrashed(spaceId, trashId, entryIds) {
      const wanted = JSON.stringify(entryIds);
      run(
        `DELETE FROM versions WHERE space_id = ?1 AND entry_id IN (SELECT value FROM json_each(?2))`,
        spaceId,
        wanted,
      );
      if (entryIds.includes(trashId)) {
        run('DELETE FROM trash WHERE space_id = ? AND entry_id = ?', spaceId, trashId);
      }
      const deleted = run(
        `DELETE FROM entries WHERE space_id = ?1 AND entry_id IN (SELECT value FROM json_each(?2))
           AND trash_item = ?3`,
        spaceId,
        wanted,
        trashId,
      );
      if (deleted < new Set(entryIds).size) throw new InvalidStateError(['trashed_entry_exists']);
    },
  };
}
