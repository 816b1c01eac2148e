import type { DeltaBlock, StoredBlock } from '@cairn/content';
import type { MetadataReader } from '@cairn/metadata-store';
import { type BlockId, CairnError, type SpaceId } from '@cairn/model';
import { authoriseSpace } from '../authorisation/authorise.ts';
import type { Principal } from '../authorisation/principal.ts';
import type { DataDependencies } from '../data-dependencies.ts';
import { LEASE_MS, MAX_BLOCKS_PER_CALL } from './block-limits.ts';
import { blocksMissing, checkReachable } from './check-reachable.ts';
import { completeDeltas } from './complete-deltas.ts';
import { describeBlocks, listOutsideParts, type VerifiedBlock, verifyBlock } from './describe-blocks.ts';

/** How often blocks are put again because their delete may be on its way. One more than enough but in a bug. */
const MAX_PUTS = 8;

/**
 * Makes verified blocks durable, then known and leased to the user. Whether anybody had them before changes nothing
 * in what is checked and answered. Known limit: the block store does not write what it has already, so the answer
 * comes one flush sooner (9 ms instead of 16 where that was measured). Somebody who has a whole block and sends it
 * can tell from that whether anybody had it; they get no more than this one bit, and only by the full upload.
 *
 * Garbage collection may sweep a block between the put, which found it there, and the transaction. That
 * refuses then, and the block is put again above the generation that will be deleted: docs/adr/0011-garbage-collection.md.
 * @throws CairnError `not-found`, `block-wrong`, `blocks-missing` (details.blocks), `storage-full`, `unavailable`
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

  const above = new Map<BlockId, number>();
  /** What nobody has is written above everything that was ever deleted and forgotten: a delete of it may still come. */
  async function raise(reader: MetadataReader): Promise<void> {
    const floor = await reader.readGenerationFloor();
    if (floor === 0) return;
    const ids = [...unique.keys()];
    const rows = await reader.getBlocks(ids);
    for (const [place, blockId] of ids.entries()) {
      if (rows[place] === undefined) above.set(blockId, Math.max(floor, above.get(blockId) ?? 0));
    }
  }

  let { outside, prunings } = await store.read(
    async (reader) => {
      await authoriseSpace(reader, principal, 'write', spaceId);
      const { records, missing } = await checkReachable(reader, principal.userId, spaceId, listed, now);
      // A manifest block must not carry blocks of other people into this account.
      if (missing.length > 0) throw blocksMissing(missing);
      await raise(reader);
      return { outside: records, prunings: await reader.countPrunings() };
    },
    { sees: 'latest' },
  );
  const records = describeBlocks(given, outside, now);
  const leased = [...records.map((record) => record.blockId), ...listed];
  for (let puts = 0; puts < MAX_PUTS; puts++) {
    const locations = await blocks.put(
      given.map(({ block }) => block),
      above,
    );
    const generations = new Map(locations.map(({ blockId, generation }) => [blockId, generation]));
    const outcome = await store.transact(async (transaction) => {
      await authoriseSpace(transaction, principal, 'write', spaceId);
      // What the blocks list may have been let go since it was looked at.
      const reach = await transaction.canReach(principal.userId, listed, now);
      const missing = listed.filter((_, position) => reach[position] !== true);
      if (missing.length > 0) throw blocksMissing(missing);
      const late = await transaction.insertBlocks(records, { generations, prunings });
      if (late.size === 0) await transaction.leaseBlocks(principal.userId, leased, now + LEASE_MS);
      for (const [blockId, generation] of late) {
        above.set(blockId, Math.max(generation, above.get(blockId) ?? 0));
      }
      if (late.size > 0) await raise(transaction);
      return { late, prunings: await transaction.countPrunings() };
    });
    if (outcome.late.size === 0) return;
    prunings = outcome.prunings;
  }
  throw new CairnError('unavailable', 'the server is cleaning up these very blocks; try again');
}

/** See `BlocksService.storeBlocks`. */
export async function storeBlocks(
  dependencies: DataDependencies,
  principal: Principal,
  spaceId: SpaceId,
  blocks: readonly (StoredBlock | DeltaBlock)[],
): Promise<number> {
  if (blocks.length > MAX_BLOCKS_PER_CALL) {
    throw new CairnError(
      'too-large',
      `one request brings at most ${MAX_BLOCKS_PER_CALL} blocks; send several`,
    );
  }
  // Who may not write here learns nothing from how long a check of the blocks takes.
  await dependencies.store.read((reader) => authoriseSpace(reader, principal, 'write', spaceId), {
    sees: 'latest',
  });
  const deltas = blocks.filter((block) => block.codec === 'delta');
  const completed = await completeDeltas(dependencies, principal, spaceId, deltas);
  const whole = blocks.filter((block) => block.codec !== 'delta');
  // All settle before one may fail: the caller uses their memory for something else then.
  const checks = whole.map(async (block) => verifyBlock(dependencies.platform, block));
  await Promise.allSettled(checks);
  const verified = await Promise.all(checks);
  await saveVerifiedBlocks(dependencies, principal, spaceId, [...verified, ...completed]);
  return blocks.length;
}
