import type { MetadataStore } from '@cairn/metadata-store';
import type { BlockId } from '@cairn/model';
import { REPLICAS } from '../world/cluster-server.ts';
import type { StorageNode } from '../world/storage-node.ts';
import { ALL_SHARDS, blockOf, countReplicas, countShards, strengthOf } from './strength.ts';

interface Loss {
  count: number;
  lastMs: number;
}

const MAX_ROWS = 10_000;

/**
 * What the world itself has destroyed of each block. A cluster of R replicas survives R - 1 losses, until a comparison
 * that began after them has found all replicas there again; one of six shards each survives as much. Within that, and never the last true copy, the world may
 * destroy anything; so whatever is gone all the same was lost by the product.
 */
export class Losses {
  readonly #store: MetadataStore;
  readonly #nodes: readonly StorageNode[];
  readonly #nowMs: () => number;
  readonly #losses = new Map<BlockId, Loss>();
  /** Puts that have begun and whose rows are perhaps not written. */
  readonly #sending = new Map<BlockId, number>();

  constructor(store: MetadataStore, nodes: readonly StorageNode[], nowMs: () => number) {
    this.#store = store;
    this.#nodes = nodes;
    this.#nowMs = nowMs;
  }

  beginSending(blockIds: readonly BlockId[]): void {
    for (const blockId of blockIds) this.#sending.set(blockId, (this.#sending.get(blockId) ?? 0) + 1);
  }

  endSending(blockIds: readonly BlockId[]): void {
    for (const blockId of blockIds) {
      const left = (this.#sending.get(blockId) ?? 0) - 1;
      if (left > 0) this.#sending.set(blockId, left);
      else this.#sending.delete(blockId);
    }
  }

  #present(): StorageNode[] {
    return this.#nodes.filter(({ removedMs }) => removedMs === null);
  }

  /** Whether these records of one disk, replicas and shards, may be destroyed at once; notes it if so. */
  async destroy(disk: StorageNode, storedIds: readonly BlockId[]): Promise<boolean> {
    const { blockIds: rows } = await this.#store.read((reader) => reader.pageBlockIds(0, MAX_ROWS));
    const needed = new Set<BlockId>([...rows, ...this.#sending.keys()]);
    const destroyed = new Set(storedIds);
    const concerned = [...new Set(storedIds.map(blockOf))].filter((blockId) => needed.has(blockId));
    const isLeft = (node: StorageNode, id: BlockId) => node !== disk || !destroyed.has(id);
    const isAllowed = concerned.every(
      (blockId) =>
        strengthOf(this.#present(), blockId, isLeft) >= 1 &&
        (this.#losses.get(blockId)?.count ?? 0) < REPLICAS - 1,
    );
    if (!isAllowed) return false;
    for (const blockId of concerned) {
      const count = (this.#losses.get(blockId)?.count ?? 0) + 1;
      this.#losses.set(blockId, { count, lastMs: this.#nowMs() });
    }
    return true;
  }

  /** A comparison of everything that began at this time has ended. */
  compared(begunMs: number): void {
    const wanted = Math.min(REPLICAS, this.#present().length);
    for (const [blockId, { lastMs }] of this.#losses) {
      const isFull =
        countReplicas(this.#present(), blockId) >= wanted ||
        countShards(this.#present(), blockId) === ALL_SHARDS;
      if (lastMs < begunMs && isFull) this.#losses.delete(blockId);
    }
  }
}
