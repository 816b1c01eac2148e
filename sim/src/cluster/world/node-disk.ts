import type { BlockLocation, BlockStore, Fence } from '@cairn/block-store';
import type { StoredBlock } from '@cairn/content';
import type { Environment } from '@cairn/environment';
import { type BlockId, CairnError } from '@cairn/model';
import { createFencingTokens, deleteWithFence } from '@cairn/node-api';
import { isTrue } from './contents.ts';
import type { SimulatedProcess } from './simulated-process.ts';
import type { StoreFolder } from './store-folder.ts';

/** What is known of one block on a disk. */
interface DiskRecord {
  readonly generation: number;
  /** `null` once it is deleted. */
  readonly block: StoredBlock | null;
  readonly isRotten: boolean;
  /** It was written with other bytes than its id names. */
  readonly isWrong: boolean;
}

/** A delete that was asked for and has not ended. */
interface Deleting {
  readonly generation: number;
  readonly fence: Fence | undefined;
}

/** What a process found in the folder that it opened. */
export interface Found {
  /** What it lacks or has come back, in words. */
  readonly problems: readonly string[];
  /** Deletes that the process before it had begun, and that have taken place. */
  readonly deleted: readonly { readonly blockId: BlockId; readonly fence: Fence | undefined }[];
}

/**
 * The folder of a storage node: a real segment store on a simulated disk, and beside it what a look from outside sees of
 * it: all that its store has acknowledged, which nothing but rot may take from then on.
 */
export class NodeDisk {
  readonly storeUuid: string;
  bootCount: number;
  readonly fencing: ReturnType<typeof createFencingTokens>;
  readonly #folder: StoreFolder;
  #blocks: BlockStore | null = null;
  readonly #records = new Map<BlockId, DiskRecord>();
  /** When a block was last whole here, for those that are not any more. */
  readonly #lastWholeMs = new Map<BlockId, number>();
  /** The highest token that was used here, by job: what the node itself should remember. */
  readonly usedTokens = new Map<string, number>();
  readonly #deleting = new Map<BlockId, Deleting>();
  readonly #nowMs: () => number;

  constructor(
    storeUuid: string,
    bootCount: number,
    tokens: Readonly<Record<string, number>>,
    folder: StoreFolder,
    nowMs: () => number,
  ) {
    this.storeUuid = storeUuid;
    this.bootCount = bootCount;
    this.fencing = createFencingTokens(tokens, async () => undefined);
    this.#folder = folder;
    this.#nowMs = nowMs;
  }

  /** The store of the process that has the folder. */
  get blocks(): BlockStore {
    if (this.#blocks !== null) return this.#blocks;
    throw new CairnError('unavailable', 'the storage node is starting');
  }

  /** Whether a cut of power could take anything. */
  get hasUnflushed(): boolean {
    return this.#folder.hasUnflushed;
  }

  /** Opens the folder for a process, and compares what is in it with what was acknowledged. */
  async open(process: SimulatedProcess, environment: Environment): Promise<Found> {
    const blocks = await this.#folder.open(process, environment, isTrue);
    const found = await this.#compare(blocks);
    this.#deleting.clear();
    this.#blocks = blocks;
    return found;
  }

  async #compare(blocks: BlockStore): Promise<Found> {
    const problems: string[] = [];
    const deleted: { blockId: BlockId; fence: Fence | undefined }[] = [];
    const found = new Map<BlockId, BlockLocation>();
    for await (const location of blocks.list()) found.set(location.blockId, location);
    for (const [blockId, record] of this.#records) {
      const there = found.get(blockId);
      if (record.isRotten) {
        // What rots before the index on the disk has it looks like a torn tail, and is cut off (ADR 0020).
        if (there === undefined)
          this.#records.set(blockId, { ...record, generation: record.generation - 1, block: null });
        continue;
      }
      const short = blockId.slice(0, 6);
      if (record.block === null) {
        if (there !== undefined && there.generation <= record.generation)
          problems.push(`block ${short} is back, although its delete was acknowledged`);
        continue;
      }
      const read =
        there === undefined || there.generation < record.generation
          ? null
          : await blocks.get(blockId).catch(() => null);
      if (read !== null && Buffer.compare(read.payload, record.block.payload) === 0) continue;
      if (there !== undefined && there.generation > record.generation) continue;
      const deleting = this.#deleting.get(blockId);
      if (there === undefined && deleting?.generation === record.generation) {
        this.#noteDelete(blockId, record.generation);
        deleted.push({ blockId, fence: deleting.fence });
        continue;
      }
      problems.push(`block ${short} was acknowledged, and is gone`);
      this.#records.set(blockId, { ...record, block: null });
    }
    // What was under way when the process ended may be there, too.
    for (const [blockId, { generation }] of found) {
      const known = this.#records.get(blockId);
      if (known !== undefined && known.generation >= generation) continue;
      const block = await blocks.get(blockId).catch(() => null);
      if (block === null) continue;
      this.#records.set(blockId, { generation, block, isRotten: false, isWrong: !isTrue(block) });
    }
    return { problems, deleted };
  }

  /** Ends the store in good order. */
  async close(): Promise<void> {
    this.#blocks = null;
    await this.#folder.close();
  }

  /** The process that has the folder has just died, with the power of its computer or alone. */
  leave(isPowerCut: boolean): Promise<void> {
    this.#blocks = null;
    return this.#folder.leave(isPowerCut);
  }

  async put(
    blocks: readonly StoredBlock[],
    above: ReadonlyMap<BlockId, number> | undefined,
  ): Promise<readonly BlockLocation[]> {
    const locations = await this.blocks.put(blocks, above);
    this.#folder.noteWrite();
    for (const [index, { blockId, generation }] of locations.entries()) {
      const known = this.#records.get(blockId);
      if (known !== undefined && known.generation >= generation) continue;
      const given = blocks[index] as StoredBlock;
      const block = { ...given, payload: new Uint8Array(given.payload) };
      this.#records.set(blockId, { generation, block, isRotten: false, isWrong: !isTrue(block) });
    }
    return locations;
  }

  /** @returns whether it was there, in that generation */
  async delete(
    location: Pick<BlockLocation, 'blockId' | 'generation'>,
    fence: Fence | undefined,
  ): Promise<boolean> {
    const { blockId, generation } = location;
    const deleting = { generation, fence };
    this.#deleting.set(blockId, deleting);
    const store = this.blocks;
    try {
      const [isDeleted = false] = await deleteWithFence(
        { blocks: store, fencing: this.fencing },
        [location],
        fence,
      );
      if (isDeleted) this.#noteDelete(blockId, generation);
      return isDeleted;
    } finally {
      // What was under way when the process ended may have taken place; the next one finds that out.
      if (store === this.#blocks && this.#deleting.get(blockId) === deleting) this.#deleting.delete(blockId);
    }
  }

  #noteDelete(blockId: BlockId, generation: number): void {
    this.#folder.noteWrite();
    if (this.generationOf(blockId) > generation) return;
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
    if (!this.#folder.rot(blockId, record.block.payload)) return;
    this.#lastWholeMs.set(blockId, this.#nowMs());
    this.#records.set(blockId, { ...record, isRotten: true });
  }

  /** The same folder copied: same identity, same blocks in the same generations, same deletes. */
  copy(): NodeDisk {
    const { storeUuid, bootCount, fencing } = this;
    const copy = new NodeDisk(storeUuid, bootCount, { ...fencing.highest }, this.#folder.copy(), this.#nowMs);
    for (const [job, token] of this.usedTokens) copy.usedTokens.set(job, token);
    for (const [blockId, record] of this.#records) copy.#records.set(blockId, record);
    return copy;
  }

  /** Nobody needs it any more. */
  remove(): void {
    this.#folder.remove();
  }
}
