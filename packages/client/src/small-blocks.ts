import { type ContentPlatform, openBlock } from '@cairn/content';
import { type BlockId, isCairnError } from '@cairn/model';
import { decodePack } from '@cairn/protocol';

/** So much is kept until it is wanted; the oldest go first. */
const MAX_BYTES = 256 * 1024;

/** Blocks that came along with changes, until somebody wants them. */
export interface SmallBlocks {
  /** Takes a pack as base64. What does not open is passed over: it will be asked for. */
  take(pack: string): void;
  /** A block's verified plain bytes, once. */
  remove(blockId: BlockId): Uint8Array | undefined;
}

export function createSmallBlocks(platform: ContentPlatform): SmallBlocks {
  const kept = new Map<BlockId, Uint8Array>();
  let keptBytes = 0;

  function remove(blockId: BlockId): Uint8Array | undefined {
    const plain = kept.get(blockId);
    if (plain !== undefined && kept.delete(blockId)) keptBytes -= plain.length;
    return plain;
  }

  return {
    take(pack) {
      try {
        for (const block of decodePack(Uint8Array.from(atob(pack), (character) => character.charCodeAt(0)))) {
          const plain = new Uint8Array(openBlock(platform, block));
          remove(block.blockId);
          kept.set(block.blockId, plain);
          keptBytes += plain.length;
        }
      } catch (error) {
        // Of no use, then: a browser cannot open what is compressed, and a broken pack is as good as none.
        if (!isCairnError(error) && !(error instanceof DOMException)) throw error;
      }
      for (const blockId of kept.keys()) {
        if (keptBytes <= MAX_BYTES) break;
        remove(blockId);
      }
    },
    remove,
  };
}
