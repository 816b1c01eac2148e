import type { StoredBlock } from '@cairn/content';
import type { BlockRecord } from '@cairn/metadata-store';
import { type BlockId, CairnError, type SpaceId } from '@cairn/model';
import { authoriseSpace } from '../authorisation/authorise.ts';
import type { Principal } from '../authorisation/principal.ts';
import type { DataDependencies } from '../data-dependencies.ts';
import { LEASE_MS, MAX_BLOCKS_PER_CALL } from './block-limits.ts';
import { blocksMissing, checkReachable } from './check-reachable.ts';
import { describeBlocks, listOutsideParts, type VerifiedBlock, verifyBlock } from './describe-blocks.ts';

/**
 * Makes verified blocks durable, then known and leased to the user. Whether anybody had them before changes nothing
 * in what is checked and answered. Known limit: the block store does not write what it has already, so the answer
 * comes one flush sooner (9 ms instead of 16 where that was measured). Somebody who has a whole block and sends it
 * can tell from that whether anybody had it; they get no more than this one bit, and only by the full upload.
 */
export async function saveVerifiedBlocks(
  { store, blocks, environment }: DataDependencies,
  principal: Principal,
  spaceId: SpaceId,
  verified: readonly VerifiedBlock[],
): Promise<void> {
  if (verified.length === 0) return;
  const now = environment.clock.now();
  const unique = new Map<BlockId, VerifiedBlock>();
  for (const one of verified) unique.set(one.block.blockId, one);
  const given = [...unique.values()];
  const listed = listOutsideParts(given);

  const outside: ReadonlyMap<BlockId, BlockRecord> = await store.read(async (reader) => {
    await authoriseSpace(reader, principal, 'write', spaceId);
    const { records, missing } = await checkReachable(reader, principal.userId, spaceId, listed, now);
    // A manifest block must not carry blocks of other people into this account.
    if (missing.length > 0) throw blocksMissing(missing);
    return records;
  });
  const records = describeBlocks(given, outside, now);
  await blocks.put(given.map(({ block }) => block));
  await store.transact(async (transaction) => {
    await authoriseSpace(transaction, principal, 'write', spaceId);
    await transaction.insertBlocks(records);
    const leased = [...records.map((record) => record.blockId), ...listed];
    await transaction.leaseBlocks(principal.userId, leased, now + LEASE_MS);
  });
}

/** See `BlocksService.storeBlocks`. */
export async function storeBlocks(
  dependencies: DataDependencies,
  principal: Principal,
  spaceId: SpaceId,
  blocks: readonly StoredBlock[],
): Promise<number> {
  if (blocks.length > MAX_BLOCKS_PER_CALL) {
    throw new CairnError(
      'too-large',
      `one request brings at most ${MAX_BLOCKS_PER_CALL} blocks; send several`,
    );
  }
  // Who may not write here learns nothing from how long a check of the blocks takes.
  await dependencies.store.read((reader) => authoriseSpace(reader, principal, 'write', spaceId));
  const verified = blocks.map((block) => verifyBlock(dependencies.platform, block));
  await saveVerifiedBlocks(dependencies, principal, spaceId, verified);
  return blocks.length;
}
