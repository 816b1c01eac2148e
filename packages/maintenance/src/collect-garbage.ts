import type { BlockLocation, BlockStore, Fence } from '@cairn/block-store';
import type { Environment } from '@cairn/environment';
import type { BlockAmount, MetadataStore } from '@cairn/metadata-store';
import { readEpochRenewal } from '@cairn/services';
import { checkGrace, DEFAULT_GRACE_MS, TOMBSTONE_MS } from './collection-settings.ts';

export interface CollectionDependencies {
  readonly store: MetadataStore;
  readonly blocks: BlockStore;
  readonly environment: Environment;
}

export type CollectionStep = 'condemn' | 'sweep' | 'orphans' | 'reclaim';

export interface CollectionOptions {
  /** Five days unless told. */
  readonly graceMs?: number;
  /** Writes nothing, and tells what a run at this moment would do. */
  readonly dryRun?: boolean;
  readonly signal?: AbortSignal;
  /** After each batch: what the step has done so far in this run. */
  readonly onProgress?: (step: CollectionStep, done: BlockAmount) => void;
  /** Blocks of one transaction, so that none is long. */
  readonly batchBlocks?: number;
  /** Goes with every delete. */
  readonly fence?: Fence;
}

export interface CollectionReport {
  readonly dryRun: boolean;
  /** Until when nothing is collected, since the database came back from a backup; then all else is zero. */
  readonly quarantinedUntil: number | null;
  /** Unused blocks that are now waiting for their sweep. */
  readonly condemned: BlockAmount;
  /** Condemned blocks that left the metadata. */
  readonly swept: BlockAmount;
  /** Blocks without metadata that were seen for the first time. */
  readonly orphansNoted: BlockAmount;
  /** Blocks without metadata whose time was over. */
  readonly orphansSwept: BlockAmount;
  /** Blocks that were deleted from the block store. */
  readonly reclaimed: BlockAmount;
}

const DEFAULT_BATCH_BLOCKS = 500;
/** On storage nodes each is some requests one after the other; on a disk those of one moment share a flush. */
const DELETES_AT_ONCE = 32;
const NOTHING: BlockAmount = { blocks: 0, storedBytes: 0 };

/** One run, with what its steps share. */
interface Run extends CollectionDependencies {
  readonly now: number;
  /** Instants not after this one are long enough ago. */
  readonly before: number;
  readonly dryRun: boolean;
  readonly batchBlocks: number;
  readonly signal: AbortSignal | undefined;
  readonly fence: Fence | undefined;
  report(step: CollectionStep, done: BlockAmount): void;
}

function plus(amount: BlockAmount, blocks: readonly { readonly storedBytes: number }[]): BlockAmount {
  return {
    blocks: amount.blocks + blocks.length,
    storedBytes: blocks.reduce((sum, block) => sum + block.storedBytes, amount.storedBytes),
  };
}

async function expire({ store, now, batchBlocks, dryRun, signal }: Run): Promise<void> {
  if (dryRun) return;
  let removed: number;
  do {
    signal?.throwIfAborted();
    removed = await store.transact((transaction) => transaction.deleteExpired(now, batchBlocks));
  } while (removed > 0);
}

/** Condemns what is unused, in the generation that the block store has. */
async function condemn(run: Run): Promise<BlockAmount> {
  const { store, blocks, now, before, batchBlocks } = run;
  const since = { now, touchedBefore: before };
  let done = NOTHING;
  for (let after: number | null = 0; after !== null; ) {
    run.signal?.throwIfAborted();
    const from: number = after;
    const page = await store.read((reader) => reader.pageUnused(since, from, batchBlocks));
    after = page.next;
    let condemned = page.blocks;
    if (!run.dryRun && condemned.length > 0) {
      const ids = page.blocks.map(({ blockId }) => blockId);
      // Asked before, outside of the transaction: what is put from now on has a higher generation, or takes the
      // condemnation back.
      const found = await blocks.locate(ids);
      const writings = ids.map((blockId, place) => ({ blockId, generation: found[place]?.generation ?? 0 }));
      const ours = new Set(await store.transact((transaction) => transaction.condemnBlocks(writings, since)));
      condemned = page.blocks.filter(({ blockId }) => ours.has(blockId));
    }
    done = plus(done, condemned);
    run.report('condemn', done);
  }
  return done;
}

async function sweep(run: Run): Promise<BlockAmount> {
  const { store, now, before, batchBlocks: limit } = run;
  if (run.dryRun) {
    const garbage = await store.read((reader) =>
      reader.countGarbage({ condemnedBefore: before, seenBefore: before }),
    );
    return garbage.sweepable;
  }
  let done = NOTHING;
  for (;;) {
    run.signal?.throwIfAborted();
    const swept = await store.transact((transaction) =>
      transaction.sweepCondemned({ now, condemnedBefore: before, limit }),
    );
    if (swept.length === 0) return done;
    done = plus(done, swept);
    run.report('sweep', done);
  }
}

/** Deletes swept blocks from the block store; also those that an earlier run left when it ended too soon. */
async function reclaim(run: Run): Promise<BlockAmount> {
  const { store, blocks, now, batchBlocks } = run;
  let done = NOTHING;
  for (;;) {
    run.signal?.throwIfAborted();
    const tombstones = await store.read((reader) => reader.listUnreclaimed(batchBlocks));
    if (tombstones.length === 0) return done;
    const deleted: typeof tombstones = [];
    const ids = tombstones.map(({ blockId }) => blockId);
    const found = await blocks.locate(ids);
    const rows = await store.read((reader) => reader.getBlocks(ids));
    // Only ever by generation: what was stored since has a higher one. A lower one is there when a place that blocks
    // were moved to has counted for itself. It is garbage when there was no row after it was found: no upload counts
    // as stored below a tombstone.
    const writings = tombstones.map((tombstone, place) => {
      const there = found[place] ?? null;
      const isLower = there !== null && there.generation < tombstone.generation && rows[place] === undefined;
      return { tombstone, writing: isLower ? there : tombstone };
    });
    for (let start = 0; start < writings.length; start += DELETES_AT_ONCE) {
      run.signal?.throwIfAborted();
      const some = writings.slice(start, start + DELETES_AT_ONCE);
      const results = await Promise.allSettled(some.map(({ writing }) => blocks.delete(writing, run.fence)));
      for (const [place, result] of results.entries()) {
        // Those of the others that were deleted are found deleted by the next run.
        if (result.status === 'rejected') throw result.reason;
        if (result.value) deleted.push((some[place] as (typeof some)[number]).tombstone);
      }
    }
    await store.transact((transaction) => transaction.markReclaimed(tombstones, now));
    done = plus(done, deleted);
    run.report('reclaim', done);
  }
}

/** Notes blocks that no metadata accounts for. */
async function noteOrphans(run: Run): Promise<BlockAmount> {
  const { store, blocks, now, batchBlocks } = run;
  let done = NOTHING;
  let page: BlockLocation[] = [];

  async function note(): Promise<void> {
    run.signal?.throwIfAborted();
    const looked = page;
    page = [];
    const found = await store.read((reader) => reader.areOrphans(looked));
    const orphans = looked.filter((_, place) => found[place] === true);
    if (orphans.length > 0 && run.dryRun) {
      done = plus(done, orphans);
    } else if (orphans.length > 0) {
      const noted = new Set(await store.transact((transaction) => transaction.noteOrphans(orphans, now)));
      done = plus(
        done,
        orphans.filter(({ blockId }) => noted.has(blockId)),
      );
    }
    run.report('orphans', done);
  }

  for await (const location of blocks.list()) {
    page.push(location);
    if (page.length >= batchBlocks) await note();
  }
  if (page.length > 0) await note();
  return done;
}

async function sweepOrphans(run: Run): Promise<BlockAmount> {
  const { store, now, before, batchBlocks: limit } = run;
  if (run.dryRun) {
    const garbage = await store.read((reader) =>
      reader.countGarbage({ condemnedBefore: before, seenBefore: before }),
    );
    return garbage.sweepableOrphans;
  }
  let done = NOTHING;
  for (;;) {
    run.signal?.throwIfAborted();
    const { swept, looked } = await store.transact((transaction) =>
      transaction.sweepOrphans({ now, seenBefore: before, limit }),
    );
    if (looked === 0) return done;
    done = plus(done, swept);
  }
}

async function forget({ store, now, batchBlocks, dryRun, signal }: Run): Promise<void> {
  if (dryRun) return;
  let pruned: number;
  do {
    signal?.throwIfAborted();
    pruned = await store.transact((transaction) =>
      transaction.pruneTombstones(now - TOMBSTONE_MS, batchBlocks),
    );
  } while (pruned > 0);
}

/**
 * Deletes blocks that nothing needs, on the way that docs/adr/0011-garbage-collection.md describes: a block takes two
 * runs, each a grace after what came before. May end at any await, or be run by several processes at once, and
 * loses nothing that somebody uses; the next run goes on where this one ended.
 * @returns what each step did, or would do
 * @throws CairnError `usage` for a grace that is too short; errors of the stores; the signal's reason
 */
export async function collectGarbage(
  dependencies: CollectionDependencies,
  options: CollectionOptions = {},
): Promise<CollectionReport> {
  const { graceMs = DEFAULT_GRACE_MS, dryRun = false, onProgress } = options;
  checkGrace(graceMs);
  const { store, environment } = dependencies;
  const now = environment.clock.now();
  const run: Run = {
    ...dependencies,
    now,
    before: now - graceMs,
    dryRun,
    batchBlocks: options.batchBlocks ?? DEFAULT_BATCH_BLOCKS,
    signal: options.signal,
    fence: options.fence,
    report: (step, done) => onProgress?.(step, done),
  };
  const renewedAt = await store.read(readEpochRenewal);
  if (renewedAt !== null && now < renewedAt + graceMs) {
    const quarantinedUntil = renewedAt + graceMs;
    environment.log.warn('collection.quarantined', { until: new Date(quarantinedUntil).toISOString() });
    return {
      dryRun,
      quarantinedUntil,
      condemned: NOTHING,
      swept: NOTHING,
      orphansNoted: NOTHING,
      orphansSwept: NOTHING,
      reclaimed: NOTHING,
    };
  }
  await expire(run);
  const condemned = await condemn(run);
  const swept = await sweep(run);
  const orphansSwept = await sweepOrphans(run);
  const orphansNoted = await noteOrphans(run);
  const reclaimed = dryRun ? await describeReclaim(run, [swept, orphansSwept]) : await reclaim(run);
  await forget(run);
  const report = { condemned, swept, orphansNoted, orphansSwept, reclaimed };
  if (!dryRun) environment.log.info('collection.ended', report);
  return { dryRun, quarantinedUntil: null, ...report };
}

/** What would be deleted: what waits for it already, and what would be swept. */
async function describeReclaim({ store, before }: Run, swept: readonly BlockAmount[]): Promise<BlockAmount> {
  const { unreclaimed } = await store.read((reader) =>
    reader.countGarbage({ condemnedBefore: before, seenBefore: before }),
  );
  return [unreclaimed, ...swept].reduce((sum, amount) => ({
    blocks: sum.blocks + amount.blocks,
    storedBytes: sum.storedBytes + amount.storedBytes,
  }));
}
