import type { Entry, EntryId } from '@cairn/model';
import { type Plan, type PlannedOperation, type PlanOptions, plan, type Trees } from '@cairn/planner';
import type { Attention } from './attention.ts';
import type { DownloadDeps } from './execute/deps.ts';
import { executePlan } from './execute/execute-plan.ts';
import type { LargeTransfers } from './execute/large-transfers.ts';
import { classOf, entryOf, isRunnable, signatureOf } from './execute/select-operations.ts';
import { readSent, settleOwnRow } from './execute/sent-changesets.ts';
import { joinPath, pathIn } from './local-tree.ts';
import { followJournal } from './observe/follow.ts';
import type { Scanner } from './observe/scan.ts';
import type { Retries } from './retries.ts';
import type { ScanSchedule } from './scan-schedule.ts';
import type { SelectionChanges } from './selection-changes.ts';
import type { SyncState } from './status.ts';
import { treesAgree } from './trees-agree.ts';

/** After a hint from the disk we wait this long for its companions (both ends of a move, a save in steps). */
export const DEBOUNCE_MS = 25;
/** How long one plan is executed before the engine looks at the disk and the journal again. */
const EXECUTE_BUDGET_MS = 1500;
/** The same while nobody but the engine itself changes anything. */
const QUIET_BUDGET_MS = 6000;
/**
 * How long files are read at first before what was read is planned and sent. It doubles from plan to plan: other
 * devices begin early, and thousands of files are not planned anew all the time.
 */
const FIRST_READ_MS = 500;
const LONGEST_READ_MS = 4000;
/** Who has not heard from the server for so long does not know whether all is in sync. */
const SLOW_ANSWER_MS = 2_000;
/** Looks at a disk that keeps changing before what is known is worked on. */
const MAX_LOOKS = 4;

export interface CycleDeps {
  readonly execute: DownloadDeps;
  readonly large: LargeTransfers;
  readonly scanner: Scanner;
  readonly attention: Attention;
  readonly retries: Retries;
  planOptions(): PlanOptions;
  verifyRoot(): Promise<void>;
  readonly schedule: ScanSchedule;
  /** A look at the whole disk found what it might have been told of. */
  onUnhinted(): void;
  flush(): Promise<void>;
  readonly selection: Pick<SelectionChanges, 'apply' | 'followMarks'>;
  setState(state: SyncState): void;
  /** Something was seen that is not synced yet: takes back "in sync", if that was the state. */
  leaveSync(): void;
  /** A look at the server's journal worked. `rebased`: its history is another one than before. */
  onServerAnswered(rebased: boolean): void;
  /** The plan as it now is; called before and after it is carried out. */
  onPlan(planned: Plan): void;
  /** An error that says a disk is full: shown, and the direction pauses. Returns whether it was one. */
  noteFullness(error: unknown): boolean;
  isPaused(): boolean;
  /** An error of a transfer beside the loop that is not about its file alone; `null` when there is none. */
  takeTransferError(): unknown;
}

/** What is left when a cycle ends: nothing, or only what has to wait. */
export interface Rest {
  readonly state: 'in-sync' | 'waiting' | 'held' | 'syncing' | 'offline' | 'paused';
}

/**
 * Observes, plans and executes until nothing is left to do or everything left has to wait.
 * @throws what stops the whole engine for now: the server cannot be reached, the root is missing
 */
export async function runCycle(deps: CycleDeps, signal: AbortSignal): Promise<Rest> {
  const { execute, large, attention, retries } = deps;
  for (let readBudgetMs = FIRST_READ_MS; ; readBudgetMs = Math.min(LONGEST_READ_MS, readBudgetMs * 2)) {
    signal.throwIfAborted();
    retries.noteDecision();
    const transferError = deps.takeTransferError();
    if (transferError !== null) throw transferError;
    await deps.selection.apply();
    if (deps.isPaused()) return { state: 'paused' };
    await observeDisk(deps);
    // Without the server nothing can be agreed on; the disk was looked at so that nothing is forgotten.
    if (retries.isRetreating) {
      await deps.flush();
      return { state: 'offline' };
    }
    attention.serverKnown(execute.trees.cursor?.sequence ?? 0);
    // Who waits for the server with changes in hand is not in sync, and a silent network lets one wait for minutes.
    if (attention.isServerPending && countDiffering(execute, null, 1) > 0) deps.leaveSync();
    await observeServer(deps, signal);

    deps.selection.followMarks();
    const candidates = [...execute.trees.touched()];
    const planned = makePlan(deps, candidates);
    deps.onPlan(planned);
    forgetSettled(deps, candidates);
    if (large.hasFetched)
      await large.keepOnly(new Set(planned.operations.map(({ operation }) => entryOf(operation))));
    const work = selectWork(deps, planned);
    const nothing = work.operations.length === 0;
    if (nothing || !retries.mayExecute(signatureOf(work.operations))) {
      await deps.flush();
      dropOldFailures(deps, planned);
      // What came in the place of the folder since it was looked at is not what the trees tell of.
      if (restState(deps, planned) === 'in-sync') await deps.verifyRoot();
      if (attention.isPending && nothing) continue;
      return { state: restState(deps, planned) };
    }
    deps.setState('syncing');
    if (work.operations.some(({ operation }) => operation.kind === 'push-remove')) await deps.verifyRoot();
    try {
      await executePlan(execute, large, { ...work, readBudgetMs }, signal);
    } catch (error) {
      if (!deps.noteFullness(error)) throw error;
    }
    // What was read is planned at once, and becomes durable with what comes of it.
    if (work.operations.some(({ operation }) => operation.kind !== 'inspect')) await deps.flush();
    deps.onPlan(planned);
  }
}

async function observeDisk({
  execute,
  scanner,
  attention,
  verifyRoot,
  schedule,
  onUnhinted,
}: CycleDeps): Promise<void> {
  if (attention.takeSweep()) for (const path of await scanner.findChangedFolders()) attention.folder(path);
  const later = new Set<string>();
  for (let looks = 0; attention.isDiskPending && looks < MAX_LOOKS; looks++) {
    const look = attention.takeDisk();
    try {
      if (look.recursive) {
        await verifyRoot();
        schedule.begun();
      }
      const result = await scanner.scan(look);
      attention.doneWithDisk();
      if (look.recursive) {
        schedule.ended(result.changed);
        if (result.changed) onUnhinted();
      }
      if (result.rulesChanged) {
        attention.everything();
        touchAbsent(execute);
      }
      if (result.lost) attention.everything();
      for (const path of result.again) attention.folder(path);
      for (const path of result.later) later.add(path);
      if (result.again.size > 0) await execute.environment.timers.sleep(DEBOUNCE_MS);
    } catch (error) {
      attention.giveBackDisk();
      for (const path of later) attention.folder(path);
      throw error;
    }
  }
  for (const path of later) attention.folder(path);
}

/** Other rules may let in what was left out: what is only on the server is decided about anew. */
export function touchAbsent({ trees }: Pick<DownloadDeps, 'trees'>): void {
  const absent: EntryId[] = [];
  for (const { entryId } of trees.remote.sketches())
    if (trees.local.sketch(entryId) === undefined) absent.push(entryId);
  trees.touch(absent);
}

async function observeServer(deps: CycleDeps, signal: AbortSignal): Promise<void> {
  const { attention, execute } = deps;
  if (!attention.isServerPending) return;
  const { space, trees, environment } = execute;
  attention.takeServer();
  const cancel = environment.timers.schedule(SLOW_ANSWER_MS, () => deps.leaveSync());
  try {
    const sent = readSent(trees);
    const { rebased } = await followJournal(
      {
        space,
        trees,
        environment,
        onRow(row, before) {
          if (before?.kind === 'folder' && row.entry !== null) noteMove(execute, before, row.entry);
          if (sent.has(row.changesetId)) settleOwnRow(execute, row, before);
        },
      },
      signal,
    );
    // What another history granted is not granted by this one.
    if (rebased) execute.uploaded.clear();
    deps.onServerAnswered(rebased);
  } catch (error) {
    attention.server();
    throw error;
  } finally {
    cancel();
  }
}

/** What is below a folder that another device moved is in another place, too. */
function noteMove(execute: DownloadDeps, before: Entry, { parentId, name }: Entry): void {
  if (before.parentId === parentId && before.name === name) return;
  const { trees, local } = execute;
  const around = parentId === null ? null : pathIn(trees.remote, local.rootId, parentId);
  const to = around === null ? null : joinPath(around, name);
  execute.folderMoved(before.entryId, pathIn(trees.remote, local.rootId, before.entryId), to);
}

function makePlan({ execute, planOptions }: CycleDeps, candidates: readonly EntryId[]): Plan {
  const { trees, space } = execute;
  const view = { rootId: space.rootId, remote: trees.remote, local: trees.local, synced: trees.synced };
  return plan(view, planOptions(), candidates);
}

function selectWork(deps: CycleDeps, planned: Plan): Omit<Parameters<typeof executePlan>[2], 'readBudgetMs'> {
  const { execute, large, attention, retries } = deps;
  const permissions = { mayWriteLocally: retries.mayWriteLocally, mayPush: retries.mayPush };
  const runnable = new Set<PlannedOperation>();
  const refused: PlannedOperation[] = [];
  let pushes = 0;
  for (const each of planned.operations) {
    const isPush = classOf(each.operation) === 'push';
    if (isRunnable(execute, large, permissions, each.operation)) {
      runnable.add(each);
      if (isPush) pushes++;
    } else if (isPush && execute.failures.get(entryOf(each.operation))?.code === 'conflict') {
      refused.push(each);
    }
  }
  // Names that go round can only be committed together: what the server refused joins whatever is due.
  if (pushes > 0) for (const each of refused) runnable.add(each);
  const operations = planned.operations.filter((each) => runnable.has(each));
  const pushesLeftOut = planned.operations.some(
    (each) => !runnable.has(each) && classOf(each.operation) === 'push',
  );
  /** Whether all there is to look at are echoes of what the engine did itself. */
  function onlyEchoes(): boolean {
    if (attention.isEverythingPending) return false;
    for (const path of attention.folders) if (!execute.touchedFolders.has(path)) return false;
    return true;
  }
  const mayGoOn = (elapsedMs: number): boolean =>
    elapsedMs < EXECUTE_BUDGET_MS || (elapsedMs < QUIET_BUDGET_MS && onlyEchoes());
  return { operations, pushesLeftOut, mayGoOn };
}

/** Entries that agree everywhere, or are left out, are not looked at again until something touches them. */
function forgetSettled({ execute }: CycleDeps, candidates: readonly EntryId[]): void {
  const { trees, local } = execute;
  const view = { rootId: local.rootId, remote: trees.remote, local: trees.local, synced: trees.synced };
  const settled = candidates.filter((id) => id === local.rootId || isSettled(execute, view, id));
  trees.forgetTouched(settled);
}

/** What this disk cannot have waits for nothing that could happen here. */
function isWaiting({ code }: Plan['issues'][number]): boolean {
  return code !== 'name-not-possible-here';
}

/**
 * How many entries the trees do not agree on, other than what is left out or cannot be here. Whatever differs has been
 * touched, so this is the proof behind "in sync".
 * @param atMost the count ends here: who asks only whether there are any need not look at all of them
 */
export function countDiffering(
  execute: DownloadDeps,
  planned: Plan | null,
  atMost = Number.POSITIVE_INFINITY,
): number {
  const { trees, local } = execute;
  const view = { rootId: local.rootId, remote: trees.remote, local: trees.local, synced: trees.synced };
  const impossible = new Set<EntryId>();
  for (const issue of planned?.issues ?? []) if (!isWaiting(issue)) impossible.add(issue.entryId);
  let count = 0;
  for (const id of trees.touched()) {
    if (id === local.rootId || impossible.has(id) || isSettled(execute, view, id)) continue;
    if (++count >= atMost) break;
  }
  return count;
}

/** What is left out and not here needs no look; what is left out and still here needs one until it is gone. */
function isSettled(execute: DownloadDeps, view: Trees, id: EntryId): boolean {
  if (view.local.get(id) !== undefined) return treesAgree(view, id) && !execute.isLeftOut(id);
  if (view.synced.get(id) !== undefined) return false;
  return view.remote.get(id) === undefined || execute.isLeftOut(id);
}

/** A failure of something that is no longer to be done is none. */
function dropOldFailures({ execute }: CycleDeps, planned: Plan): void {
  const { failures } = execute;
  const open = new Set(planned.operations.map(({ operation }) => entryOf(operation)));
  for (const { entryId } of failures.list()) if (!open.has(entryId)) failures.forget(entryId);
}

function restState({ large, execute, scanner }: CycleDeps, planned: Plan): Rest['state'] {
  if (planned.held !== null) return 'held';
  if (large.count > 0) return 'syncing';
  // What is in a folder that could not be listed is in no tree: three equal trees prove nothing about it.
  if (scanner.hasUnreadable()) return 'waiting';
  const issues = planned.issues.filter(isWaiting);
  const waiting = planned.operations.length + issues.length + execute.failures.list().length > 0;
  return waiting || countDiffering(execute, planned, 1) > 0 ? 'waiting' : 'in-sync';
}
