import type { MetadataReader } from '../metadata-store.ts';
import type { ChangesetRecord, MemberRole } from '../records.ts';
import { createClusterReader } from './cluster-tables.ts';
import { createCollectionReader } from './collection-reader.ts';
import { createHistoryReader } from './history-tables.ts';
import { createLocationReader } from './location-tables.ts';
import { createRetentionReader } from './retention-reader.ts';
import {
  toBlock,
  toDevice,
  toEntry,
  toJournal,
  toRefreshToken,
  toSpace,
  toTrash,
  toUpload,
  toUploadPart,
  toUser,
  toVersion,
} from './rows.ts';
import type { Session } from './session.ts';
import type { Row } from './sqlite.ts';

/**
 * CROSS JOIN fixes the order in all queries here: the ids asked for or found lead, whatever the planner believes
 * about the tables. A plain join walked the whole space for the ancestors of one entry.
 */

/** The live folder or trash item below (and with) one entry: parameters space, entry. `depth` is 0 at the entry. */
export const SUBTREE = `
  WITH RECURSIVE subtree (entry_id, trash_id, depth) AS (
    SELECT entry_id, trash_id, 0 FROM entries WHERE space_id = ?1 AND entry_id = ?2
    UNION ALL
    SELECT child.entry_id, child.trash_id, depth + 1
    FROM subtree CROSS JOIN entries AS child
      ON child.space_id = ?1 AND child.parent_id = subtree.entry_id AND child.trash_id = subtree.trash_id
  )`;

/** Puts rows that a query found by their place in the list that was asked for (column `place`) into that order. */
function inOrder<Item>(
  rows: readonly Row[],
  count: number,
  convert: (row: Row) => Item,
): (Item | undefined)[] {
  const items = new Array<Item | undefined>(count).fill(undefined);
  for (const row of rows) items[row['place'] as number] = convert(row);
  return items;
}

function isIn(rows: readonly Row[], count: number): boolean[] {
  const found = new Array<boolean>(count).fill(false);
  for (const row of rows) found[row['place'] as number] = true;
  return found;
}

function map<Item>(row: Row | undefined, convert: (row: Row) => Item): Item | undefined {
  return row === undefined ? undefined : convert(row);
}

/** All reading methods on one session. */
export function createReader(session: Session): MetadataReader {
  const { one, all } = session;
  return {
    ...createClusterReader(session),
    ...createCollectionReader(session),
    ...createHistoryReader(session),
    ...createLocationReader(session),
    ...createRetentionReader(session),
    async getValue(name) {
      return one('SELECT value FROM server_values WHERE name = ?', name)?.['value'] as string | undefined;
    },
    async countUsers() {
      return one('SELECT count(*) AS count FROM users')?.['count'] as number;
    },

    async getUser(userId) {
      return map(one('SELECT * FROM users WHERE user_id = ?', userId), toUser);
    },
    async getUserByName(foldedUsername) {
      return map(one('SELECT * FROM users WHERE folded_username = ?', foldedUsername), toUser);
    },
    async getDevice(deviceId) {
      return map(one('SELECT * FROM devices WHERE device_id = ?', deviceId), toDevice);
    },
    async listDevices(userId) {
      return all('SELECT * FROM devices WHERE user_id = ? ORDER BY created_at, device_id', userId).map(
        toDevice,
      );
    },
    async getRefreshToken(tokenHash) {
      return map(one('SELECT * FROM refresh_tokens WHERE token_hash = ?', tokenHash), toRefreshToken);
    },

    async getSpace(spaceId) {
      return map(one('SELECT * FROM spaces WHERE space_id = ?', spaceId), toSpace);
    },
    async listSpaces(userId) {
      return all(
        `SELECT spaces.* FROM members JOIN spaces USING (space_id) WHERE members.user_id = ?
         ORDER BY spaces.created_at, spaces.space_id`,
        userId,
      ).map(toSpace);
    },
    async getMemberRole(spaceId, userId) {
      const row = one('SELECT role FROM members WHERE user_id = ? AND space_id = ?', userId, spaceId);
      return row?.['role'] as MemberRole | undefined;
    },

    async getEntries(spaceId, entryIds) {
      if (entryIds.length === 1) {
        const row = one(
          'SELECT * FROM entries WHERE space_id = ? AND entry_id = ?',
          spaceId,
          entryIds[0] as string,
        );
        return [map(row, toEntry)];
      }
      const rows = all(
        `SELECT wanted.key AS place, entries.* FROM json_each(?2) AS wanted
         CROSS JOIN entries ON entries.space_id = ?1 AND entries.entry_id = wanted.value`,
        spaceId,
        JSON.stringify(entryIds),
      );
      return inOrder(rows, entryIds.length, toEntry);
    },
    async findChild(spaceId, parentId, foldedName) {
      const row = one(
        `SELECT * FROM entries WHERE space_id = ? AND parent_id = ? AND trash_id = '' AND folded_name = ?`,
        spaceId,
        parentId,
        foldedName,
      );
      return map(row, toEntry);
    },
    async listChildren(spaceId, parentId, after, limit) {
      return all(
        `SELECT * FROM entries
         WHERE space_id = ? AND parent_id = ? AND trash_id = '' AND folded_name > ?
         ORDER BY folded_name LIMIT ?`,
        spaceId,
        parentId,
        after ?? '',
        limit,
      ).map(toEntry);
    },
    async pageEntries(spaceId, after, limit) {
      return all(
        `SELECT * FROM entries WHERE space_id = ? AND entry_id > ? AND trash_id = '' ORDER BY entry_id LIMIT ?`,
        spaceId,
        after ?? '',
        limit,
      ).map(toEntry);
    },
    async listConflicts(spaceId, after, limit) {
      return all(
        `SELECT * FROM entries INDEXED BY entries_in_conflict
         WHERE space_id = ? AND conflict_of IS NOT NULL AND entry_id > ? AND trash_id = ''
         ORDER BY entry_id LIMIT ?`,
        spaceId,
        after ?? '',
        limit,
      ).map(toEntry);
    },
    async listSubtree(spaceId, entryId) {
      return all(
        `${SUBTREE} SELECT entries.* FROM subtree
         CROSS JOIN entries ON entries.space_id = ?1 AND entries.entry_id = subtree.entry_id
         ORDER BY subtree.depth, entries.folded_name`,
        spaceId,
        entryId,
      ).map(toEntry);
    },
    async listAncestors(spaceId, entryId) {
      return all(
        `WITH RECURSIVE line (entry_id, depth) AS (
           SELECT parent_id, 1 FROM entries
           WHERE space_id = ?1 AND entry_id = ?2 AND trash_id = '' AND parent_id IS NOT NULL
           UNION ALL
           SELECT entries.parent_id, depth + 1 FROM line
           CROSS JOIN entries ON entries.space_id = ?1 AND entries.entry_id = line.entry_id
           WHERE entries.parent_id IS NOT NULL
         )
         SELECT entries.* FROM line
         CROSS JOIN entries ON entries.space_id = ?1 AND entries.entry_id = line.entry_id ORDER BY line.depth`,
        spaceId,
        entryId,
      ).map(toEntry);
    },
    async getTrash(spaceId, entryId) {
      return map(one('SELECT * FROM trash WHERE space_id = ? AND entry_id = ?', spaceId, entryId), toTrash);
    },
    async listTrash(spaceId, limit, offset) {
      return all(
        'SELECT * FROM trash WHERE space_id = ? ORDER BY sequence DESC, entry_id DESC LIMIT ? OFFSET ?',
        spaceId,
        limit,
        offset,
      ).map(toTrash);
    },

    async getVersions(spaceId, versionIds) {
      const rows = all(
        `SELECT wanted.key AS place, versions.* FROM json_each(?2) AS wanted
         CROSS JOIN versions ON versions.space_id = ?1 AND versions.version_id = wanted.value`,
        spaceId,
        JSON.stringify(versionIds),
      );
      return inOrder(rows, versionIds.length, toVersion);
    },
    async findVersionAt(spaceId, entryId, sequence) {
      const row = one(
        `SELECT * FROM versions WHERE space_id = ? AND entry_id = ? AND sequence <= ?
         ORDER BY sequence DESC, version_id DESC LIMIT 1`,
        spaceId,
        entryId,
        sequence,
      );
      return map(row, toVersion);
    },
    async listVersions(spaceId, entryId, limit) {
      return all(
        `SELECT * FROM versions WHERE space_id = ? AND entry_id = ?
         ORDER BY sequence DESC, version_id DESC LIMIT ?`,
        spaceId,
        entryId,
        limit,
      ).map(toVersion);
    },

    async readJournal(spaceId, after, limit) {
      return all(
        'SELECT * FROM journal WHERE space_id = ? AND sequence > ? ORDER BY sequence LIMIT ?',
        spaceId,
        after,
        limit,
      ).map(toJournal);
    },
    async getJournalHash(spaceId, sequence) {
      const row =
        sequence === 0
          ? one('SELECT genesis_hash AS hash FROM spaces WHERE space_id = ?', spaceId)
          : one('SELECT hash FROM journal WHERE space_id = ? AND sequence = ?', spaceId, sequence);
      return row?.['hash'] as string | undefined;
    },
    async getChangeset(spaceId, changesetId) {
      const row = one(
        'SELECT * FROM changesets WHERE space_id = ? AND changeset_id = ?',
        spaceId,
        changesetId,
      );
      if (row === undefined) return undefined;
      return {
        spaceId,
        changesetId,
        requestHash: row['request_hash'] as string,
        result: JSON.parse(row['result'] as string) as ChangesetRecord['result'],
        committedAt: row['committed_at'] as number,
      };
    },

    async getBlocks(blockIds) {
      const rows = all(
        `SELECT wanted.key AS place, blocks.* FROM json_each(?1) AS wanted
         CROSS JOIN blocks ON blocks.block_id = unhex(wanted.value)`,
        JSON.stringify(blockIds),
      );
      return inOrder(rows, blockIds.length, toBlock);
    },
    async hasReferences(spaceId, blockIds) {
      const rows = all(
        `SELECT wanted.key AS place FROM json_each(?2) AS wanted
         CROSS JOIN blocks ON blocks.block_id = unhex(wanted.value)
         CROSS JOIN block_references AS held ON held.space_id = ?1 AND held.block_number = blocks.number`,
        spaceId,
        JSON.stringify(blockIds),
      );
      return isIn(rows, blockIds.length);
    },
    async canReach(userId, blockIds, now) {
      const rows = all(
        `SELECT wanted.key AS place FROM json_each(?2) AS wanted
         CROSS JOIN blocks ON blocks.block_id = unhex(wanted.value)
         WHERE EXISTS (
             SELECT 1 FROM block_leases AS lease
             WHERE lease.user_id = ?1 AND lease.block_number = blocks.number AND lease.expires_at > ?3
           ) OR EXISTS (
             SELECT 1 FROM members CROSS JOIN block_references AS held
             WHERE members.user_id = ?1 AND held.space_id = members.space_id
               AND held.block_number = blocks.number
           )`,
        userId,
        JSON.stringify(blockIds),
        now,
      );
      return isIn(rows, blockIds.length);
    },

    async getUpload(uploadId) {
      return map(one('SELECT * FROM uploads WHERE upload_id = ?', uploadId), toUpload);
    },
    async listUploadParts(uploadId) {
      return all('SELECT * FROM upload_parts WHERE upload_id = ? ORDER BY part_number', uploadId).map(
        toUploadPart,
      );
    },

    async countAll() {
      const row = one(
        `SELECT (SELECT count(*) FROM users) AS users, (SELECT count(*) FROM devices) AS devices,
           (SELECT count(*) FROM entries) AS entries, (SELECT count(*) FROM versions) AS versions,
           (SELECT count(*) FROM blocks) AS blocks`,
      ) as Row;
      return {
        users: row['users'] as number,
        devices: row['devices'] as number,
        entries: row['entries'] as number,
        versions: row['versions'] as number,
        blocks: row['blocks'] as number,
      };
    },
  };
}
