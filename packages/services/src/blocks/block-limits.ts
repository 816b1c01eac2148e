import { type BlockId, CairnError, isBlockId } from '@cairn/model';

/** Blocks that one call may name or bring. */
export const MAX_BLOCKS_PER_CALL = 4096;
/**
 * Parts of manifest blocks that one commit, or one call that brings blocks, may make the server look at. What a
 * space already references is not looked at again, so this bounds what is new: 2 TiB in chunks of 1 MiB.
 */
export const MAX_LISTED_PARTS = 2 * 1024 * 1024;
/**
 * Deltas of one call, blocks that it has signed, or blocks that it wants as deltas; and the plain bytes of all blocks that these are
 * made from, each counted as often as it is named.
 */
export const MAX_DELTAS_PER_CALL = 256;
export const MAX_DELTA_BASE_BYTES = 32 * 1024 * 1024;
/** How long what a user sent, or was told is there, is kept for a commit. */
export const LEASE_MS = 48 * 60 * 60 * 1000;
/** How long a resumable upload lasts. Not longer than the leases of its first part's blocks. */
export const UPLOAD_LIFE_MS = LEASE_MS;

/** @throws CairnError `too-large`, `bad-request` */
export function checkBlockIds(blockIds: readonly BlockId[]): void {
  if (blockIds.length > MAX_BLOCKS_PER_CALL) {
    throw new CairnError(
      'too-large',
      `one request names at most ${MAX_BLOCKS_PER_CALL} blocks; send several`,
    );
  }
  if (!blockIds.every((blockId) => isBlockId(blockId))) {
    throw new CairnError('bad-request', 'a block id is "01" or "02" and the 64 hex digits of a SHA-256');
  }
}
