import type { StoredBlock } from '@cairn/content';
import { type BlockId, CairnError } from '@cairn/model';
import type { BlockStore } from '../block-store.ts';

export interface BlockStoreBounds {
  /** Bytes on disk above which nothing new is taken; `null`: as many as the disk has. */
  readonly capacityBytes: number | null;
  /** Why nothing new is taken at this moment whatever room there is, for people; `null`: for no reason. */
  readonly refusal: () => string | null;
}

const MEBIBYTE = 1024 * 1024;
/** What a record takes besides its payload, roughly and not less. */
const RECORD_EXTRA_BYTES = 128;
/** A store says that it is full before the last block that fits has to be tried. */
const MAX_MARGIN_BYTES = 16 * MEBIBYTE;
const MARGIN_SHARE = 0.05;

/**
 * A store that behaves as one on a full disk when its capacity is used up: it refuses what is new with `storage-full`,
 * and `checkHealth` says so; reads, deletes and compaction go on. Bytes that deleted blocks still have on disk count until a
 * compaction gives them back.
 */
export function createBoundedBlockStore(
  inner: BlockStore,
  { capacityBytes, refusal }: BlockStoreBounds,
): BlockStore {
  /** Of puts under way: what they bring is not on the disk yet. */
  let promisedBytes = 0;

  function full(reason: string): CairnError {
    return new CairnError(
      'storage-full',
      `${reason}; nothing of this request was stored. Add a node, or give this one more room with --capacity`,
      { details: { capacityBytes } },
    );
  }

  async function bytesOfNew(
    blocks: readonly StoredBlock[],
    above: ReadonlyMap<BlockId, number> | undefined,
  ): Promise<number> {
    const unique = [...new Map(blocks.map((block) => [block.blockId, block])).values()];
    const locations = await inner.locate(unique.map(({ blockId }) => blockId));
    let sizeBytes = 0;
    for (const [index, { blockId, payload }] of unique.entries()) {
      const generation = locations[index]?.generation ?? 0;
      if (generation > (above?.get(blockId) ?? 0)) continue;
      sizeBytes += payload.length + RECORD_EXTRA_BYTES;
    }
    return sizeBytes;
  }

  return {
    ...inner,
    async put(blocks, above) {
      const neededBytes = await bytesOfNew(blocks, above);
      if (neededBytes === 0) return inner.put(blocks, above);
      const reason = refusal();
      if (reason !== null) throw full(reason);
      if (capacityBytes === null) return inner.put(blocks, above);
      // Promised before the wait, so that two at a time do not both take the last room.
      promisedBytes += neededBytes;
      try {
        const { diskBytes } = await inner.usage();
        if (diskBytes + promisedBytes > capacityBytes) {
          throw full(`the capacity of ${capacityBytes} bytes is used up`);
        }
        return await inner.put(blocks, above);
      } finally {
        promisedBytes -= neededBytes;
      }
    },
    async checkHealth() {
      await inner.checkHealth();
      const reason = refusal();
      if (reason !== null) throw full(reason);
      if (capacityBytes === null) return;
      const { diskBytes } = await inner.usage();
      const marginBytes = Math.min(MAX_MARGIN_BYTES, capacityBytes * MARGIN_SHARE);
      if (diskBytes + marginBytes >= capacityBytes) {
        throw new CairnError(
          'storage-full',
          `the capacity of ${capacityBytes} bytes is used up; add a node, or give this one more room with --capacity`,
          { details: { capacityBytes, diskBytes } },
        );
      }
    },
  };
}
