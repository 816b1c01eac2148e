import { type ChunkProfile, MANIFEST_LIMITS, type ManifestPart, type ManifestRoot } from '@cairn/model';
import { blockIdOf } from './block-encoding.ts';
import { encodeManifestBlock } from './manifest-block.ts';
import type { EmitBlock } from './plain-block.ts';
import type { ContentPlatform } from './platform.ts';

/**
 * How a list of parts is cut into manifest blocks. Part of the profiles, hence frozen with them: a list of up to
 * `inlineParts` stays in the root; a longer one ends a block after the first part, from `minParts` on, whose
 * digest begins with a number below `boundary`, and after `maxParts` in any case. Where a block ends depends on
 * the parts near its end alone, so an edit renews one block per level (mean: 512 parts).
 */
export const TREE_RULES = {
  inlineParts: 256,
  minParts: 128,
  maxParts: 4096,
  boundary: Math.floor(2 ** 32 / 384),
} as const;

export interface ManifestTree {
  /** Adds the next chunk. Emits the manifest blocks that this completes. */
  add(part: ManifestPart): Promise<void>;
  /** Emits what is open and returns the top. */
  finish(profile: ChunkProfile): Promise<ManifestRoot>;
}

interface Level {
  /** Parts that are in no block yet. */
  open: ManifestPart[];
  /** Whether the list is longer than fits inline, so that it is cut into blocks. */
  cut: boolean;
}

function endsBlock(part: ManifestPart): boolean {
  return Number.parseInt(part.block.slice(2, 10), 16) < TREE_RULES.boundary;
}

/** Builds the tree over a list of chunks of any length, holding a few thousand parts at most. */
export function createManifestTree(platform: ContentPlatform, emit: EmitBlock): ManifestTree {
  const levels: Level[] = [];

  async function close(depth: number, parts: readonly ManifestPart[]): Promise<void> {
    const plain = encodeManifestBlock(depth, parts);
    const block = blockIdOf(platform, 'manifest', plain);
    await emit({ blockId: block, kind: 'manifest', plain });
    await add(depth + 1, { block, sizeBytes: parts.reduce((sum, part) => sum + part.sizeBytes, 0) });
  }

  async function append(depth: number, level: Level, part: ManifestPart): Promise<void> {
    level.open.push(part);
    const count = level.open.length;
    if (count >= TREE_RULES.maxParts || (count >= TREE_RULES.minParts && endsBlock(part))) {
      const parts = level.open;
      level.open = [];
      await close(depth, parts);
    }
  }

  async function add(depth: number, part: ManifestPart): Promise<void> {
    if (depth > MANIFEST_LIMITS.maxDepth) throw new RangeError('the content is too large for a manifest');
    const level = levels[depth] ?? { open: [], cut: false };
    levels[depth] = level;
    if (level.cut) return append(depth, level, part);
    level.open.push(part);
    if (level.open.length <= TREE_RULES.inlineParts) return;
    level.cut = true;
    const held = level.open;
    level.open = [];
    for (const early of held) await append(depth, level, early);
  }

  return {
    add: (part) => add(0, part),
    async finish(profile) {
      for (let depth = 0; ; depth++) {
        const level = levels[depth] ?? { open: [], cut: false };
        if (!level.cut) return { profile, depth, parts: level.open };
        if (level.open.length > 0) await close(depth, level.open);
      }
    },
  };
}
