import type { BlockId, SpaceId } from '@cairn/model';
import { authoriseSpace } from '../authorisation/authorise.ts';
import type { Principal } from '../authorisation/principal.ts';
import type { DataDependencies } from '../data-dependencies.ts';
import { checkBlockIds, LEASE_MS } from './block-limits.ts';

/**
 * See `BlocksService.findMissingBlocks`. Only what the user can reach is ever "there": a block that another account
 * alone holds is missing, like one that nobody has.
 */
export async function findMissingBlocks(
  { store, blocks, environment }: DataDependencies,
  principal: Principal,
  spaceId: SpaceId,
  blockIds: readonly BlockId[],
): Promise<readonly BlockId[]> {
  checkBlockIds(blockIds);
  const now = environment.clock.now();
  const wanted = [...new Set(blockIds)];
  const some = await store.read(async (reader) => {
    await authoriseSpace(reader, principal, 'write', spaceId);
    return (await reader.canReach(principal.userId, wanted, now)).some(Boolean);
  });
  // New contents are the common case: they need no lease, and so no turn among the writers.
  if (!some) return wanted;
  const reachable = await store.transact(async (transaction) => {
    await authoriseSpace(transaction, principal, 'write', spaceId);
    const reach = await transaction.canReach(principal.userId, wanted, now);
    const found = wanted.filter((_, position) => reach[position] === true);
    if (found.length > 0) await transaction.leaseBlocks(principal.userId, found, now + LEASE_MS);
    return found;
  });
  // A block that the store lost is asked for again: the next upload heals it.
  const held = await blocks.has(reachable);
  const present = new Set(reachable.filter((_, position) => held[position] === true));
  return wanted.filter((blockId) => !present.has(blockId));
}
