import { CairnError, foldName, searchName } from '@cairn/model';
import { InvalidStateError, violates } from '../invalid-state.ts';
import type { MetadataTransaction } from '../metadata-store.ts';
import type { EntryRecord } from '../records.ts';
import { createClusterWrites } from './cluster-tables.ts';
import { createCollectionWrites, listLateBlocks } from './collection-writes.ts';
import { encodeContent, encodeParts, idToBytes } from './content-codec.ts';
import { moveIntoTrash, moveOutOfTrash, updateEntryRows } from './entry-writes.ts';
import { createHistoryWrites } from './history-tables.ts';
import { createLocationWrites } from './location-tables.ts';
import { createReader } from './reader.ts';
import { createRetentionWrites } from './retention-writes.ts';
import { splitChange } from './rows.ts';
import type { Session } from './session.ts';

const INSERT_ENTRY = `INSERT INTO entries (space_id, entry_id, parent_id, name, folded_name, kind, sequence,
  version_id, executable, modified_at_us, trash_id, trash_item, conflict_of, conflict_policy, search_name)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;

/** All reading and writing methods on one session. */
export function createTransaction(session: Session): MetadataTransaction {
  const { run } = session;
  const reader = createReader(session);

  function insertEntry(entry: EntryRecord): void {
    run(
      INSERT_ENTRY,
      entry.spaceId,
      entry.entryId,
      entry.parentId,
      entry.name,
      foldName(entry.name),
      entry.kind,
      entry.sequence,
      entry.versionId,
      entry.executable ? 1 : 0,
      entry.modifiedAtUs,
      entry.trashId ?? '',
      entry.trashId,
      entry.conflictOf === undefined ? null : JSON.stringify(entry.conflictOf),
      entry.conflictPolicy ?? null,
      searchName(entry.name),
    );
  }

  return {
    ...reader,
    ...createClusterWrites(session),
    ...createCollectionWrites(session),
    ...createHistoryWrites(session),
    ...createLocationWrites(session),
    ...createRetentionWrites(session),

    async setValue(name, value) {
      run(
        'INSERT INTO server_values VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = ?2',
        name,
        value,
      );
    },

    async insertUser(user) {
      try {
        run(
          `INSERT INTO users (user_id, username, folded_username, password_hash, role, personal_space_id,
             created_at) VALUES (?, ?, ?, ?, ?, ?, ?)`,
          user.userId,
          user.username,
          user.foldedUsername,
          user.passwordHash,
          user.role,
          user.personalSpaceId,
          user.createdAt,
        );
      } catch (error) {
        if (!violates(error, 'one_user_per_name')) throw error;
        throw new CairnError('name-taken', 'this user name is taken; choose another one', { cause: error });
      }
    },
    async setPasswordHash(userId, passwordHash) {
      const changed = run('UPDATE users SET password_hash = ? WHERE user_id = ?', passwordHash, userId);
      if (changed === 0) throw new InvalidStateError(['user_exists']);
    },
    async insertDevice(device) {
      run(
        `INSERT INTO devices (device_id, user_id, name, created_at, last_seen_at, revoked_at)
         VALUES (?, ?, ?, ?, ?, ?)`,
        device.deviceId,
        device.userId,
        device.name,
        device.createdAt,
        device.lastSeenAt,
        device.revokedAt,
      );
    },
    async updateDevice(deviceId, changes) {
      const changed = run(
        `UPDATE devices SET name = coalesce(?2, name), last_seen_at = coalesce(?3, last_seen_at),
           revoked_at = CASE WHEN ?4 THEN ?5 ELSE revoked_at END WHERE device_id = ?1`,
        deviceId,
        changes.name ?? null,
        changes.lastSeenAt ?? null,
        changes.revokedAt === undefined ? 0 : 1,
        changes.revokedAt ?? null,
      );
      if (changed === 0) throw new InvalidStateError(['device_exists']);
    },
    async insertRefreshToken(token) {
      run(
        `INSERT INTO refresh_tokens (token_hash, device_id, state, issued_at, expires_at)
         VALUES (?, ?, ?, ?, ?)`,
        token.tokenHash,
        token.deviceId,
        token.state,
        token.issuedAt,
        token.expiresAt,
      );
    },
    async setRefreshTokenState(tokenHash, state) {
      const changed = run('UPDATE refresh_tokens SET state = ? WHERE token_hash = ?', state, tokenHash);
      if (changed === 0) throw new InvalidStateError(['refresh_token_exists']);
    },
    async killRefreshTokens(deviceId) {
      run(`UPDATE refresh_tokens SET state = 'dead' WHERE device_id = ? AND state <> 'dead'`, deviceId);
    },
    async deleteExpired(now, limit) {
      const tokens = run(
        `DELETE FROM refresh_tokens WHERE token_hash IN
           (SELECT token_hash FROM refresh_tokens WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)`,
        now,
        limit,
      );
      const leases = run(
        `DELETE FROM block_leases WHERE (user_id, block_number) IN
           (SELECT user_id, block_number FROM block_leases WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)`,
        now,
        limit,
      );
      const uploads = run(
        `DELETE FROM uploads WHERE upload_id IN
           (SELECT upload_id FROM uploads WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)`,
        now,
        limit,
      );
      return tokens + leases + uploads;
    },

    async insertSpace(space) {
      run(
        `INSERT INTO spaces (space_id, kind, owner_id, root_id, sequence, journal_hash, genesis_hash,
           created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, ?7)`,
        space.spaceId,
        space.kind,
        space.ownerId,
        space.rootId,
        space.sequence,
        space.journalHash,
        space.createdAt,
      );
      insertEntry({
        spaceId: space.spaceId,
        entryId: space.rootId,
        parentId: null,
        name: '',
        kind: 'folder',
        sequence: 0,
        versionId: null,
        executable: false,
        modifiedAtUs: 0,
        trashId: null,
      });
      run(
        `INSERT INTO members (user_id, space_id, role) VALUES (?, ?, 'owner')`,
        space.ownerId,
        space.spaceId,
      );
    },
    async advanceSpace(spaceId, sequence, journalHash) {
      const changed = run(
        'UPDATE spaces SET sequence = ?2, journal_hash = ?3 WHERE space_id = ?1',
        spaceId,
        sequence,
        journalHash,
      );
      if (changed === 0) throw new InvalidStateError(['space_exists']);
    },

    async insertEntries(entries) {
      for (const entry of entries) insertEntry(entry);
    },
    async updateEntries(entries) {
      updateEntryRows(session, entries);
    },
    async vacateNames(spaceId, entryIds) {
      for (const entryId of entryIds) {
        run(
          `UPDATE entries SET folded_name = '/' || entry_id, vacated = 1
           WHERE space_id = ? AND entry_id = ? AND trash_id = ''`,
          spaceId,
          entryId,
        );
      }
    },
    async trashSubtree(trash) {
      moveIntoTrash(session, trash);
    },
    async restoreSubtree(spaceId, entryId, parentId, name, sequence) {
      moveOutOfTrash(session, { spaceId, entryId, parentId, name, sequence });
    },
    async insertVersions(versions) {
      for (const version of versions) {
        run(
          `INSERT INTO versions (space_id, version_id, entry_id, sequence, kind, size_bytes, content, target,
             executable, modified_at_us, device_id, committed_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
          version.spaceId,
          version.versionId,
          version.entryId,
          version.sequence,
          version.kind,
          version.sizeBytes,
          version.content === null ? null : encodeContent(version.content),
          version.target,
          version.executable ? 1 : 0,
          version.modifiedAtUs,
          version.deviceId,
          version.committedAt,
        );
      }
    },
    async appendJournal(rows) {
      for (const row of rows) {
        const { json, content } = splitChange(row.change);
        run(
          'INSERT INTO journal (space_id, sequence, hash, change, content) VALUES (?, ?, ?, ?, ?)',
          row.spaceId,
          row.sequence,
          row.hash,
          json,
          content,
        );
      }
    },
    async insertChangeset(record) {
      run(
        `INSERT INTO changesets (space_id, changeset_id, request_hash, result, committed_at)
         VALUES (?, ?, ?, ?, ?)`,
        record.spaceId,
        record.changesetId,
        record.requestHash,
        JSON.stringify(record.result),
        record.committedAt,
      );
    },

    async insertBlocks(blocks, put) {
      const late = await listLateBlocks(session, reader, blocks, put);
      if (late.size > 0) return late;
      for (const block of blocks) {
        run(
          `INSERT INTO blocks (block_id, kind, plain_bytes, stored_bytes, covered_bytes, depth, parts,
             created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (block_id) DO NOTHING`,
          idToBytes(block.blockId),
          block.kind,
          block.plainBytes,
          block.storedBytes,
          block.coveredBytes,
          block.depth,
          block.parts === null ? null : encodeParts(block.parts),
          block.createdAt,
        );
      }
      run(
        `DELETE FROM condemned_blocks WHERE block_number IN (
           SELECT blocks.number FROM json_each(?) AS wanted
           CROSS JOIN blocks ON blocks.block_id = unhex(wanted.value))`,
        JSON.stringify(blocks.map((block) => block.blockId)),
      );
      return late;
    },
    async leaseBlocks(userId, blockIds, expiresAt) {
      const wanted = [...new Set(blockIds)];
      const leased = run(
        `INSERT INTO block_leases (user_id, block_number, expires_at)
         SELECT ?1, blocks.number, ?3 FROM json_each(?2) AS wanted
         CROSS JOIN blocks ON blocks.block_id = unhex(wanted.value) WHERE true
         ON CONFLICT (user_id, block_number) DO UPDATE SET expires_at = max(expires_at, excluded.expires_at)`,
        userId,
        JSON.stringify(wanted),
        expiresAt,
      );
      if (leased < wanted.length) throw new InvalidStateError(['block_leases_to_blocks']);
    },
    async addReferences(spaceId, blockIds) {
      const counts = new Map<(typeof blockIds)[number], number>();
      for (const blockId of blockIds) counts.set(blockId, (counts.get(blockId) ?? 0) + 1);
      const wanted = [...counts.keys()];
      const held = await reader.hasReferences(spaceId, wanted);
      const added = run(
        `INSERT INTO block_references (space_id, block_number, count)
         SELECT ?1, blocks.number, wanted.value ->> 1 FROM json_each(?2) AS wanted
         CROSS JOIN blocks ON blocks.block_id = unhex(wanted.value ->> 0) WHERE true
         ON CONFLICT (space_id, block_number) DO UPDATE SET count = count + excluded.count`,
        spaceId,
        JSON.stringify([...counts]),
      );
      if (added < wanted.length) throw new InvalidStateError(['block_references_to_blocks']);
      return wanted.filter((_, place) => held[place] !== true);
    },

    async insertUpload(upload) {
      run(
        `INSERT INTO uploads (upload_id, user_id, space_id, path, size_bytes, part_bytes, sha256, created_at,
           expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        upload.uploadId,
        upload.userId,
        upload.spaceId,
        upload.path,
        upload.sizeBytes,
        upload.partBytes,
        upload.sha256,
        upload.createdAt,
        upload.expiresAt,
      );
    },
    async putUploadPart(part) {
      run(
        `INSERT INTO upload_parts (upload_id, part_number, parts) VALUES (?1, ?2, ?3)
         ON CONFLICT (upload_id, part_number) DO UPDATE SET parts = ?3`,
        part.uploadId,
        part.partNumber,
        encodeParts(part.parts),
      );
    },
    async deleteUpload(uploadId) {
      run('DELETE FROM uploads WHERE upload_id = ?', uploadId);
    },
  };
}
