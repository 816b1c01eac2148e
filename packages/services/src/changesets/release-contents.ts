import type { MetadataTransaction } from '@cairn/metadata-store';
import type { BlockId, FileContent, SpaceId } from '@cairn/model';

/** Rows looked up at once: a manifest block may list 8192 parts. */
const LOOK_UP_AT_ONCE = 128;

/**
 * Takes back what `referenceContents` added for these contents, which no version of the space has any more. What
 * nothing refers to then is left to garbage collection.
 * @param contents one for each version that is removed (equal ones count each)
 * @param now milliseconds since 1970
 * @returns how many references fell to zero
 */
export async function releaseContents(
  transaction: MetadataTransaction,
  spaceId: SpaceId,
  contents: readonly FileContent[],
  now: number,
): Promise<number> {
  let count = 0;
  let level = contents.flatMap((content) => content.manifest.parts.map((part) => part.block));
  while (level.length > 0) {
    const gone = await transaction.releaseReferences(spaceId, level, now);
    count += gone.length;
    const below: BlockId[] = [];
    for (let start = 0; start < gone.length; start += LOOK_UP_AT_ONCE) {
      const records = await transaction.getBlocks(gone.slice(start, start + LOOK_UP_AT_ONCE));
      for (const record of records) for (const part of record?.parts ?? []) below.push(part.block);
    }
    level = below;
  }
  return count;
}
