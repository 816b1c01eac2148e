import type { BlockId } from './ids.ts';

/**
 * How a content was cut. Frozen once released: the same bytes under the same profile give the same chunks for
 * ever. `t32-64k` means the two-stage 32-byte-window chunker with a target of 64 KiB.
 */
export type ChunkProfile = 't32-64k' | 't32-256k' | 't32-1m';

/** One part of a manifest: a chunk's block at depth 0, otherwise a manifest block one level down. */
export interface ManifestPart {
  readonly block: BlockId;
  /** File bytes this part covers. */
  readonly sizeBytes: number;
}

/**
 * The top of a shallow tree. At depth 0 the parts are the file's chunks in order; at depth n they are manifest
 * blocks, each listing parts of depth n-1. Lists are cut by content, so a small edit of a huge file renews one
 * chunk, one manifest block per level and this root.
 */
export interface ManifestRoot {
  readonly profile: ChunkProfile;
  readonly depth: number;
  readonly parts: readonly ManifestPart[];
}

/** Upper bounds that a server enforces on what it accepts. */
export const MANIFEST_LIMITS = {
  maxRootParts: 1024,
  maxBlockParts: 8192,
  maxDepth: 3,
} as const;

/** No block's plain bytes may be larger than this: three times the largest chunk target. */
export const MAX_BLOCK_BYTES = 3 * 1024 * 1024;
