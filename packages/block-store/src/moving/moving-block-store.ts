import type { StoredBlock } from '@cairn/content';
import { type BlockId, CairnError, isCairnError } from '@cairn/model';
import type { BlockLocation, BlockStore, BlockStoreUsage, Fence } from '../block-store.ts';
import { listBoth } from './list-both.ts';

export interface MovingBlockStoreOptions {
  /** Where the blocks were. */
  readonly from: BlockStore;
  /** Where they go: every write. */
  readonly to: BlockStore;
  /** Whether a block's payload really is what its id names; what a place answers counts only then. */
  readonly verify: (block: StoredBlock) => boolean;
}

const WINDOW_BLOCKS = 32;
const MAX_DAMAGED_LISTED = 1000;

/** What one place said of a block. */
type Answer =
  | { readonly kind: 'block'; readonly block: StoredBlock }
  | { readonly kind: 'absent' }
  | { readonly kind: 'failed'; readonly error: unknown };

function higher(one: BlockLocation | null, other: BlockLocation | null): BlockLocation | null {
  if (one === null || other === null) return one ?? other;
  return other.generation > one.generation ? other : one;
}

/** The earlier time; `null` when one that counts is not known. */
function earlier(usages: readonly BlockStoreUsage[]): number | null {
  const times = usages.filter(({ blocks }) => blocks > 0).map(({ verifiedAt }) => verifiedAt);
  return times.reduce(
    (least, time) => (least === null || time === null ? null : Math.min(least, time)),
    times[0] ?? null,
  );
}

/**
 * Two block stores as one while blocks move from the one to the other (docs/adr/0017-moving-blocks.md): writes go to the
 * new one alone, reads ask the new one and then the old one, and a block's generation is the higher of both. Closes both.
 */
export function createMovingBlockStore(options: MovingBlockStoreOptions): BlockStore {
  const { from, to, verify } = options;
  const deletes = new Map<BlockId, Promise<unknown>>();
  let closing: Promise<void> | null = null;

  function checkOpen(): void {
    if (closing !== null)
      throw new CairnError('unavailable', 'the block store is closed; start the server again');
  }

  async function ask(store: BlockStore, blockId: BlockId): Promise<Answer> {
    try {
      const block = await store.get(blockId);
      if (block === null) return { kind: 'absent' };
      if (verify(block)) return { kind: 'block', block };
      throw new CairnError('data-damaged', `block ${blockId} has other bytes than its id names`, {
        details: { blockId },
      });
    } catch (error) {
      return { kind: 'failed', error };
    }
  }

  async function get(blockId: BlockId): Promise<StoredBlock | null> {
    const answers: Answer[] = [];
    // The new place once more: between two questions a block may be written there and deleted from the old one.
    for (const store of [to, from, to]) {
      const answer = await ask(store, blockId);
      if (answer.kind === 'block') return answer.block;
      answers.push(answer);
    }
    const failures = answers.flatMap((answer) => (answer.kind === 'failed' ? [answer.error] : []));
    // Who did not answer may have it whole; only what was read and is wrong is damaged.
    const worst = failures.find((error) => !isCairnError(error, 'data-damaged')) ?? failures[0];
    if (worst !== undefined) throw worst;
    return null;
  }

  async function* readWindow(blockIds: readonly BlockId[]): AsyncGenerator<StoredBlock | null> {
    const found = await to.has(blockIds).catch(() => null);
    const isThere = (index: number) => found?.[index] === true;
    const places = [
      { store: to, ids: blockIds.filter((_, index) => isThere(index)) },
      { store: from, ids: blockIds.filter((_, index) => found !== null && !isThere(index)) },
    ].map(({ store, ids }) => ({ reads: store.getMany(ids)[Symbol.asyncIterator](), failed: false }));
    const [inTo, inFrom] = places as [(typeof places)[number], (typeof places)[number]];
    try {
      for (const [index, blockId] of blockIds.entries()) {
        const place = isThere(index) ? inTo : inFrom;
        let block: StoredBlock | null = null;
        if (found !== null && !place.failed) {
          try {
            const result = await place.reads.next();
            block = result.done === true ? null : result.value;
          } catch {
            // A stream that broke tells nothing more; `get` says what is the matter with each of the others.
            place.failed = true;
          }
        }
        yield block !== null && verify(block) ? block : await get(blockId);
      }
    } finally {
      await Promise.allSettled(places.map(({ reads }) => reads.return?.()));
    }
  }

  async function locateBoth(blockIds: readonly BlockId[]) {
    const [there, here] = await Promise.all([to.locate(blockIds), from.locate(blockIds)]);
    return blockIds.map((_, index) => ({ there: there[index] ?? null, here: here[index] ?? null }));
  }

  async function locate(blockIds: readonly BlockId[]): Promise<(BlockLocation | null)[]> {
    if (blockIds.length === 0) return [];
    return (await locateBoth(blockIds)).map(({ there, here }) => higher(there, here));
  }

  async function remove(
    { blockId, generation }: Pick<BlockLocation, 'blockId' | 'generation'>,
    fence: Fence | undefined,
  ): Promise<boolean> {
    const [both] = await locateBoth([blockId]);
    const { there, here } = both as NonNullable<typeof both>;
    if (higher(there, here)?.generation !== generation) return false;
    const held = [
      { store: to, location: there },
      { store: from, location: here },
    ].filter(({ location }) => location !== null) as { store: BlockStore; location: BlockLocation }[];
    // The lower one first: whoever ends in between finds the block still under the generation that is to be deleted.
    held.sort((one, other) => one.location.generation - other.location.generation);
    let hit = false;
    for (const { store, location } of held) if (await store.delete(location, fence)) hit = true;
    return hit;
  }

  /** Resolves when no delete of these is under way; what it is about to take must not count as there. */
  async function deletesEnded(blockIds: readonly BlockId[]): Promise<void> {
    const others = () => blockIds.flatMap((blockId) => deletes.get(blockId) ?? []);
    for (let waits = others(); waits.length > 0; waits = others()) await Promise.allSettled(waits);
  }

  return {
    async put(blocks, above) {
      checkOpen();
      const ids = blocks.map(({ blockId }) => blockId);
      await deletesEnded(ids);
      checkOpen();
      const floors = new Map(above);
      // What the old place has already keeps its generation, as in one store. When it does not answer, the block gets the
      // lower one that the new place counts; whoever put it is told by its tombstone if a delete could hit that.
      for (const location of await from.locate(ids).catch(() => [])) {
        if (location === null) continue;
        const { blockId, generation } = location;
        floors.set(blockId, Math.max(floors.get(blockId) ?? 0, generation - 1));
      }
      return floors.size === 0 ? to.put(blocks) : to.put(blocks, floors);
    },
    async get(blockId) {
      checkOpen();
      return get(blockId);
    },
    async *getMany(blockIds) {
      for (let start = 0; start < blockIds.length; start += WINDOW_BLOCKS) {
        checkOpen();
        yield* readWindow(blockIds.slice(start, start + WINDOW_BLOCKS));
      }
    },
    async has(blockIds) {
      checkOpen();
      return (await locate(blockIds)).map((location) => location !== null);
    },
    async locate(blockIds) {
      checkOpen();
      return locate(blockIds);
    },
    async delete(location, fence) {
      checkOpen();
      const { blockId } = location;
      // Nothing is waited for where nothing is under way: who puts right after this call must see it.
      for (let other = deletes.get(blockId); other !== undefined; other = deletes.get(blockId)) {
        await Promise.allSettled([other]);
      }
      checkOpen();
      const deleting = remove(location, fence).finally(() => deletes.delete(blockId));
      deletes.set(blockId, deleting);
      return deleting;
    },
    async *list(after) {
      checkOpen();
      for await (const location of listBoth(to, from, after)) {
        checkOpen();
        yield location;
      }
    },
    async usage() {
      checkOpen();
      const usages = await Promise.all([to.usage(), from.usage()]);
      const [there, here] = usages;
      return {
        // What is copied counts in both places, as it takes room in both.
        blocks: there.blocks + here.blocks,
        liveBytes: there.liveBytes + here.liveBytes,
        diskBytes: there.diskBytes + here.diskBytes,
        quarantinedRecords: there.quarantinedRecords + here.quarantinedRecords,
        verifiedAt: earlier(usages),
      };
    },
    async compact(options) {
      checkOpen();
      const there = await to.compact(options);
      const here = await from.compact(options);
      return {
        segmentsRewritten: there.segmentsRewritten + here.segmentsRewritten,
        segmentsRemoved: there.segmentsRemoved + here.segmentsRemoved,
        movedBytes: there.movedBytes + here.movedBytes,
        freedBytes: there.freedBytes + here.freedBytes,
        skippedDamaged: there.skippedDamaged + here.skippedDamaged,
        stoppedBy: here.stoppedBy ?? there.stoppedBy,
      };
    },
    async scrub(options) {
      checkOpen();
      const there = await to.scrub(options);
      const here = await from.scrub(options);
      return {
        checkedBlocks: there.checkedBlocks + here.checkedBlocks,
        checkedBytes: there.checkedBytes + here.checkedBytes,
        damaged: [...new Set([...there.damaged, ...here.damaged])].slice(0, MAX_DAMAGED_LISTED),
        damagedCount: there.damagedCount + here.damagedCount,
        unreadable: there.unreadable + here.unreadable,
        durationMs: there.durationMs + here.durationMs,
        stoppedBy: here.stoppedBy ?? there.stoppedBy,
      };
    },
    async checkHealth() {
      checkOpen();
      await to.checkHealth();
    },
    close() {
      closing ??= (async () => {
        await Promise.allSettled(deletes.values());
        await Promise.all([to.close(), from.close()]);
      })();
      return closing;
    },
  };
}
