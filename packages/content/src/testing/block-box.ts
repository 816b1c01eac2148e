import type { BlockId, FileContent } from '@cairn/model';
import { encodeBlock, openBlock } from '../block-encoding.ts';
import { listChunks } from '../list-chunks.ts';
import type { EmitBlock } from '../plain-block.ts';
import type { ContentPlatform } from '../platform.ts';
import type { StoredBlock } from '../stored-block.ts';

/** A block store in memory for tests. */
export interface BlockBox {
  readonly blocks: Map<BlockId, StoredBlock>;
  /** Ids in the order in which they were emitted. */
  readonly emitted: BlockId[];
  readonly emit: EmitBlock;
  readPlain(blockId: BlockId): Promise<Uint8Array>;
  reassemble(content: FileContent): Promise<Uint8Array>;
}

export function createBlockBox(platform: ContentPlatform): BlockBox {
  const blocks = new Map<BlockId, StoredBlock>();
  const emitted: BlockId[] = [];
  async function readPlain(blockId: BlockId): Promise<Uint8Array> {
    const block = blocks.get(blockId);
    if (block === undefined) throw new Error(`no block ${blockId}`);
    return openBlock(platform, block);
  }
  return {
    blocks,
    emitted,
    emit({ blockId, kind, plain }) {
      emitted.push(blockId);
      const block = encodeBlock(platform, kind, plain);
      if (block.blockId !== blockId) throw new Error('emitted under a wrong id');
      blocks.set(blockId, block);
    },
    readPlain,
    async reassemble(content) {
      const bytes = new Uint8Array(content.sizeBytes);
      let position = 0;
      for await (const part of listChunks(platform, content.manifest, readPlain)) {
        bytes.set(await readPlain(part.block), position);
        position += part.sizeBytes;
      }
      return bytes;
    },
  };
}
