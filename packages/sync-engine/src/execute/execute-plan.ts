import type { Operation, PlannedOperation } from '@cairn/planner';
import { applyLocally, type BookkeepingOperation, keepBooks, type LocalOperation } from './apply.ts';
import type { DownloadDeps } from './deps.ts';
import { type Download, downloadFiles } from './download.ts';
import { type Inspection, inspectFiles } from './inspect.ts';
import type { LargeTransfers } from './large-transfers.ts';
import { type PushOperation, pushOperations } from './push.ts';
import { classOf, entryOf, type OperationClass, sizeOf } from './select-operations.ts';

/** So few files are worth packs of their own. */
const FEW_FILES = 4;
/** Bounds of one slice: what is done before the engine looks up again. */
const SLICE = { files: 512, downloads: 1024, bytes: 24 * 1024 * 1024, changes: 1000 } as const;

type InspectOperation = Extract<Operation, { kind: 'inspect' }>;

export interface Work {
  /** Operations that may run now. */
  readonly operations: readonly PlannedOperation[];
  /** Some pushes of the plan are not among them. */
  readonly pushesLeftOut: boolean;
  /** Asked after each slice, with what the slices of this part took so far, in milliseconds. */
  mayGoOn(elapsedMs: number): boolean;
  /** Reading pauses after this long, so that what was read is planned and goes on its way. */
  readonly readBudgetMs: number;
}

/**
 * Carries out a plan, slice by slice, while `mayGoOn`; what is left is planned again. Reading files comes
 * first, with a share of the time, because most of what follows waits for it; what an earlier plan read and only
 * adds to the server goes there meanwhile.
 */
export async function executePlan(
  deps: DownloadDeps,
  large: LargeTransfers,
  { operations: usable, pushesLeftOut, mayGoOn, readBudgetMs }: Work,
  signal: AbortSignal,
): Promise<void> {
  const { clock } = deps.environment;
  const inspections = byFolder(
    usable
      .map(({ operation }) => operation)
      .filter((each): each is InspectOperation => each.kind === 'inspect'),
    ({ entryId }) => deps.local.get(entryId)?.parentId,
  );
  const small: Inspection[] = [];
  for (const inspection of inspections) {
    if (!large.takes(deps.local.get(inspection.entryId)?.sizeBytes ?? 0)) small.push(inspection);
    else large.inspect(inspection, signal);
  }
  const rest = downloadsByFolder(
    deps,
    usable.filter(({ operation }) => operation.kind !== 'inspect'),
  );
  const read = () => inspectFiles(deps, whileTime(small), signal, { areFew: small.length <= FEW_FILES });
  if (rest.every(({ operation }) => isAddition(operation))) {
    await bothOf(read(), carryOut());
  } else {
    await read();
    await carryOut();
  }

  function* whileTime<Item>(items: Iterable<Item>): Generator<Item> {
    const startMs = clock.monotonicMs();
    for (const item of items) {
      signal.throwIfAborted();
      yield item;
      const elapsedMs = clock.monotonicMs() - startMs;
      if (elapsedMs >= readBudgetMs || !mayGoOn(elapsedMs)) return;
    }
  }

  function carryOut(): Promise<void> {
    const failuresBefore = deps.failures.list().length;
    return inBudget(sliceRest(rest), mayGoOn, async ({ group, slice }) => {
      switch (group) {
        case 'books':
          for (const operation of slice) keepBooks(deps, operation as BookkeepingOperation);
          return;
        case 'local':
          for (const operation of slice)
            await applyLocally(deps, operation as LocalOperation, deps.touchedFolders);
          return;
        case 'push': {
          // A removal relies on what was moved out of the folder before: without that it has to wait.
          const failed = pushesLeftOut || deps.failures.list().length > failuresBefore;
          const pushes = slice as PushOperation[];
          await pushOperations(
            deps,
            failed ? pushes.filter((each) => each.kind !== 'push-remove') : pushes,
            signal,
          );
          return;
        }
        case 'download':
          await downloadSlice(slice as Download[]);
          return;
        default:
          throw new Error(`no way to execute ${group}`);
      }
    });
  }

  /** Runs at least one slice, then goes on while there is time. */
  async function inBudget<Slice>(
    slices: Iterable<Slice>,
    hasTime: (elapsedMs: number) => boolean,
    run: (slice: Slice) => Promise<void>,
  ): Promise<void> {
    const startMs = clock.monotonicMs();
    for (const slice of slices) {
      signal.throwIfAborted();
      await run(slice);
      if (!hasTime(clock.monotonicMs() - startMs)) return;
    }
  }

  async function downloadSlice(slice: readonly Download[]): Promise<void> {
    const small: Download[] = [];
    for (const download of slice) {
      if (!large.takes(sizeOf(deps, download.entryId))) small.push(download);
      else await large.download(download, signal);
    }
    for (const part of cut(small, (each) => sizeOf(deps, each.entryId)))
      await downloadFiles(deps, part, signal);
  }
}

/**
 * What is in one folder comes together: the disk, its journal and the server's segments all like that better than
 * the order of ids, which is random.
 */
function byFolder<Item>(items: readonly Item[], folderOf: (item: Item) => string | null | undefined): Item[] {
  return items
    .map((item, index) => ({ item, index, folder: folderOf(item) ?? '' }))
    .sort((a, b) => compareText(a.folder, b.folder) || a.index - b.index)
    .map(({ item }) => item);
}

/** Sorts the downloads of each batch among themselves; everything else keeps its place in the order. */
function downloadsByFolder(
  deps: DownloadDeps,
  operations: readonly PlannedOperation[],
): readonly PlannedOperation[] {
  const downloads = operations.filter(({ operation }) => operation.kind === 'download');
  const others = operations.filter(({ operation }) => operation.kind !== 'download');
  const sorted = byFolder(downloads, ({ operation }) => deps.trees.remote.get(entryOf(operation))?.parentId);
  return [...others, ...sorted];
}

/** Whether reading files changes nothing about it: what was read before is committed while others are read. */
function isAddition({ kind }: Operation): boolean {
  return kind === 'push-create' || kind === 'push-update';
}

/** Waits for both, also when one fails: nothing goes on behind the engine's back. */
async function bothOf(one: Promise<void>, other: Promise<void>): Promise<void> {
  const [first, second] = await Promise.allSettled([one, other]);
  if (first.status === 'rejected') throw first.reason;
  if (second.status === 'rejected') throw second.reason;
}

function* cut<Item>(items: readonly Item[], sizeBytes: (item: Item) => number): Generator<Item[]> {
  let slice: Item[] = [];
  let bytes = 0;
  for (const item of items) {
    slice.push(item);
    bytes += sizeBytes(item);
    if (slice.length < SLICE.downloads && bytes < SLICE.bytes) continue;
    yield slice;
    slice = [];
    bytes = 0;
  }
  if (slice.length > 0) yield slice;
}

/** Runs of operations of one class, in order; pushes of one batch stay together as far as a changeset allows. */
function* sliceRest(
  operations: readonly { operation: Operation; batch: number }[],
): Generator<{ group: OperationClass; slice: Operation[] }> {
  let group: OperationClass | null = null;
  let batch = -1;
  let slice: Operation[] = [];
  const byBatchAndClass = operations
    .map((each, index) => ({ ...each, index, group: classOf(each.operation) }))
    .sort((a, b) => a.batch - b.batch || compareText(a.group, b.group) || a.index - b.index);
  for (const each of byBatchAndClass) {
    const full = slice.length >= maxOperations(group);
    if (group !== null && (each.group !== group || (each.batch !== batch && group !== 'books') || full)) {
      yield { group, slice };
      slice = [];
    }
    group = each.group;
    batch = each.batch;
    slice.push(each.operation);
  }
  if (group !== null && slice.length > 0) yield { group, slice };
}

function maxOperations(group: OperationClass | null): number {
  if (group === 'push') return SLICE.changes;
  return group === 'download' ? SLICE.downloads : SLICE.files;
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
