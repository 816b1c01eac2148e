import { crc32 } from 'node:zlib';
import type { StoredBlock } from '@cairn/content';
import { type BlockId, CairnError } from '@cairn/model';
import type { BlockLocation, BlockStore } from '../block-store.ts';

const MAX_REPORTED = 1000;

export interface MemoryBlockStoreOptions {
  /** Payload bytes that fit; unlimited unless told. */
  readonly capacityBytes?: number;
}

export interface MemoryBlockStore extends BlockStore {
  /** Flips a bit of a stored payload, as a disk may. */
  damage(blockId: BlockId): void;
}

interface Held {
  readonly generation: number;
  /** `null` once deleted. */
  readonly block: StoredBlock | null;
  readonly checksum: number;
  quarantined: boolean;
}

/** Blocks in memory, for tests and simulations: durable only as long as the process. */
export function createMemoryBlockStore(options: MemoryBlockStoreOptions = {}): MemoryBlockStore {
  const capacityBytes = options.capacityBytes ?? Number.POSITIVE_INFINITY;
  const blocks = new Map<BlockId, Held>();
  let usedBytes = 0;
  let quarantinedRecords = 0;
  let closed = false;

  function checkOpen(): void {
    if (closed) throw new CairnError('unavailable', 'the block store is closed; start the server again');
  }

  function live(blockId: BlockId): (Held & { readonly block: StoredBlock }) | null {
    const held = blocks.get(blockId);
    return held === undefined || held.block === null
      ? null
      : (held as Held & { readonly block: StoredBlock });
  }

  /** Whether a block is what was put; quarantines it when it is not. */
  function isIntact(held: Held & { readonly block: StoredBlock }): boolean {
    if (!held.quarantined && crc32(held.block.payload) !== held.checksum) {
      held.quarantined = true;
      quarantinedRecords++;
    }
    return !held.quarantined;
  }

  function read(blockId: BlockId): StoredBlock | null {
    const held = live(blockId);
    if (held === null) return null;
    if (!isIntact(held)) {
      throw new CairnError('data-damaged', `block ${blockId} is damaged; upload the file again`, {
        details: { blockId },
      });
    }
    return { ...held.block, payload: new Uint8Array(held.block.payload) };
  }

  function locate(blockId: BlockId): BlockLocation {
    const held = live(blockId) as Held & { readonly block: StoredBlock };
    return { blockId, generation: held.generation, storedBytes: held.block.payload.length };
  }

  return {
    async put(given, above) {
      checkOpen();
      const missing = new Map<BlockId, StoredBlock>();
      for (const block of given) {
        const held = live(block.blockId);
        const isKept = (held?.generation ?? 0) > (above?.get(block.blockId) ?? 0);
        if (isKept && held?.quarantined === false) continue;
        missing.set(block.blockId, block);
      }
      let neededBytes = 0;
      for (const block of missing.values()) {
        neededBytes += block.payload.length - (live(block.blockId)?.block.payload.length ?? 0);
      }
      if (usedBytes + neededBytes > capacityBytes) {
        throw new CairnError('storage-full', 'the block store is full; free some space, then try again');
      }
      for (const block of missing.values()) {
        const known = blocks.get(block.blockId)?.generation ?? 0;
        const generation = Math.max(known, above?.get(block.blockId) ?? 0) + 1;
        const payload = new Uint8Array(block.payload);
        blocks.set(block.blockId, {
          generation,
          block: { ...block, payload },
          checksum: crc32(payload),
          quarantined: false,
        });
      }
      usedBytes += neededBytes;
      return given.map((block) => locate(block.blockId));
    },
    async get(blockId) {
      checkOpen();
      return read(blockId);
    },
    async *getMany(blockIds) {
      for (const blockId of blockIds) {
        checkOpen();
        yield read(blockId);
      }
    },
    async has(blockIds) {
      checkOpen();
      return blockIds.map((blockId) => live(blockId)?.quarantined === false);
    },
    async locate(blockIds) {
      checkOpen();
      return blockIds.map((blockId) => (live(blockId)?.quarantined === false ? locate(blockId) : null));
    },
    async delete({ blockId, generation }) {
      checkOpen();
      const held = live(blockId);
      if (held === null || held.generation !== generation) return false;
      usedBytes -= held.block.payload.length;
      blocks.set(blockId, { generation, block: null, checksum: 0, quarantined: false });
      return true;
    },
    async *list(after = '' as BlockId) {
      for (const blockId of [...blocks.keys()].filter((each) => each > after).sort()) {
        checkOpen();
        const held = blocks.get(blockId);
        if (held === undefined) continue;
        if (held.block !== null && !held.quarantined) yield locate(blockId);
      }
    },
    async usage() {
      checkOpen();
      let count = 0;
      let liveBytes = 0;
      for (const held of blocks.values()) {
        if (held.block === null || held.quarantined) continue;
        count++;
        liveBytes += held.block.payload.length;
      }
      return { blocks: count, liveBytes, diskBytes: usedBytes, quarantinedRecords, verifiedAt: null };
    },
    async compact() {
      checkOpen();
      // What is deleted here is gone at once.
      return {
        segmentsRewritten: 0,
        segmentsRemoved: 0,
        movedBytes: 0,
        freedBytes: 0,
        skippedDamaged: 0,
        stoppedBy: null,
      };
    },
    async scrub({ signal } = {}) {
      checkOpen();
      const damaged: BlockId[] = [];
      let damagedCount = 0;
      let checkedBlocks = 0;
      let checkedBytes = 0;
      for (const blockId of blocks.keys()) {
        if (signal?.aborted) break;
        const held = live(blockId);
        if (held === null || held.quarantined) continue;
        checkedBlocks++;
        checkedBytes += held.block.payload.length;
        if (isIntact(held)) continue;
        damagedCount++;
        if (damaged.length < MAX_REPORTED) damaged.push(blockId);
      }
      const stoppedBy = signal?.aborted ? 'aborted' : null;
      return { checkedBlocks, checkedBytes, damaged, damagedCount, unreadable: 0, durationMs: 0, stoppedBy };
    },
    async checkHealth() {
      checkOpen();
    },
    async close() {
      closed = true;
    },
    damage(blockId) {
      const held = live(blockId);
      if (held === null) throw new Error(`there is no block ${blockId}`);
      held.block.payload[0] = (held.block.payload[0] ?? 0) ^ 1;
    },
  };
}
