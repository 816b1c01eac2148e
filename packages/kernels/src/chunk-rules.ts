/**
 * The released ways to cut. A profile is frozen: the same bytes under the same name give the same chunks for
 * ever, on every platform; a better rule gets a new name. The golden cuts in `golden-cuts.json` hold it in place.
 */
export type ChunkProfileName = 't32-64k' | 't32-256k' | 't32-1m';

/**
 * A chunk ends at the first length of at least `minBytes` whose last 32 bytes satisfy the cut predicate, with the
 * strict threshold below `switchBytes` and the loose one from there on, and at `maxBytes` in any case.
 */
export interface ChunkRules {
  readonly minBytes: number;
  readonly switchBytes: number;
  readonly maxBytes: number;
  /** Upper 32 bits of the stage-2 hash must be below this. */
  readonly strictThreshold: number;
  readonly looseThreshold: number;
  /** How much of a content is held in memory while it is cut; more than `maxBytes`, so there is always room. */
  readonly windowBytes: number;
}

const KIB = 1024;

// One position in 4096 passes stage 1, so the thresholds below cut once per 2 targets (strict) and once per
// quarter target (loose): mean size about the target, and one forced cut in 8000 chunks of random data.
export const CHUNK_RULES: Readonly<Record<ChunkProfileName, ChunkRules>> = {
  't32-64k': {
    minBytes: 32 * KIB,
    switchBytes: 52_428,
    maxBytes: 192 * KIB,
    strictThreshold: 0x0800_0000,
    looseThreshold: 0x4000_0000,
    windowBytes: 1024 * KIB,
  },
  't32-256k': {
    minBytes: 128 * KIB,
    switchBytes: 209_715,
    maxBytes: 768 * KIB,
    strictThreshold: 0x0200_0000,
    looseThreshold: 0x1000_0000,
    windowBytes: 2048 * KIB,
  },
  't32-1m': {
    minBytes: 512 * KIB,
    switchBytes: 838_860,
    maxBytes: 3072 * KIB,
    strictThreshold: 0x0080_0000,
    looseThreshold: 0x0400_0000,
    windowBytes: 4096 * KIB,
  },
};
