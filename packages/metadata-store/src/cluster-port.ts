import type { BlockId } from '@cairn/model';

/** A storage node of the cluster. Instants are milliseconds since 1970, server clock. */
export interface StorageNodeRecord {
  readonly nodeId: string;
  /** `host:port` at which servers reach it. */
  readonly address: string;
  readonly zone: string;
  readonly weight: number;
  /** `draining`: gets nothing new, and what it has is made elsewhere. */
  readonly state: 'active' | 'draining';
  /** The key that it shares with the cluster, sealed with the server's secret. */
  readonly sealedKey: Uint8Array;
  /** As it last described itself; `null` before the first time. */
  readonly storeUuid: string | null;
  /** The most starts that it ever told of. */
  readonly bootCount: number;
  readonly joinedAt: number;
}

/** A token with which one node may join, by the secret that proves it. */
export interface JoinTokenRecord {
  readonly tokenId: string;
  /** Sealed with the server's secret. */
  readonly sealedSecret: Uint8Array;
  readonly createdAt: number;
  readonly expiresAt: number;
}

/** What servers know of the storage nodes they share; see docs/adr/0013-storage-nodes.md. */
export interface ClusterReader {
  /** In the order in which they joined. */
  listStorageNodes(): Promise<StorageNodeRecord[]>;
  getStorageNode(nodeId: string): Promise<StorageNodeRecord | undefined>;
  getJoinToken(tokenId: string): Promise<JoinTokenRecord | undefined>;
  /** Every block that must exist, those with a number above `after`; `next` is `null` at the end. */
  pageBlockIds(
    after: number,
    limit: number,
  ): Promise<{ readonly blockIds: readonly BlockId[]; readonly next: number | null }>;
}

export interface ClusterTransaction extends ClusterReader {
  insertStorageNode(node: StorageNodeRecord): Promise<void>;
  updateStorageNode(
    nodeId: string,
    changes: Partial<
      Pick<StorageNodeRecord, 'address' | 'zone' | 'weight' | 'state' | 'storeUuid' | 'bootCount'>
    >,
  ): Promise<void>;
  deleteStorageNode(nodeId: string): Promise<void>;
  insertJoinToken(token: JoinTokenRecord): Promise<void>;
  /** Returns whether it was there: a token works once. */
  deleteJoinToken(tokenId: string): Promise<boolean>;
  /** Removes tokens that are over. */
  deleteOldJoinTokens(now: number): Promise<void>;
}
