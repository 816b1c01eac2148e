import type { BlockStore, ReadMemory } from '@cairn/block-store';
import type { StoredBlock } from '@cairn/content';
import type { MetadataReader } from '@cairn/metadata-store';
import { type BlockId, CairnError, type SpaceId } from '@cairn/model';
import { authoriseSpace } from '../authorisation/authorise.ts';
import type { Principal } from '../authorisation/principal.ts';
import type { DataDependencies } from '../data-dependencies.ts';
import { checkBlockIds } from './block-limits.ts';

/** Blocks that metadata says are there, in order; one that is not is damage, never a shorter stream. */
export async function* readKnownBlocks(
  blocks: BlockStore,
  blockIds: readonly BlockId[],
  memory?: ReadMemory,
): AsyncGenerator<StoredBlock> {
  let position = 0;
  for await (const block of blocks.getMany(blockIds, memory)) {
    if (block === null) {
      throw new CairnError(
        'data-damaged',
        'the server has lost a block of this file; restore an older version of it, or put the file there again',
        {
          details: { blockId: blockIds[position] },
        },
      );
    }
    position += 1;
    yield block;
  }
}

/** Which of the blocks this user may read in this space, same order. */
export async function findReadable(
  reader: MetadataReader,
  principal: Principal,
  spaceId: SpaceId,
  blockIds: readonly BlockId[],
  now: number,
): Promise<boolean[]> {
  const readable = await reader.hasReferences(spaceId, blockIds);
  const others = blockIds.filter((_, position) => readable[position] !== true);
  const reachable = await reader.canReach(principal.userId, others, now);
  let next = 0;
  return readable.map((is) => is || reachable[next++] === true);
}

/** The one answer for blocks that nobody has and for those of other people. */
export function noSuchBlock(): CairnError {
  return new CairnError('not-found', 'there is no such block, or it is not yours; check the ids');
}

/** See `BlocksService.readBlocks`. */
export async function readBlocks(
  { store, blocks, environment }: DataDependencies,
  principal: Principal,
  spaceId: SpaceId,
  blockIds: readonly BlockId[],
  memory?: ReadMemory,
): Promise<AsyncIterable<StoredBlock>> {
  checkBlockIds(blockIds);
  const now = environment.clock.now();
  const readable = await store.read(async (reader) => {
    await authoriseSpace(reader, principal, 'read', spaceId);
    return (await findReadable(reader, principal, spaceId, blockIds, now)).every(Boolean);
  });
  if (!readable) throw noSuchBlock();
  return readKnownBlocks(blocks, blockIds, memory);
}
