import { createDraw, type Draw, deriveSeed } from '../../random.ts';

/** One thing that happens. `word` decides the rest; `afterMs`: how long after the step before. */
export interface ClusterStep {
  readonly kind: StepKind;
  readonly word: number;
  readonly afterMs: number;
}

export interface ClusterScript {
  readonly seed: number;
  readonly servers: number;
  readonly nodes: number;
  /** Nodes share zones when there are fewer of these; 0: each is its own. */
  readonly zones: number;
  readonly outAfterMs: number;
  /** Blocks that are so old become shards, until that is turned off; `null`: no block is large enough for that. */
  readonly codeAfterMs: number | null;
  /** Blocks are moved between the nodes and folders of the one server. */
  readonly hasMoves: boolean;
  readonly startsInFolder: boolean;
  /** Messages get lost, late and doubled now and then, all the time. */
  readonly isRough: boolean;
  readonly steps: readonly ClusterStep[];
}

/** How often each kind is chosen while its theme is in fashion. */
const WEIGHTS = {
  upload: 30,
  'put-file': 10,
  read: 14,
  remove: 14,
  purge: 10,
  revert: 3,
  collect: 9,
  sleep: 10,
  scrub: 1,
  'kill-server': 2,
  'pause-server': 3,
  'ambush-server': 5,
  skew: 2,
  blackout: 3,
  'power-cut': 6,
  'kill-node': 5,
  'start-node': 4,
  'pause-node': 4,
  wipe: 3,
  snapshot: 2,
  'put-back': 2,
  twin: 1,
  'end-twin': 2,
  rot: 5,
  full: 2,
  'read-only': 1,
  slow: 3,
  garble: 3,
  'well-again': 4,
  partition: 4,
  'one-way': 2,
  lossy: 2,
  'heal-network': 5,
  'add-node': 3,
  drain: 3,
  undrain: 1,
  'remove-node': 3,
  'force-remove': 1,
  reweigh: 2,
  migrate: 3,
  race: 8,
  'two-coordinators': 4,
  'left-behind': 2,
  status: 1,
  'turn-coding': 4,
  'broken-repair': 5,
  move: 12,
  'cancel-move': 3,
  repair: 5,
} as const;
export type StepKind = keyof typeof WEIGHTS;
const KINDS = Object.keys(WEIGHTS) as StepKind[];

/** What goes on all the time; the rest is trouble, of which each history has some kinds. */
const ALWAYS: readonly StepKind[] = ['upload', 'put-file', 'read', 'remove', 'purge', 'collect', 'sleep'];
const REMEDIES: Partial<Record<StepKind, StepKind>> = {
  'kill-node': 'start-node',
  blackout: 'start-node',
  'power-cut': 'start-node',
  snapshot: 'put-back',
  twin: 'end-twin',
  full: 'well-again',
  'read-only': 'well-again',
  slow: 'well-again',
  garble: 'well-again',
  partition: 'heal-network',
  'one-way': 'heal-network',
  lossy: 'heal-network',
  drain: 'remove-node',
  migrate: 'remove-node',
};

/** What shards are there for, and what disturbs them most. */
const CODED_TROUBLES: readonly StepKind[] = ['turn-coding', 'broken-repair', 'wipe', 'rot', 'race'];

const MOVING_TROUBLES: readonly StepKind[] = ['cancel-move', 'kill-server', 'ambush-server', 'race', 'rot'];

function chooseTroubles(draw: Draw): Set<StepKind> {
  const troubles = KINDS.filter((kind) => !ALWAYS.includes(kind));
  const chosen = new Set<StepKind>();
  const count = 2 + draw.below(8);
  for (let index = 0; index < count; index++) {
    const kind = draw.pick(troubles);
    chosen.add(kind);
    const remedy = REMEDIES[kind];
    if (remedy !== undefined) chosen.add(remedy);
  }
  return chosen;
}

const WAITS_MS = [0, 0, 0, 1, 2, 5, 20, 100, 700, 3000, 9000, 20_000, 45_000] as const;

/** A whole history from its seed. */
export function writeClusterScript(seed: number): ClusterScript {
  const shape = createDraw(deriveSeed(seed, 'cluster', 'shape'));
  const hasMoves = shape.chance(25);
  const startsInFolder = shape.chance(60);
  // A folder is one process's own.
  const servers = hasMoves ? 1 : 1 + shape.below(3);
  const isCoded = shape.chance(35);
  const nodes = isCoded ? 6 + shape.below(3) : 3 + shape.below(4);
  const codeAfterMs = isCoded ? shape.pick([0, 0, 30 * 3_600_000]) : null;
  const zones = shape.chance(25) ? 3 : 0;
  const outAfterMs = shape.pick([60_000, 120_000, 600_000]);
  const isRough = shape.chance(40);
  const count = 25 + shape.below(60);
  const themes = createDraw(deriveSeed(seed, 'cluster', 'themes'));
  const troubles = chooseTroubles(themes);
  if (isCoded) {
    troubles.add('repair');
    for (const kind of CODED_TROUBLES) if (themes.chance(40)) troubles.add(kind);
  } else {
    troubles.delete('turn-coding');
    troubles.delete('broken-repair');
  }
  if (hasMoves) {
    troubles.add('move');
    for (const kind of MOVING_TROUBLES) if (themes.chance(40)) troubles.add(kind);
    // The settings of nodes go with the move.
    troubles.delete('turn-coding');
  } else {
    troubles.delete('move');
    troubles.delete('cancel-move');
  }
  const kinds = KINDS.filter((kind) => ALWAYS.includes(kind) || troubles.has(kind));
  const total = kinds.reduce((sum, kind) => sum + weigh(kind), 0);
  // Few kinds of trouble come often, many come now and then.
  function weigh(kind: StepKind): number {
    return WEIGHTS[kind] * (ALWAYS.includes(kind) ? troubles.size : 12);
  }
  const steps = createDraw(deriveSeed(seed, 'cluster', 'steps'));
  function chooseKind(): StepKind {
    let left = steps.below(total);
    for (const kind of kinds) {
      left -= weigh(kind);
      if (left < 0) return kind;
    }
    return 'upload';
  }
  return {
    seed,
    servers,
    nodes,
    zones,
    outAfterMs,
    codeAfterMs,
    hasMoves,
    startsInFolder,
    isRough,
    steps: Array.from({ length: count }, () => ({
      kind: chooseKind(),
      word: steps.word(),
      afterMs: steps.pick(WAITS_MS),
    })),
  };
}
