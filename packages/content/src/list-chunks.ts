import { type BlockId, CairnError, type ManifestPart, type ManifestRoot } from '@cairn/model';
import { blockIdOf } from './block-encoding.ts';
import { parseManifestBlock } from './manifest-block.ts';
import type { ContentPlatform } from './platform.ts';

/** Where in a manifest a block is listed. */
export interface PartPlace {
  /** Of the list that it is in: 1 for a block that lists chunks. */
  readonly depth: number;
  /** File bytes it covers. */
  readonly sizeBytes: number;
}

/** Reads the plain bytes of a block. */
export type ReadPlainBlock = (blockId: BlockId, place: PartPlace) => Promise<Uint8Array>;

function wrong(blockId: BlockId, problem: string): CairnError {
  return new CairnError('block-wrong', `manifest block ${blockId} ${problem}; upload the file again`, {
    details: { blockId },
  });
}

async function* walk(
  platform: ContentPlatform,
  depth: number,
  parts: readonly ManifestPart[],
  readBlock: ReadPlainBlock,
): AsyncGenerator<ManifestPart> {
  if (depth === 0) {
    yield* parts;
    return;
  }
  for (const { block, sizeBytes } of parts) {
    const plain = await readBlock(block, { depth, sizeBytes });
    if (blockIdOf(platform, 'manifest', plain) !== block)
      throw wrong(block, 'does not have the bytes its id names');
    const below = parseManifestBlock(plain);
    const total = below.parts.reduce((sum, part) => sum + part.sizeBytes, 0);
    if (below.depth !== depth - 1 || total !== sizeBytes) throw wrong(block, 'does not fit its place');
    yield* walk(platform, below.depth, below.parts, readBlock);
  }
}

/**
 * The chunks of a content in order. Reads a manifest block only when its chunks are asked for, and holds one per
 * level. Throws `block-wrong` when a block is not what its id names or is no manifest that fits its place.
 */
export function listChunks(
  platform: ContentPlatform,
  root: ManifestRoot,
  readBlock: ReadPlainBlock,
): AsyncIterable<ManifestPart> {
  return walk(platform, root.depth, root.parts, readBlock);
}
