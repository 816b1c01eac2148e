import type { NodeHealth } from '@cairn/block-store';
import type { Environment } from '@cairn/environment';
import type { MetadataStore } from '@cairn/metadata-store';
import type { BlockId } from '@cairn/model';
import type { DrillSummary } from '@cairn/protocol';
import type { Principal } from '../authorisation/principal.ts';
import type { ClusterFaults } from './drill-types.ts';

/** What the storage nodes that have joined are doing. */
export interface ClusterView {
  /** Whether blocks are on them, or are being moved there or away. */
  readonly isInUse: boolean;
  health(): readonly NodeHealth[];
  /** The nodes in the database changed. */
  refresh(): Promise<void>;
  readonly replicas: number;
  readonly writeQuorum: number;
  /** After how long blocks become shards; `null`: never. */
  readonly codeAfterMs: number | null;
  /** How many nodes that answer have each block, in the same order. */
  countReplicas(blockIds: readonly BlockId[]): Promise<readonly number[]>;
  repair(): RepairState;
  /** Everything is to be compared soon. */
  repairSoon(): void;
  readonly faults: ClusterFaults;
}

/** How far the comparison of what must exist with what the nodes have is. */
export interface RepairState {
  readonly isRunning: boolean;
  /** Blocks that were looked at by the run under way, or by the last one. */
  readonly checkedBlocks: number;
  readonly underReplicated: number;
  readonly repaired: number;
  readonly waiting: number;
  readonly unavailable: number;
  readonly lost: number;
  /** Blocks that are kept as shards, and what these take. */
  readonly codedBlocks: number;
  readonly codedBytes: number;
  readonly copiedBytes: number;
  /** Noted since, by writes and reads that met a node that lacked them. */
  readonly noted: number;
  /** When the last whole run ended, in milliseconds since 1970; `null`: never. */
  readonly lastRunAt: number | null;
}

export interface ClusterDependencies {
  readonly store: MetadataStore;
  readonly environment: Environment;
  /** The server's secret, under which keys are sealed. */
  readonly secret: Uint8Array;
  readonly view: ClusterView;
}

export interface NodeDescription {
  readonly nodeId: string;
  readonly address: string;
  readonly zone: string;
  readonly weight: number;
  readonly state: NodeHealth['state'];
  readonly isDraining: boolean;
  readonly isFull: boolean;
  readonly reason: string | null;
  readonly silentMs: number | null;
  readonly version: string | null;
  readonly blocks: number | null;
  readonly liveBytes: number | null;
  readonly diskBytes: number | null;
  readonly quarantinedRecords: number | null;
  readonly freeBytes: number | null;
  readonly totalBytes: number | null;
  /** What the node may use of its disk; `null`: all of it, or not known. */
  readonly capacityBytes: number | null;
  readonly joinedAt: number;
}

export interface ClusterDescription {
  /** `folder`: the server keeps its blocks by itself. */
  readonly mode: 'folder' | 'nodes';
  readonly replicas: number;
  readonly writeQuorum: number;
  /** Whether new blocks can be stored now. */
  readonly takesWrites: boolean;
  /** `null`: no blocks become shards. */
  readonly coding: {
    readonly afterMs: number;
    /** There are enough nodes for it. */
    readonly isPossible: boolean;
  } | null;
  readonly nodes: readonly NodeDescription[];
  readonly repair: RepairState | null;
  /** The last drill of each kind. */
  readonly drills: readonly DrillSummary[];
}

export interface JoinRequest {
  readonly tokenId: string;
  readonly publicKey: Uint8Array;
  readonly address: string;
  readonly zone: string;
  readonly weight: number;
  readonly proof: Uint8Array;
}

export interface ClusterService {
  /**
   * A token with which one node may join within a day.
   * @throws CairnError `not-found` for who is no administrator
   */
  invite(principal: Principal): Promise<{ readonly token: string; readonly expiresAt: number }>;
  /** @throws CairnError `not-found` */
  describe(principal: Principal): Promise<ClusterDescription>;
  /** @throws CairnError `not-found` also for a node that there is not */
  change(
    principal: Principal,
    nodeId: string,
    changes: { readonly state?: 'active' | 'draining'; readonly weight?: number; readonly zone?: string },
  ): Promise<void>;
  /**
   * Forgets a node. Refused with `precondition-failed` while it has blocks that are in use; `force` is for one that will
   * not come back.
   * @throws CairnError `not-found`
   */
  remove(principal: Principal, nodeId: string, options: { readonly force: boolean }): Promise<void>;
  /** @throws CairnError `wrong-credentials` for every token that does not prove itself, `bad-request` */
  join(
    request: JoinRequest,
  ): Promise<{ readonly nodeId: string; readonly publicKey: Uint8Array; readonly proof: Uint8Array }>;
  /** @throws CairnError `wrong-credentials` */
  announce(announcement: {
    readonly nodeId: string;
    readonly address: string;
    readonly bootCount: number;
    readonly proof: Uint8Array;
  }): Promise<void>;
}
