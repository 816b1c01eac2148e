import { type BlockStore, createBlockCopier, type Fence } from '@cairn/block-store';
import type { StoredBlock } from '@cairn/content';
import type { Environment } from '@cairn/environment';
import type {
  BlockLocationRecord,
  BlockMoveRecord,
  MetadataStore,
  MetadataTransaction,
} from '@cairn/metadata-store';
import { type BlockId, CairnError } from '@cairn/model';

/** The two places of a move under way, as they are open now. */
export interface OpenedMove {
  readonly from: BlockStore;
  readonly to: BlockStore;
  /** Which of these the new place has as often as it is to have them. */
  isComplete(blockIds: readonly BlockId[]): Promise<readonly boolean[]>;
}

export interface BlockWalkOptions {
  readonly store: MetadataStore;
  readonly environment: Environment;
  readonly verify: (block: StoredBlock) => boolean;
  readonly opened: OpenedMove;
  readonly location: BlockLocationRecord & { readonly move: BlockMoveRecord };
  readonly signal: AbortSignal;
  /** Throws when the job is no longer this process's. Part of every transaction that writes how far the move is. */
  readonly keepJob: (transaction: MetadataTransaction) => Promise<void>;
  readonly onProgress: (location: BlockLocationRecord) => void;
}

/** `ended`: the blocks are at the other place. `held`: something is left that could not be copied. */
export type WalkOutcome = 'ended' | 'held';

const PAGE_BLOCKS = 256;
/** Copied between two notes of how far it is. */
const SLICE_BLOCKS = 32;
/** A write counts when enough nodes have it; the last one may take a moment longer. */
const MAX_LOOKS = 10;
const LOOK_MS = 300;

/**
 * Copies all blocks that metadata says are live and that the new place lacks, and goes over them again until there was
 * nothing to copy. Then the new place is recorded as the place. Goes on where the record says that it was. Everything
 * may be done twice, so it may end at any moment.
 * @throws what the stores throw; the signal's reason; CairnError `cancelled` when the move was turned round
 */
export async function moveBlocks(options: BlockWalkOptions): Promise<WalkOutcome> {
  const { store, environment, verify, opened, signal, keepJob } = options;
  const { isReturn, bytesPerSecond } = options.location.move;
  const copy = createBlockCopier({
    ...opened,
    verify,
    environment,
    signal,
    ...(bytesPerSecond === null ? {} : { bytesPerSecond }),
  });
  let location: BlockLocationRecord & { readonly move: BlockMoveRecord } = options.location;

  /** One transaction on the record, provided the move still is this one. */
  async function record(
    change: (now: typeof location) => BlockLocationRecord,
    also: (transaction: MetadataTransaction) => Promise<void> = async () => undefined,
  ): Promise<BlockLocationRecord> {
    return store.transact(async (transaction) => {
      await keepJob(transaction);
      const now = await transaction.getBlockLocation();
      if (now === undefined || now.move === null || now.move.isReturn !== isReturn) {
        throw new CairnError('cancelled', 'the move of the blocks was cancelled');
      }
      await also(transaction);
      const changed = change({ ...now, move: now.move });
      await transaction.setBlockLocation(changed);
      return changed;
    });
  }

  async function note(
    changes: Partial<BlockMoveRecord>,
    also?: (transaction: MetadataTransaction) => Promise<void>,
  ) {
    const changed = await record((now) => ({ ...now, move: { ...now.move, ...changes } }), also);
    if (changed.move !== null) location = { ...changed, move: changed.move };
    options.onProgress(changed);
  }

  /** Of these, those that are still to be kept. */
  async function stillLive(blockIds: readonly BlockId[]): Promise<BlockId[]> {
    if (blockIds.length === 0) return [];
    const records = await store.read((reader) => reader.getBlocks(blockIds));
    return blockIds.filter((_, index) => records[index] !== undefined);
  }

  /** Above what the writings of these in the new place must be: a delete of what is not may be on its way. */
  async function readFloors(blockIds: readonly BlockId[]): Promise<Map<BlockId, number>> {
    const tombstones = await store.read((reader) => reader.getTombstones(blockIds));
    return new Map(
      tombstones.flatMap((each) => (each === undefined ? [] : [[each.blockId, each.generation]])),
    );
  }

  /** Of these, those that the new place has not, or has from an earlier time, where a delete would hit it. */
  async function listMissing(blockIds: readonly BlockId[]): Promise<readonly BlockId[]> {
    if (blockIds.length === 0) return [];
    const floors = await readFloors(blockIds);
    const isComplete = await opened.isComplete(blockIds);
    const buried = blockIds.filter((blockId) => floors.has(blockId));
    const there = await opened.to.locate(buried);
    const isHit = new Set(
      buried.filter((blockId, index) => (there[index]?.generation ?? 0) <= (floors.get(blockId) ?? 0)),
    );
    return blockIds.filter((blockId, index) => isComplete[index] !== true || isHit.has(blockId));
  }

  /** Of these, those that are to be kept and that the new place lacks, once what is on its way there has arrived. */
  async function stillLacking(blockIds: readonly BlockId[]): Promise<readonly BlockId[]> {
    let lacking = blockIds;
    for (let looks = 0; ; looks++) {
      lacking = await stillLive(await listMissing(lacking));
      if (lacking.length === 0 || looks === MAX_LOOKS) return lacking;
      await environment.timers.sleep(LOOK_MS, signal);
    }
  }

  /** Returns those that nothing has whole, and that are still to be kept. */
  async function copyAll(blockIds: readonly BlockId[]): Promise<BlockId[]> {
    const bad: BlockId[] = [];
    for (let start = 0; start < blockIds.length; start += SLICE_BLOCKS) {
      const slice = blockIds.slice(start, start + SLICE_BLOCKS);
      const report = await copy(slice, await readFloors(slice));
      bad.push(...(await stillLive(report.bad)));
      if (report.copiedBlocks === 0) continue;
      const { copiedBlocks, copiedBytes } = location.move;
      await note({
        copiedBlocks: copiedBlocks + report.copiedBlocks,
        copiedBytes: copiedBytes + report.copiedBytes,
      });
    }
    return bad;
  }

  /** From where the record is to the end. Returns how many blocks the new place lacks then. */
  async function walk(): Promise<number> {
    let lacking = 0;
    for (let after: number | null = location.move.position; after !== null; ) {
      signal.throwIfAborted();
      const from: number = after;
      const page = await store.read((reader) => reader.pageBlockIds(from, PAGE_BLOCKS));
      after = page.next;
      const missing = await listMissing(page.blockIds);
      const bad = await copyAll(missing);
      if (location.move.phase !== 'copying') {
        const isBad = new Set(bad);
        const others = missing.filter((blockId) => !isBad.has(blockId));
        lacking += bad.length + (await stillLacking(others)).length;
      }
      if (bad.length > 0) {
        environment.log.error('blocks.move-unreadable', { count: bad.length, examples: bad.slice(0, 20) });
      }
      const { checkedBlocks, badBlocks } = location.move;
      await note({
        // The last page leaves it where it is: what comes behind it was written to the new place.
        ...(page.next === null ? {} : { position: page.next }),
        checkedBlocks: checkedBlocks + page.blockIds.length,
        badBlocks: badBlocks + bad.length,
      });
    }
    return lacking;
  }

  const fromTheStart = { position: 0, checkedBlocks: 0, badBlocks: 0 };
  if (location.move.phase === 'copying') {
    // Writes go to the new place by now. Who wrote to the old one before, and has not said so to the metadata, must
    // write again: this walk could not know of it.
    if (location.move.position === 0) {
      await note(fromTheStart, (transaction) => transaction.refuseEarlierPuts());
    }
    await walk();
    await note({ phase: 'checking' });
  }
  await note(fromTheStart);
  const lacking = await walk();
  const { badBlocks, leavesDamaged } = location.move;
  if (lacking === (leavesDamaged ? badBlocks : 0)) {
    await end(lacking);
    return 'ended';
  }
  await note({ phase: 'held' });
  return 'held';

  async function end(leftBlocks: number): Promise<void> {
    const movedAt = environment.clock.now();
    const ended = await record((now) => {
      const { place, move } = now;
      if (isReturn) return { ...now, move: null, leftBlocks: leftBlocks === 0 ? now.leftBlocks : leftBlocks };
      return { ...now, place: move.target, previous: place, movedAt, leftBlocks, move: null };
    });
    options.onProgress(ended);
    const { copiedBlocks, copiedBytes } = location.move;
    const figures = { copiedBlocks, copiedBytes, leftBlocks };
    environment.log.info('blocks.move-ended', { place: ended.place.setting, isReturn, ...figures });
  }
}

export const MOVE_JOB = 'move-blocks';

/** Makes sure, inside a transaction, that the lease of the fence is still held. @throws CairnError `unavailable` */
export async function keepLease(
  transaction: MetadataTransaction,
  fence: Fence,
  holder: string,
  now: number,
  leaseMs: number,
): Promise<void> {
  if ((await transaction.takeJobLease(fence.job, holder, now, now + leaseMs)) === fence.token) return;
  throw new CairnError('unavailable', 'another server process took over the move of the blocks');
}
