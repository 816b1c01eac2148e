import type { BlockStore, ReadMemory } from '@cairn/block-store';
import type { StoredBlock } from '@cairn/content';
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
    const referenced = await reader.hasReferences(spaceId, blockIds);
    const others = blockIds.filter((_, position) => referenced[position] !== true);
    return (await reader.canReach(principal.userId, others, now)).every(Boolean);
  });
  if (!readable) {
    throw new CairnError('not-found', 'there is no such block, or it is not yours; check the ids');
  }
  return readKnownBlocks(blocks, blockIds, memory);
}
