import type { BlockRecord, MetadataTransaction } from '@cairn/metadata-store';
import { type BlockId, CairnError, type FileContent, type SpaceId, type UserId } from '@cairn/model';
import { blocksMissing, checkReachable } from '../blocks/check-reachable.ts';

function checkParts(content: FileContent, records: ReadonlyMap<BlockId, BlockRecord>): void {
  const { depth, parts } = content.manifest;
  for (const part of parts) {
    const record = records.get(part.block);
    const fits =
      record !== undefined &&
      (depth === 0
        ? record.plainBytes === part.sizeBytes
        : record.depth === depth && record.coveredBytes === part.sizeBytes);
    if (!fits) {
      throw new CairnError(
        'bad-request',
        'the content does not fit the blocks it names; cut the file again',
        {
          details: { contentId: content.contentId, block: part.block },
        },
      );
    }
  }
}

/**
 * Checks that the user may use every block of the contents and that the blocks are what the manifests say, then
 * adds the space's references to them.
 * @param contents one for each new version (equal ones count each)
 * @throws CairnError `blocks-missing` with details.blocks, `bad-request`
 */
export async function referenceContents(
  transaction: MetadataTransaction,
  userId: UserId,
  spaceId: SpaceId,
  contents: readonly FileContent[],
  now: number,
): Promise<void> {
  const roots = contents.flatMap((content) => content.manifest.parts.map((part) => part.block));
  if (roots.length === 0) return;
  const { records, missing } = await checkReachable(transaction, userId, spaceId, roots, now);
  if (missing.length > 0) throw blocksMissing(missing);
  for (const content of contents) checkParts(content, records);
  for (let level: BlockId[] = roots; level.length > 0; ) {
    const added = await transaction.addReferences(spaceId, level);
    level = added.flatMap((blockId) => (records.get(blockId)?.parts ?? []).map((part) => part.block));
  }
}
