import type { StoredBlock } from '@cairn/content';
import { type BlockId, CairnError, isCairnError } from '@cairn/model';
import type { BlockLocation, BlockStore } from '../block-store.ts';
import { SEALED_EXTRA_BYTES, type Sealing } from './sealing.ts';

/**
 * A store whose disk shows neither contents nor ids. Puts are sealed here, and every id is blinded on its way in and
 * named again on its way out.
 * @param inner opens what it reads with the same sealing, so that what does not open is quarantined like other damage
 */
export function createSealedBlockStore(inner: BlockStore, sealing: Sealing): BlockStore {
  const { blind, unblind } = sealing;

  function nameLocation(location: BlockLocation): BlockLocation {
    const storedBytes = location.storedBytes - SEALED_EXTRA_BYTES;
    return { ...location, blockId: unblind(location.blockId), storedBytes };
  }

  /** An error that names a block by the id that the caller knows. */
  function nameError(error: unknown): unknown {
    const blinded = isCairnError(error) ? error.details['blockId'] : undefined;
    if (!isCairnError(error) || typeof blinded !== 'string') return error;
    const blockId = unblind(blinded as BlockId);
    const message = error.message.replaceAll(blinded, blockId);
    return new CairnError(error.code, message, {
      cause: error.cause,
      details: { ...error.details, blockId },
    });
  }

  async function* named(blocks: AsyncIterable<StoredBlock | null>): AsyncGenerator<StoredBlock | null> {
    try {
      yield* blocks;
    } catch (error) {
      throw nameError(error);
    }
  }

  return {
    async put(blocks, above) {
      const blindedAbove =
        above === undefined ? undefined : new Map([...above].map(([id, least]) => [blind(id), least]));
      return (await inner.put(blocks.map(sealing.seal), blindedAbove)).map(nameLocation);
    },
    async get(blockId) {
      try {
        return await inner.get(blind(blockId));
      } catch (error) {
        throw nameError(error);
      }
    },
    getMany: (blockIds, memory) => named(inner.getMany(blockIds.map(blind), memory)),
    has: (blockIds) => inner.has(blockIds.map(blind)),
    async locate(blockIds) {
      const locations = await inner.locate(blockIds.map(blind));
      return locations.map((location) => (location === null ? null : nameLocation(location)));
    },
    delete: ({ blockId, generation }, fence) => inner.delete({ blockId: blind(blockId), generation }, fence),
    async *list(after) {
      const from = after === undefined ? undefined : blind(after);
      for await (const location of inner.list(from)) yield nameLocation(location);
    },
    usage: () => inner.usage(),
    compact: (options) => inner.compact(options),
    async scrub(options) {
      const report = await inner.scrub(options);
      return { ...report, damaged: report.damaged.map(unblind) };
    },
    checkHealth: () => inner.checkHealth(),
    close: () => inner.close(),
  };
}
