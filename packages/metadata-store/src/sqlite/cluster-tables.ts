import type {
  ClusterReader,
  ClusterTransaction,
  JoinTokenRecord,
  StorageNodeRecord,
} from '../cluster-port.ts';
import { InvalidStateError } from '../invalid-state.ts';
import { countPruning } from './collection-writes.ts';
import { bytesToId } from './content-codec.ts';
import type { Session } from './session.ts';
import type { Row } from './sqlite.ts';

function toNode(row: Row): StorageNodeRecord {
  return {
    nodeId: row['node_id'] as string,
    address: row['address'] as string,
    zone: row['zone'] as string,
    weight: row['weight'] as number,
    state: row['state'] as StorageNodeRecord['state'],
    sealedKey: new Uint8Array(row['sealed_key'] as Uint8Array),
    storeUuid: row['store_uuid'] as string | null,
    bootCount: row['boot_count'] as number,
    joinedAt: row['joined_at'] as number,
  };
}

function toToken(row: Row): JoinTokenRecord {
  return {
    tokenId: row['token_id'] as string,
    sealedSecret: new Uint8Array(row['sealed_secret'] as Uint8Array),
    createdAt: row['created_at'] as number,
    expiresAt: row['expires_at'] as number,
  };
}

/** The reading methods about storage nodes. */
export function createClusterReader({ one, all }: Session): ClusterReader {
  return {
    async listStorageNodes() {
      return all('SELECT * FROM storage_nodes ORDER BY joined_at, node_id').map(toNode);
    },
    async getStorageNode(nodeId) {
      const row = one('SELECT * FROM storage_nodes WHERE node_id = ?', nodeId);
      return row === undefined ? undefined : toNode(row);
    },
    async getJoinToken(tokenId) {
      const row = one('SELECT * FROM join_tokens WHERE token_id = ?', tokenId);
      return row === undefined ? undefined : toToken(row);
    },
    async pageBlockIds(after, limit) {
      const rows = all(
        'SELECT number, block_id FROM blocks WHERE number > ? ORDER BY number LIMIT ?',
        after,
        limit,
      );
      const last = rows[rows.length - 1];
      return {
        blockIds: rows.map((row) => bytesToId(row['block_id'] as Uint8Array)),
        next: rows.length < limit || last === undefined ? null : (last['number'] as number),
      };
    },
  };
}

/** The writing methods about storage nodes. */
export function createClusterWrites({ run }: Session): Omit<ClusterTransaction, keyof ClusterReader> {
  return {
    async insertStorageNode(node) {
      run(
        `INSERT INTO storage_nodes (node_id, address, zone, weight, state, sealed_key, store_uuid, boot_count,
           joined_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        node.nodeId,
        node.address,
        node.zone,
        node.weight,
        node.state,
        node.sealedKey,
        node.storeUuid,
        node.bootCount,
        node.joinedAt,
      );
    },
    async updateStorageNode(nodeId, changes) {
      const changed = run(
        `UPDATE storage_nodes SET address = coalesce(?2, address), zone = coalesce(?3, zone),
           weight = coalesce(?4, weight), state = coalesce(?5, state), store_uuid = coalesce(?6, store_uuid),
           boot_count = coalesce(?7, boot_count) WHERE node_id = ?1`,
        nodeId,
        changes.address ?? null,
        changes.zone ?? null,
        changes.weight ?? null,
        changes.state ?? null,
        changes.storeUuid ?? null,
        changes.bootCount ?? null,
      );
      if (changed === 0) throw new InvalidStateError(['storage_node_exists']);
    },
    async deleteStorageNode(nodeId) {
      const changed = run('DELETE FROM storage_nodes WHERE node_id = ?', nodeId);
      if (changed === 0) throw new InvalidStateError(['storage_node_exists']);
      // A server that stood still may have put blocks there, and be about to write their rows.
      countPruning({ run });
    },
    async insertJoinToken(token) {
      run(
        'INSERT INTO join_tokens (token_id, sealed_secret, created_at, expires_at) VALUES (?, ?, ?, ?)',
        token.tokenId,
        token.sealedSecret,
        token.createdAt,
        token.expiresAt,
      );
    },
    async deleteJoinToken(tokenId) {
      return run('DELETE FROM join_tokens WHERE token_id = ?', tokenId) > 0;
    },
    async deleteOldJoinTokens(now) {
      run('DELETE FROM join_tokens WHERE expires_at <= ?', now);
    },
  };
}
