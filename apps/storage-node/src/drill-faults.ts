import type { SegmentBlockStore } from '@cairn/block-store';
import { type ContentPlatform, openBlock, type StoredBlock } from '@cairn/content';
import type { Environment } from '@cairn/environment';
import { CairnError } from '@cairn/model';
import type { NodeDrill } from '@cairn/node-api';
import { DRILL_CANARY_MARK } from '@cairn/protocol';

export interface DrillFaultsOptions {
  readonly segments: SegmentBlockStore;
  readonly platform: ContentPlatform;
  readonly environment: Environment;
}

export interface DrillFaults extends NodeDrill {
  /** Why nothing new is taken now, or `null`. */
  refusal(): string | null;
}

const MARK = Buffer.from(DRILL_CANARY_MARK);

/** What drills do to this node. All of it ends by itself, and is forgotten at the next start. */
export function createDrillFaults({ segments, platform, environment }: DrillFaultsOptions): DrillFaults {
  let fullUntilMs = 0;

  /** By its own bytes, which were compared with the block's id: nobody's word is taken for it. */
  function isCanary(block: StoredBlock): boolean {
    if (block.kind !== 'chunk') return false;
    const plain = openBlock(platform, block);
    return MARK.equals(plain.subarray(0, MARK.length));
  }

  return {
    refusal: () =>
      environment.clock.monotonicMs() < fullUntilMs
        ? 'a drill wants this node to be full for a moment'
        : null,
    reportFull(forMs) {
      fullUntilMs = environment.clock.monotonicMs() + forMs;
    },
    async damageCanary(blockId) {
      if (await segments.damage(blockId, isCanary)) return;
      throw new CairnError(
        'precondition-failed',
        `block ${blockId} is not here or was not made by a drill to be damaged; it was left as it is`,
        { details: { blockId } },
      );
    },
  };
}
