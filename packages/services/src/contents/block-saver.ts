import type { SpaceId } from '@cairn/model';
import type { Principal } from '../authorisation/principal.ts';
import type { VerifiedBlock } from '../blocks/describe-blocks.ts';
import { saveVerifiedBlocks } from '../blocks/store-blocks.ts';
import type { DataDependencies } from '../data-dependencies.ts';

const BATCH_BYTES = 4 * 1024 * 1024;
const BATCH_BLOCKS = 512;

/** Stores blocks in batches, one of them under way while the next gathers: at most two batches are in memory. */
export interface BlockSaver {
  add(block: VerifiedBlock): Promise<void>;
  /** Resolves when all that was added is durable. */
  finish(): Promise<void>;
  /** After a failure: resolves when nothing is under way any more. Never throws. */
  settle(): Promise<void>;
}

export function createBlockSaver(
  dependencies: DataDependencies,
  principal: Principal,
  spaceId: SpaceId,
): BlockSaver {
  let batch: VerifiedBlock[] = [];
  let batchBytes = 0;
  let underWay: Promise<void> = Promise.resolve();

  async function send(): Promise<void> {
    // In order: a manifest block must find in the metadata what it lists.
    await underWay;
    const sent = batch;
    batch = [];
    batchBytes = 0;
    underWay = saveVerifiedBlocks(dependencies, principal, spaceId, sent);
    // Whoever adds or finishes next meets the error; until then it must not count as unhandled.
    underWay.catch(() => undefined);
  }

  return {
    async add(block) {
      batch.push(block);
      batchBytes += block.block.payload.length;
      if (batchBytes >= BATCH_BYTES || batch.length >= BATCH_BLOCKS) await send();
    },
    async finish() {
      await send();
      await underWay;
    },
    settle: () => underWay.catch(() => undefined),
  };
}
