import type { BlockStore, BlockStoreUsage } from '@cairn/block-store';
import type { BlockAmount, MetadataReader, MetadataStore, SpaceMeasure } from '@cairn/metadata-store';
import type { BlockId, SpaceId } from '@cairn/model';

export interface SpaceUsage extends SpaceMeasure {
  /** What all these files would take if each version were stored on its own and as it is, less what is stored. */
  readonly savedBytes: number;
  /** Stored bytes that an empty trash would set free, after garbage collection: blocks that nothing else needs. */
  readonly trashFreesBytes: number;
}

export interface ServerUsage extends SpaceUsage {
  readonly blockStore: BlockStoreUsage;
  /** Blocks on their way out: condemned, or swept and not deleted yet; and those without metadata. */
  readonly garbage: BlockAmount;
}

const LOOK_UP_AT_ONCE = 500;

/** Stored bytes that only the trash of one space needs. Nothing is written: the counts are taken down on paper. */
async function measureTrashFrees(reader: MetadataReader, spaceId: SpaceId): Promise<number> {
  let bytes = 0;
  let level = new Map<BlockId, number>();
  const add = (map: Map<BlockId, number>, blockId: BlockId) => map.set(blockId, (map.get(blockId) ?? 0) + 1);
  for (let after = 0; ; ) {
    const page = await reader.pageTrash(spaceId, after, LOOK_UP_AT_ONCE);
    for (const item of page) {
      after = item.sequence;
      const subtree = await reader.listSubtree(spaceId, item.entryId);
      const contents = await reader.listContents(
        spaceId,
        subtree.map(({ entryId }) => entryId),
      );
      for (const { manifest } of contents) for (const part of manifest.parts) add(level, part.block);
    }
    if (page.length < LOOK_UP_AT_ONCE) break;
  }
  while (level.size > 0) {
    const below = new Map<BlockId, number>();
    const wanted = [...level];
    for (let start = 0; start < wanted.length; start += LOOK_UP_AT_ONCE) {
      const some = wanted.slice(start, start + LOOK_UP_AT_ONCE);
      const held = await reader.countReferences(
        spaceId,
        some.map(([blockId]) => blockId),
      );
      const gone = some.filter(([, taken], place) => held[place]?.count === taken);
      for (const [place, [, taken]] of some.entries()) {
        const reference = held[place];
        if (reference?.count === taken && !reference.elsewhere) bytes += reference.storedBytes;
      }
      const records = await reader.getBlocks(gone.map(([blockId]) => blockId));
      for (const record of records) for (const part of record?.parts ?? []) add(below, part.block);
    }
    level = below;
  }
  return bytes;
}

function withSavings(measure: SpaceMeasure, trashFreesBytes: number): SpaceUsage {
  const plainBytes = measure.live.bytes + measure.versions.bytes + measure.trash.bytes;
  return { ...measure, savedBytes: plainBytes - measure.stored.bytes, trashFreesBytes };
}

/**
 * How much one space takes. Blocks that other spaces have too are counted in each.
 * @throws errors of the store
 */
export function measureSpace(store: MetadataStore, spaceId: SpaceId): Promise<SpaceUsage> {
  return store.read(async (reader) =>
    withSavings(await reader.measure(spaceId), await measureTrashFrees(reader, spaceId)),
  );
}

/**
 * How much all spaces take together; walks all metadata. What an empty trash sets free is the sum over spaces: a block
 * that only the trashes of two spaces have is not in it.
 * @throws errors of the stores
 */
export async function measureServer(store: MetadataStore, blocks: BlockStore): Promise<ServerUsage> {
  const usage = await store.read(async (reader) => {
    let frees = 0;
    for (let after: SpaceId | null = null; ; ) {
      const page = await reader.pageSpaces(after, LOOK_UP_AT_ONCE);
      for (const { spaceId } of page) frees += await measureTrashFrees(reader, spaceId);
      after = page.at(-1)?.spaceId ?? null;
      if (page.length < LOOK_UP_AT_ONCE) break;
    }
    const { condemned, unreclaimed, orphans } = await reader.countGarbage({
      condemnedBefore: 0,
      seenBefore: 0,
    });
    const garbage = [condemned, unreclaimed, orphans].reduce((sum, one) => ({
      blocks: sum.blocks + one.blocks,
      storedBytes: sum.storedBytes + one.storedBytes,
    }));
    return { ...withSavings(await reader.measure(null), frees), garbage };
  });
  return { ...usage, blockStore: await blocks.usage() };
}
