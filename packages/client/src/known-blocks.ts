import type { BlockId } from '@cairn/model';

/** Remembers at least the last `capacity` ids, at most twice as many. */
export interface KnownBlocks {
  has(blockId: BlockId): boolean;
  add(blockId: BlockId): void;
  remove(blockId: BlockId): void;
}

/** Forgetting only costs asking the server again, so memory stays bounded for uploads of any length. */
export function createKnownBlocks(capacity = 250_000): KnownBlocks {
  let young = new Set<BlockId>();
  let old = new Set<BlockId>();
  return {
    has: (blockId) => young.has(blockId) || old.has(blockId),
    add(blockId) {
      young.add(blockId);
      if (young.size < capacity) return;
      old = young;
      young = new Set();
    },
    remove(blockId) {
      young.delete(blockId);
      old.delete(blockId);
    },
  };
}
