import { type BlockLocation, createMemoryBlockStore } from '@cairn/block-store';
import type { StoredBlock } from '@cairn/content';
import type { BlockId } from '@cairn/model';
import { createFencingTokens } from '@cairn/node-api';
import { isTrue } from './contents.ts';

/** What is known of one block on a disk. */
interface DiskRecord {
  readonly generation: number;
  /** `null` once it is deleted. */
  readonly block: StoredBlock | null;
  readonly isRotten: boolean;
  /** It was written with other bytes than its id names. */
  readonly isWrong: boolean;
}

/**
 * The folder of a storage node: a real block store, and beside it what a look from outside sees of it. Everything that
 * was written is durable.
 */
export class NodeDisk {
  readonly storeUuid: string;
  bootCount: number;
  readonly blocks = createMemoryBlockStore();
  readonly fencing: ReturnType<typeof createFencingTokens>;
  readonly #records = new Map<BlockId, DiskRecord>();
  /** When a block was last whole here, for those that are not any more. */
  readonly #lastWholeMs = new Map<BlockId, number>();
  /** The highest token that was used here, by job: what the node itself should remember. */
  readonly usedTokens = new Map<string, number>();
  readonly #nowMs: () => number;

  constructor(
    storeUuid: string,
    bootCount: number,
    tokens: Readonly<Record<string, number>>,
    nowMs: () => number,
  ) {
    this.storeUuid = storeUuid;
    this.bootCount = bootCount;
    this.fencing = createFencingTokens(tokens, async () => undefined);
    this.#nowMs = nowMs;
  }

  async put(
    blocks: readonly StoredBlock[],
    above: ReadonlyMap<BlockId, number> | undefined,
  ): Promise<readonly BlockLocation[]> {
    const locations = await this.blocks.put(blocks, above);
    for (const [index, { blockId, generation }] of locations.entries()) {
      const known = this.#records.get(blockId);
      if (known?.generation === generation && known.block !== null) continue;
      const block = blocks[index] as StoredBlock;
      this.#records.set(blockId, { generation, block, isRotten: false, isWrong: !isTrue(block) });
    }
    return locations;
  }

  /** To be called after the store deleted something. */
  noteDelete(blockId: BlockId, generation: number): void {
    if (this.isWhole(blockId)) this.#lastWholeMs.set(blockId, this.#nowMs());
    this.#records.set(blockId, { generation, block: null, isRotten: false, isWrong: false });
  }

  /** Whether the disk has the block's true bytes, whatever its node knows. */
  isWhole(blockId: BlockId): boolean {
    const record = this.#records.get(blockId);
    return record !== undefined && record.block !== null && !record.isRotten && !record.isWrong;
  }

  has(blockId: BlockId): boolean {
    return (this.#records.get(blockId)?.block ?? null) !== null;
  }

  generationOf(blockId: BlockId): number {
    return this.#records.get(blockId)?.generation ?? 0;
  }

  wasWholeSince(blockId: BlockId, atMs: number): boolean {
    return this.isWhole(blockId) || (this.#lastWholeMs.get(blockId) ?? -1) >= atMs;
  }

  wholeBlocks(): BlockId[] {
    return [...this.#records.keys()].filter((blockId) => this.isWhole(blockId));
  }

  storedBlocks(): BlockId[] {
    return [...this.#records.keys()].filter((blockId) => this.has(blockId));
  }

  rot(blockId: BlockId): void {
    const record = this.#records.get(blockId);
    if (record?.block == null || record.isRotten) return;
    this.blocks.damage(blockId);
    this.#lastWholeMs.set(blockId, this.#nowMs());
    this.#records.set(blockId, { ...record, isRotten: true });
  }

  /** The same folder copied: same identity, same blocks in the same generations, same deletes. */
  async copy(): Promise<NodeDisk> {
    const copy = new NodeDisk(this.storeUuid, this.bootCount, { ...this.fencing.highest }, this.#nowMs);
    for (const [job, token] of this.usedTokens) copy.usedTokens.set(job, token);
    for (const [blockId, { generation, block, isRotten }] of this.#records) {
      const stored: StoredBlock = block ?? {
        blockId,
        kind: 'chunk',
        codec: 'raw',
        plainBytes: 1,
        payload: Uint8Array.of(0),
      };
      await copy.put([stored], new Map([[blockId, generation - 1]]));
      if (block === null) {
        await copy.blocks.delete({ blockId, generation });
        copy.noteDelete(blockId, generation);
        copy.#lastWholeMs.delete(blockId);
      } else if (isRotten) copy.rot(blockId);
    }
    return copy;
  }
}
