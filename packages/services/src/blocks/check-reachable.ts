import type { BlockRecord, MetadataReader } from '@cairn/metadata-store';
import { type BlockId, CairnError, type SpaceId, type UserId } from '@cairn/model';

/** The one answer for blocks that do not exist and for blocks of other people. */
export function blocksMissing(blocks: readonly BlockId[]): CairnError {
  return new CairnError('blocks-missing', 'the server lacks parts of the content; send these blocks first', {
    details: { blocks: [...blocks] },
  });
}

/**
 * Collects the blocks that a user may not build upon although `blockIds` name them, directly or through manifest
 * blocks. What the space references already needs no second look: it was looked at when it was referenced.
 * @param now milliseconds since 1970, for leases
 * @returns the records found on the way, and the ids that are absent or out of the user's reach
 */
export async function checkReachable(
  reader: MetadataReader,
  userId: UserId,
  spaceId: SpaceId,
  blockIds: Iterable<BlockId>,
  now: number,
): Promise<{ readonly records: ReadonlyMap<BlockId, BlockRecord>; readonly missing: readonly BlockId[] }> {
  const records = new Map<BlockId, BlockRecord>();
  const missing: BlockId[] = [];
  const seen = new Set<BlockId>(blockIds);
  for (let level = [...seen]; level.length > 0; ) {
    const reachable = await reader.canReach(userId, level, now);
    const found = await reader.getBlocks(level);
    const manifests: BlockRecord[] = [];
    for (const [position, blockId] of level.entries()) {
      const record = found[position];
      if (reachable[position] !== true || record === undefined) {
        missing.push(blockId);
        continue;
      }
      records.set(blockId, record);
      if (record.parts !== null) manifests.push(record);
    }
    const referenced = await reader.hasReferences(
      spaceId,
      manifests.map((record) => record.blockId),
    );
    level = [];
    for (const [position, record] of manifests.entries()) {
      if (referenced[position] === true) continue;
      for (const part of record.parts ?? []) {
        if (seen.has(part.block)) continue;
        seen.add(part.block);
        level.push(part.block);
      }
    }
  }
  return { records, missing };
}
