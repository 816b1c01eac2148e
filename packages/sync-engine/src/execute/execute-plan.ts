import type { EntryId } from '@cairn/model';
import type { Operation, PlannedOperation } from '@cairn/planner';
import { applyLocally, type BookkeepingOperation, keepBooks, type LocalOperation } from './apply.ts';
import { type Download, type DownloadDeps, downloadFiles } from './download.ts';
import { type Inspection, inspectFiles } from './inspect.ts';
import { LARGE_BYTES, type LargeTransfers } from './large-transfers.ts';
import { type PushOperation, pushOperations } from './push.ts';

/** Bounds of one slice: what is done before the engine looks up again. */
const SLICE = { files: 512, bytes: 24 * 1024 * 1024, changes: 1000 } as const;

type OperationClass = 'books' | 'inspect' | 'push' | 'download' | 'local';

const CLASSES: Record<Operation['kind'], OperationClass> = {
  adopt: 'books',
  settle: 'books',
  forget: 'books',
  renew: 'books',
  inspect: 'inspect',
  'push-create': 'push',
  'push-update': 'push',
  'push-remove': 'push',
  'push-rename': 'push',
  download: 'download',
  'make-folder': 'local',
  'make-link': 'local',
  'move-local': 'local',
  'set-attributes': 'local',
  'remove-local': 'local',
  fork: 'local',
};

export function classOf(operation: Operation): OperationClass {
  return CLASSES[operation.kind];
}

/** The entry an operation is about. */
export function entryOf(operation: Operation): EntryId {
  return operation.kind === 'adopt' ? operation.localId : operation.entryId;
}

export interface Permissions {
  /** The disk takes no new bytes now. */
  readonly mayWriteLocally: boolean;
  /** The server takes no new bytes now. */
  readonly mayPush: boolean;
}

/**
 * Carries out a plan, slice by slice, for about `budgetMs`; what is left is planned again. Reading files comes
 * first, with a share of the time, because most of what follows waits for it.
 */
export async function executePlan(
  deps: DownloadDeps,
  large: LargeTransfers,
  operations: readonly PlannedOperation[],
  permissions: Permissions,
  budgetMs: number,
  signal: AbortSignal,
): Promise<void> {
  const { clock } = deps.environment;
  const usable: { operation: Operation; batch: number }[] = [];
  let pushesLeftOut = false;
  for (const { operation, batch } of operations) {
    const id = entryOf(operation);
    const group = classOf(operation);
    const waits = deps.failures.isWaiting(id) || large.isRunning(id);
    const permitted =
      group === 'push'
        ? permissions.mayPush
        : group === 'download' || group === 'local'
          ? permissions.mayWriteLocally
          : true;
    if (!waits && permitted) usable.push({ operation, batch });
    else if (group === 'push') pushesLeftOut = true;
  }

  const inspections = usable
    .filter(({ operation }) => operation.kind === 'inspect')
    .map(({ operation }) => operation as Inspection);
  await inBudget(sliceInspections(deps, large, inspections, signal), async (slice) =>
    inspectFiles(deps, slice, signal),
  );

  const failuresBefore = deps.failures.list().length;
  const rest = usable.filter(({ operation }) => operation.kind !== 'inspect');
  await inBudget(sliceRest(rest), async ({ group, slice }) => {
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

  /** Runs at least one slice, then goes on while there is time. */
  async function inBudget<Slice>(
    slices: Iterable<Slice>,
    run: (slice: Slice) => Promise<void>,
  ): Promise<void> {
    const startMs = clock.monotonicMs();
    for (const slice of slices) {
      signal.throwIfAborted();
      await run(slice);
      if (clock.monotonicMs() - startMs > budgetMs) return;
    }
  }

  async function downloadSlice(slice: readonly Download[]): Promise<void> {
    const small: Download[] = [];
    for (const download of slice) {
      if (sizeOf(deps, download.entryId) < LARGE_BYTES) small.push(download);
      else await large.download(download, signal);
    }
    for (const part of cut(small, (each) => sizeOf(deps, each.entryId)))
      await downloadFiles(deps, part, signal);
  }
}

function sizeOf(deps: DownloadDeps, entryId: EntryId): number {
  const entry = deps.trees.remote.get(entryId);
  return entry?.kind === 'file' ? entry.content.sizeBytes : 0;
}

function* sliceInspections(
  deps: DownloadDeps,
  large: LargeTransfers,
  inspections: readonly Inspection[],
  signal: AbortSignal,
): Generator<Inspection[]> {
  const small: Inspection[] = [];
  for (const inspection of inspections) {
    if ((deps.local.get(inspection.entryId)?.sizeBytes ?? 0) < LARGE_BYTES) small.push(inspection);
    else large.inspect(inspection, signal);
  }
  yield* cut(small, (each) => deps.local.get(each.entryId)?.sizeBytes ?? 0);
}

function* cut<Item>(items: readonly Item[], sizeBytes: (item: Item) => number): Generator<Item[]> {
  let slice: Item[] = [];
  let bytes = 0;
  for (const item of items) {
    slice.push(item);
    bytes += sizeBytes(item);
    if (slice.length < SLICE.files && bytes < SLICE.bytes) continue;
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
    const full = slice.length >= (group === 'push' ? SLICE.changes : SLICE.files);
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

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
