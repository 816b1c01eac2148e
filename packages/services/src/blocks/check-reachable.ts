import type { BlockRecord, MetadataReader } from '@cairn/metadata-store';
import { type BlockId, CairnError, type SpaceId, type UserId } from '@cairn/model';
import { MAX_LISTED_PARTS } from './block-limits.ts';

/** Rows looked up at once: a manifest block may list 8192 parts, so few are in memory before they are counted. */
const LOOK_UP_AT_ONCE = 128;

/** The one answer for blocks that do not exist and for blocks of other people. */
export function blocksMissing(blocks: readonly BlockId[]): CairnError {
  return new CairnError('blocks-missing', 'the server lacks parts of the content; send these blocks first', {
    details: { blocks: [...blocks] },
  });
}

/**
 * Collects the blocks that a user may not build upon although `blockIds` name them, directly or through manifest
 * blocks. What the space references already needs no second look: it was looked at when it was referenced.
 * Manifest blocks compress well, so the work is bounded by what they list and not by what was sent.
 * @param now milliseconds since 1970, for leases
 * @param maxParts parts of manifest blocks to look at, at most; more are `too-large`
 * @returns the records found on the way (of referenced manifest blocks without their parts), and the ids that are absent or out of the user's reach
 */
export async function checkReachable(
  reader: MetadataReader,
  userId: UserId,
  spaceId: SpaceId,
  blockIds: Iterable<BlockId>,
  now: number,
  maxParts = MAX_LISTED_PARTS,
): Promise<{ readonly records: ReadonlyMap<BlockId, BlockRecord>; readonly missing: readonly BlockId[] }> {
  const records = new Map<BlockId, BlockRecord>();
  const missing: BlockId[] = [];
  const seen = new Set<BlockId>(blockIds);
  const waiting = [...seen];
  let listed = 0;
  for (let start = 0; start < waiting.length; ) {
    const level = waiting.slice(start, start + LOOK_UP_AT_ONCE);
    start += level.length;
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
    for (const [position, record] of manifests.entries()) {
      if (referenced[position] === true) {
        // Nobody goes on below it, so what it lists need not stay in memory.
        records.set(record.blockId, { ...record, parts: null });
        continue;
      }
      listed += record.parts?.length ?? 0;
      if (listed > maxParts) {
        throw new CairnError('too-large', 'the files are too large for one commit; commit fewer at once', {
          details: { maxParts },
        });
      }
      for (const part of record.parts ?? []) {
        if (seen.has(part.block)) continue;
        seen.add(part.block);
        waiting.push(part.block);
      }
    }
  }
  return { records, missing };
}
