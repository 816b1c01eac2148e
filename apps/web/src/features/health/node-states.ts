import type { ClusterResponse, DrillReport } from '@cairn/protocol';

export type StorageNode = ClusterResponse['nodes'][number];
export type Light = 'good' | 'warn' | 'danger';
/** What a storage node is said to be: its state, or what else there is to know of one that is up. */
export type NodeWord = StorageNode['state'] | 'draining' | 'full';

const LIGHTS: Readonly<Record<NodeWord, Light>> = {
  up: 'good',
  unknown: 'warn',
  failing: 'warn',
  suspect: 'warn',
  'held-out': 'warn',
  draining: 'warn',
  full: 'warn',
  down: 'danger',
  out: 'danger',
  fenced: 'danger',
};

/** The light and the word for a storage node. */
export function describeNode(node: StorageNode): { readonly light: Light; readonly word: NodeWord } {
  const word = node.state !== 'up' ? node.state : node.isFull ? 'full' : node.isDraining ? 'draining' : 'up';
  return { light: LIGHTS[word], word };
}

export interface ClaimState {
  readonly id: string;
  readonly claim: string;
  readonly kind: DrillReport['kind'];
  readonly result: 'proven' | 'unproven';
  readonly problem: string | null;
  readonly lastProvenAt: number | null;
}

/**
 * The last result of every claim that any drill was about, and when it last passed; what did not pass comes first.
 * @param drills newest first
 */
export function summariseClaims(drills: readonly DrillReport[]): ClaimState[] {
  const states = new Map<string, ClaimState>();
  for (const { kind, claims } of drills) {
    for (const { id, claim, result, problem, endedAt } of claims) {
      const key = `${kind} ${id}`;
      const known = states.get(key);
      const provenAt = result === 'proven' ? endedAt : null;
      if (known === undefined) states.set(key, { id, claim, kind, result, problem, lastProvenAt: provenAt });
      else if (known.lastProvenAt === null) states.set(key, { ...known, lastProvenAt: provenAt });
    }
  }
  const rank = ({ result }: ClaimState): number => (result === 'unproven' ? 0 : 1);
  return [...states.values()].sort((one, other) => rank(one) - rank(other));
}
