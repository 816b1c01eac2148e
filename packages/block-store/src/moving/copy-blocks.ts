import type { StoredBlock } from '@cairn/content';
import type { Environment } from '@cairn/environment';
import { type BlockId, isCairnError } from '@cairn/model';
import type { BlockStore } from '../block-store.ts';
import { createPace } from '../segments/pace.ts';

export interface BlockCopierOptions {
  readonly from: BlockStore;
  readonly to: BlockStore;
  /** Whether a block's payload really is what its id names; nothing else is copied. */
  readonly verify: (block: StoredBlock) => boolean;
  readonly environment: Environment;
  /** Payload bytes that may be copied each second; unlimited unless told. */
  readonly bytesPerSecond?: number;
  readonly signal: AbortSignal;
}

/** What became of the blocks of one call. */
export interface CopyReport {
  readonly copiedBlocks: number;
  readonly copiedBytes: number;
  /** Read, and not what was written, in every place that has them; or in no place at all. */
  readonly bad: readonly BlockId[];
  /** A place that may have them did not answer. */
  readonly unavailable: readonly BlockId[];
}

const MAX_GROUP_BLOCKS = 32;
const MAX_GROUP_BYTES = 8 * 1024 * 1024;

/**
 * Brings blocks from one store into another, with the generations that they have. What a delete took away meanwhile
 * may so come back, and is an orphan then, that is collected. May be repeated and stopped at any time.
 * @returns what to call with ids, and with generations that theirs must be above; it throws what `to` throws, `storage-full` and `unavailable` among it, and the signal's
 * reason
 */
export function createBlockCopier(
  options: BlockCopierOptions,
): (blockIds: readonly BlockId[], above?: ReadonlyMap<BlockId, number>) => Promise<CopyReport> {
  const { from, to, verify, environment, signal } = options;
  const keepPace = createPace({ environment, bytesPerSecond: options.bytesPerSecond, signal });

  /** From the old place, else from what the new one has already: too few replicas, say. */
  async function read(blockId: BlockId): Promise<StoredBlock | 'bad' | 'unavailable'> {
    let verdict: 'bad' | 'unavailable' = 'bad';
    for (const store of [from, to]) {
      try {
        const block = await store.get(blockId);
        if (block !== null && verify(block)) return block;
      } catch (error) {
        if (isCairnError(error, 'data-damaged')) continue;
        if (!isCairnError(error, 'unavailable')) throw error;
        verdict = 'unavailable';
      }
    }
    return verdict;
  }

  async function* readAll(
    blockIds: readonly BlockId[],
  ): AsyncGenerator<readonly [BlockId, Awaited<ReturnType<typeof read>>]> {
    const stream = from.getMany(blockIds)[Symbol.asyncIterator]();
    let isBroken = false;
    try {
      for (const blockId of blockIds) {
        let block: StoredBlock | null = null;
        if (!isBroken) {
          try {
            const result = await stream.next();
            block = result.done === true ? null : result.value;
          } catch {
            // One that cannot be read keeps none of the others from being copied.
            isBroken = true;
          }
        }
        yield [blockId, block !== null && verify(block) ? block : await read(blockId)];
      }
    } finally {
      await stream.return?.();
    }
  }

  return async (blockIds, above) => {
    const report = {
      copiedBlocks: 0,
      copiedBytes: 0,
      bad: [] as BlockId[],
      unavailable: [] as BlockId[],
    };
    const floors = new Map(above);
    // Asked before anything is read: what is written above these while it is read is not written over.
    for (const location of await from.locate(blockIds)) {
      if (location === null) continue;
      const { blockId, generation } = location;
      floors.set(blockId, Math.max(floors.get(blockId) ?? 0, generation - 1));
    }
    let group: StoredBlock[] = [];
    let groupBytes = 0;

    async function write(): Promise<void> {
      if (group.length === 0) return;
      await keepPace(groupBytes);
      await to.put(group, floors);
      report.copiedBlocks += group.length;
      report.copiedBytes += groupBytes;
      group = [];
      groupBytes = 0;
    }

    for await (const [blockId, block] of readAll(blockIds)) {
      signal.throwIfAborted();
      if (block === 'bad' || block === 'unavailable') {
        report[block].push(blockId);
        continue;
      }
      group.push(block);
      groupBytes += block.payload.length;
      if (group.length >= MAX_GROUP_BLOCKS || groupBytes >= MAX_GROUP_BYTES) await write();
    }
    await write();
    return report;
  };
}
