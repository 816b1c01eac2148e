import type { BlockStore } from '../block-store.ts';
import type { PlacementNode } from './placement.ts';

/** One storage node as the replicated store sees it at this moment. */
export interface ReplicaNode extends PlacementNode {
  readonly blocks: BlockStore;
  /** Takes new blocks: up, not full, not draining. */
  readonly isWritable: boolean;
  /** May be asked; a node that is suspect is asked last. */
  readonly isReadable: boolean;
  readonly isUp: boolean;
  /** Counts as a place for replicas: not given up, not fenced, not draining; it may be silent for a while. */
  readonly isMember: boolean;
}

/** The nodes of a cluster; asked anew for every piece of work. */
export interface ReplicaNodes {
  /** All that could hold blocks, those that are down too: what only they could have is not known to be absent. */
  list(): readonly ReplicaNode[];
  /** A request to the node failed or was answered; how it is seen may change by that. */
  note(nodeId: string, outcome: 'answered' | 'full' | 'failed', error?: unknown): void;
  close(): Promise<void>;
}
