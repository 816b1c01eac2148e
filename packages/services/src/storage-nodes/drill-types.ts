import type { BlockId } from '@cairn/model';
import type { DrillReport, DrillSummary } from '@cairn/protocol';
import type { Principal } from '../authorisation/principal.ts';

/** What a drill may do to the nodes of this server. */
export interface ClusterFaults {
  /** Treats a node as not there for so long from now; 0 ends that. */
  holdOut(nodeId: string, forMs: number): void;
  /** Lets a node report itself as full for so long; 0 ends that. @throws CairnError `unavailable` */
  reportFull(nodeId: string, forMs: number): Promise<void>;
  /** @throws CairnError `precondition-failed` for a block that is no canary, `unavailable` */
  damageCanary(nodeId: string, blockId: BlockId): Promise<void>;
  /** Reads the replica of one node. @throws CairnError `unavailable` */
  inspect(nodeId: string, blockId: BlockId): Promise<ReplicaState>;
  /** The block lacks a replica. */
  noteMissing(blockId: BlockId): void;
}

export type ReplicaState = 'whole' | 'damaged' | 'absent';
export type FaultKind = 'held-out' | 'full';

/** A fault that ends by itself. */
export interface FaultLease {
  readonly nodeId: string;
  readonly fault: FaultKind;
  /** In milliseconds since 1970. */
  readonly until: number;
}

/** Drills of administrators on the cluster in use, and what drills have proven. For others it all is `not-found`. */
export interface DrillService {
  /**
   * Begins a fault of one node, or prolongs it. One at a time.
   * @throws CairnError `precondition-failed` while another is under way, the cluster is not healthy, or too few nodes would be left
   */
  beginFault(
    principal: Principal,
    request: { readonly nodeId: string; readonly fault: FaultKind; readonly forMs: number },
  ): Promise<FaultLease>;
  /** Ends what is under way, if anything is. */
  endFault(principal: Principal): Promise<void>;
  /**
   * Damages one node's replica of a canary, which is reachable for the principal and whole on other nodes.
   * @throws CairnError `not-found`, `precondition-failed`
   */
  damageCanary(principal: Principal, nodeId: string, blockId: BlockId): Promise<ReplicaState>;
  /** Reads one node's replica; what is not whole is noted to be repaired. @throws CairnError `not-found` */
  inspectCanary(principal: Principal, nodeId: string, blockId: BlockId): Promise<ReplicaState>;
  /** Keeps what a drill proved. */
  record(principal: Principal, report: DrillReport): Promise<void>;
  /** The last ones, newest first. */
  list(principal: Principal): Promise<readonly DrillReport[]>;
  /** For monitoring: the last one of each kind. */
  latest(): Promise<readonly DrillSummary[]>;
  /** Ends what is under way. */
  stop(): Promise<void>;
}
