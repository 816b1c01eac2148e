import type { BlockStore, Fence } from '@cairn/block-store';
import type { Environment } from '@cairn/environment';
import type { BlockId } from '@cairn/model';

/** What a node says of itself; see `nodeStatusSchema`. */
export interface NodeIdentity {
  readonly nodeId: string;
  readonly storeUuid: string;
  readonly bootCount: number;
  readonly bootId: string;
  readonly version: string;
}

/** The highest fencing tokens that this node has seen, durably. */
export interface FencingTokens {
  /** By job. */
  readonly highest: Readonly<Record<string, number>>;
  /** Notes a token. Resolves when it is durable; throws `precondition-failed` when a higher one was seen. */
  admit(fence: Fence): Promise<void>;
}

/** What a drill may do to a node. */
export interface NodeDrill {
  /** Reports the node as full for so long from now; 0 ends that. It also ends with the process. */
  reportFull(forMs: number): void;
  /** Damages the replica of a block. @throws CairnError `precondition-failed` for every block that is no canary of a drill */
  damageCanary(blockId: BlockId): Promise<void>;
}

export interface NodeApiOptions {
  readonly blocks: BlockStore;
  readonly identity: () => NodeIdentity;
  /** The key that the cluster and this node share, 32 bytes; `null` while there is none: nobody gets in. */
  readonly key: () => Uint8Array | null;
  readonly fencing: FencingTokens;
  /** Room for blocks; `null` where that cannot be told. */
  readonly space: () => Promise<{ readonly freeBytes: number; readonly totalBytes: number } | null>;
  /** Bytes on disk that the node may use; `null`: as many as the disk has. */
  readonly capacityBytes: number | null;
  readonly drill: NodeDrill;
  readonly environment: Environment;
}
