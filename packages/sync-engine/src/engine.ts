import type { Environment } from '@cairn/environment';
import type { FolderWatch } from '@cairn/filesystem';
import { createOrderedId, type EntryId, isCairnError } from '@cairn/model';
import type { Plan, PlanOptions } from '@cairn/planner';
import { Attention } from './attention.ts';
import { type CycleDeps, countDiffering, DEBOUNCE_MS, runCycle } from './cycle.ts';
import type { SyncEngine, SyncEngineOptions } from './engine-types.ts';
import { createCounters } from './execute/deps.ts';
import type { DownloadDeps } from './execute/download.ts';
import { isEngineWide } from './execute/inspect.ts';
import { LargeTransfers } from './execute/large-transfers.ts';
import { RestlessFiles } from './execute/restless-files.ts';
import { type Explanation, explainPath } from './explain-path.ts';
import { type Failure, Failures } from './failures.ts';
import { descendantsIn, LocalTree } from './local-tree.ts';
import { makeDurable } from './make-durable.ts';
import { createScanner, type Scanner } from './observe/scan.ts';
import { RemovalWindow } from './removal-window.ts';
import { Retries } from './retries.ts';
import { claimRoot, noteRoot, verifyRoot } from './root-marker.ts';
import { ScanSchedule } from './scan-schedule.ts';
import { Selection, type SelectionMark, type SelectionRequest } from './selection.ts';
import { SelectionChanges } from './selection-changes.ts';
import {
  describeStatus,
  type EngineFacts,
  findPath,
  LAST_IN_SYNC,
  type SyncState,
  type SyncStatus,
} from './status.ts';

/** What could not be read is looked at again this often. */
const UNREADABLE_SCAN_MS = 60_000;

/** Composes an engine from its ports. The composition root opens and closes what it hands over. */
export function createSyncEngine(options: SyncEngineOptions): SyncEngine {
  return new Engine(options);
}

class Engine implements SyncEngine {
  readonly #options: SyncEngineOptions;
  readonly #environment: Environment;
  readonly #local: LocalTree;
  readonly #failures: Failures;
  readonly #restless: RestlessFiles;
  readonly #deps: DownloadDeps;
  readonly #scanner: Scanner;
  readonly #large: LargeTransfers;
  readonly #attention = new Attention();
  readonly #retries: Retries;
  readonly #removals: RemovalWindow;
  readonly #schedule: ScanSchedule;
  readonly #selection: Selection;
  readonly #selectionChanges: SelectionChanges;
  readonly #cycle: CycleDeps;
  readonly #listeners = new Set<() => void>();
  readonly #confirmed = new Set<'up' | 'down'>();
  readonly #facts: EngineFacts;

  #paused = false;
  /** The full scan under way was due by the clock, not asked for. */
  #isRoutine = false;
  #watch: FolderWatch | null = null;
  #lastUnreadableScanMs: number;
  #plan: Plan | null = null;
  /** Up to here our own commits brought the journal: hints of them are no news. */
  #committedSequence = 0;
  /** What a large transfer met that is not about its file alone; the loop deals with it. */
  #transferError: unknown = null;

  constructor(options: SyncEngineOptions) {
    const { filesystem, space, trees, platform, environment, deviceName } = options;
    this.#options = options;
    this.#environment = environment;
    this.#local = new LocalTree(trees.local, space.rootId);
    this.#failures = new Failures(environment, (failure) => this.#noteFailure(failure));
    this.#restless = new RestlessFiles(environment.clock);
    this.#retries = new Retries(environment);
    this.#removals = new RemovalWindow(environment.clock);
    this.#schedule = new ScanSchedule(environment.clock, options.fullScanMs);
    this.#lastUnreadableScanMs = environment.clock.monotonicMs();
    this.#facts = {
      state: 'starting',
      connection: 'offline',
      trouble: null,
      lastInSyncAt: storedInstant(trees.getValue(LAST_IN_SYNC)),
    };
    this.#selection = new Selection(trees, space.rootId);
    this.#selectionChanges = new SelectionChanges({
      selection: this.#selection,
      trees,
      local: this.#local,
      rules: () => this.#scanner.rules,
      flush: () => this.#flush(),
      lookAtAll: () => {
        this.#attention.everything();
        this.#attention.server();
        this.#retries.reset();
        this.#failures.retryAll();
        this.#noteDone('select', '');
      },
    });
    this.#scanner = createScanner({
      filesystem,
      local: this.#local,
      environment,
      selection: this.#selection,
      isHeld: (entryId) =>
        this.#restless.isHeld(entryId) &&
        trees.synced.get(entryId)?.contentId !== trees.local.get(entryId)?.content?.contentId,
      leaveAlone: (entryIds) => {
        for (const entryId of entryIds)
          for (const id of [
            entryId,
            ...descendantsIn(trees.local, entryId),
            ...descendantsIn(trees.synced, entryId),
          ])
            trees.synced.delete(id);
      },
      takeLateHints: async () => {
        await environment.timers.sleep(DEBOUNCE_MS);
        return this.#attention.takeLate();
      },
    });
    this.#deps = {
      filesystem,
      space,
      trees,
      local: this.#local,
      platform,
      environment,
      failures: this.#failures,
      restless: this.#restless,
      uploaded: new Set(),
      unanswered: [],
      counters: createCounters(),
      deviceName,
      touchedFolders: new Set(),
      markDirty: (path) => this.#attention.folder(path),
      markRemoteDirty: () => this.#attention.server(),
      noteDone: (operation, path, message) => this.#noteDone(operation, path, message),
      noteRemoved: (direction, count) => this.#removals.note(direction, count),
      noteCommitted: (sequence) => {
        this.#committedSequence = Math.max(this.#committedSequence, sequence);
      },
      makeDurable: () => this.#flush(),
      createEntryId: () => createOrderedId<EntryId>(environment.clock.now(), environment.random.bytes(16)),
      isIgnored: (path) => {
        const isFolder = path.endsWith('/');
        const plain = isFolder ? path.slice(0, -1) : path;
        return this.#scanner.rules.isIgnored(plain, isFolder) || this.#selection.isOut(plain);
      },
      isLeftOut: (entryId) => this.#selectionChanges.isLeftOut(entryId),
    };
    this.#large = new LargeTransfers(
      this.#deps,
      () => this.#attention.wake.ring(),
      (error) => {
        this.#transferError = error;
      },
    );
    this.#cycle = {
      execute: this.#deps,
      large: this.#large,
      scanner: this.#scanner,
      attention: this.#attention,
      retries: this.#retries,
      planOptions: () => this.#planOptions(),
      verifyRoot: () => this.#verifyRoot(),
      schedule: this.#schedule,
      onUnhinted: () => {
        if (this.#isRoutine) this.#watch?.probe?.();
        this.#isRoutine = false;
      },
      flush: () => this.#flush(),
      applySelection: () => this.#selectionChanges.apply(),
      setState: (state) => this.#setState(state),
      leaveSync: () => {
        if (this.#facts.state === 'in-sync') this.#setState('syncing');
      },
      onServerAnswered: (rebased) => this.#onServerAnswered(rebased),
      onPlan: (planned) => {
        if (planned.held !== null && this.#plan?.held == null)
          this.#noteDone('held', '', `${planned.held.count} deletes wait for the user`);
        this.#plan = planned;
        this.#changed();
      },
      noteFullness: (error) => this.#noteFullness(error),
      isPaused: () => this.#paused,
      takeTransferError: () => {
        const error = this.#transferError;
        this.#transferError = null;
        return error;
      },
    };
  }

  async run(signal: AbortSignal): Promise<void> {
    const { filesystem, space, trees } = this.#options;
    const marker = { filesystem, trees, spaceId: space.spaceId, environment: this.#environment };
    await claimRoot(marker);
    await noteRoot(marker, space.rootId);
    await this.#scanner.loadRules();
    this.#selectionChanges.touch();
    this.#noteDone('start', '');
    const stop = new AbortController();
    const stopped = AbortSignal.any([signal, stop.signal]);
    const watch = await this.#startWatch();
    this.#watch = watch;
    const hints = space.hints(
      (sequence) => {
        const known = Math.max(trees.cursor?.sequence ?? 0, this.#committedSequence);
        if (sequence !== null && trees.cursor !== null && known >= sequence) return;
        this.#attention.server();
        this.#retries.reset();
        this.#attention.wake.ring();
      },
      (state) => {
        if (this.#facts.connection !== 'offline' || state === 'live') this.#facts.connection = state;
        this.#changed();
      },
    );
    try {
      while (!signal.aborted) {
        try {
          this.#rest((await runCycle(this.#cycle, stopped)).state);
        } catch (error) {
          if (signal.aborted) break;
          await this.#tryFlush();
          this.#noteTrouble(error);
        }
        await this.#sleep(signal);
      }
    } finally {
      stop.abort();
      this.#selectionChanges.stop();
      hints.close();
      watch.close();
      await this.#large.finish();
      await this.#tryFlush();
      this.#setState('stopped');
    }
  }

  #onServerAnswered(rebased: boolean): void {
    const { trees } = this.#options;
    if (this.#facts.connection === 'offline') this.#facts.connection = 'polling';
    this.#facts.trouble = null;
    if (!rebased) return;
    this.#committedSequence = 0;
    this.#noteDone('history-changed', '');
    const text =
      'The server holds another history than before (restored or replaced). Both sides were merged; nothing was deleted.';
    trees.addNotice({ at: this.#environment.clock.now(), kind: 'history-changed', path: '/', text });
  }

  #planOptions(): PlanOptions {
    const { filesystem, deviceName, brake } = this.#options;
    // Where marked entries are may just have changed.
    this.#selection.refresh();
    return {
      deviceName,
      date: new Date(this.#environment.clock.now()).toISOString().slice(0, 10),
      foldsNames: !(filesystem.capabilities.caseSensitive && filesystem.capabilities.unicodeSensitive),
      reservedNames: filesystem.capabilities.reservedNames,
      brake: { ...(brake ?? { count: 200, share: 0.5 }), recent: this.#removals.recent() },
      confirmed: this.#confirmed,
      leavesOut: (path, isFolder) =>
        this.#scanner.rules.isIgnored(path, isFolder)
          ? 'ignored'
          : this.#selection.isOut(path)
            ? 'not-selected'
            : null,
    };
  }

  #rest(state: SyncState): void {
    if (state === 'in-sync') {
      for (const direction of this.#confirmed) this.#removals.forget(direction);
      this.#confirmed.clear();
      this.#retries.reset();
      this.#facts.lastInSyncAt = this.#environment.clock.now();
      // Written with the next flush; not worth one of its own.
      if (this.#facts.state !== 'in-sync')
        this.#options.trees.setValue(LAST_IN_SYNC, String(this.#facts.lastInSyncAt));
    }
    this.#setState(state);
  }

  async #sleep(signal: AbortSignal): Promise<void> {
    const { timers, clock } = this.#environment;
    if (signal.aborted) return;
    if (this.#attention.isPending && !this.#paused && this.#retries.nextDueMs() === null) return;
    const due = this.#paused ? [] : this.#dueMs();
    await this.#attention.wake.wait(timers, due.length === 0 ? null : Math.max(1, Math.min(...due)), signal);
    const now = clock.monotonicMs();
    if (this.#schedule.dueInMs() === 0 && !this.#paused) {
      this.#isRoutine = !this.#attention.isDiskPending;
      this.#attention.everything();
      // Hints from the server may get lost, too, even on a connection that lives.
      this.#attention.server();
    }
    if (this.#hasUnreadable() && now - this.#lastUnreadableScanMs >= UNREADABLE_SCAN_MS) {
      this.#lastUnreadableScanMs = now;
      for (const [path, reason] of this.#scanner.unsynced)
        if (reason === 'unreadable') this.#attention.folder(path === '/' ? '' : path);
    }
    if (this.#attention.isDiskPending && !signal.aborted) await timers.sleep(DEBOUNCE_MS);
  }

  /** When something is due although nothing rings, in milliseconds from now. */
  #dueMs(): number[] {
    const now = this.#environment.clock.monotonicMs();
    const due = [this.#schedule.dueInMs()];
    if (this.#hasUnreadable()) due.push(UNREADABLE_SCAN_MS - (now - this.#lastUnreadableScanMs));
    const retryMs = this.#retries.nextDueMs();
    if (retryMs !== null) due.push(retryMs);
    const failureMs = this.#failures.nextDueMs();
    if (failureMs !== null && !this.#retries.isRetreating) due.push(Math.max(failureMs, 50));
    const restlessMs = this.#restless.nextDueMs();
    if (restlessMs !== null && !this.#retries.isRetreating) due.push(Math.max(restlessMs, 5));
    return due;
  }

  #hasUnreadable(): boolean {
    for (const reason of this.#scanner.unsynced.values()) if (reason === 'unreadable') return true;
    return false;
  }

  async #startWatch(): Promise<FolderWatch> {
    return this.#options.filesystem.watch((hint) => {
      switch (hint.kind) {
        case 'folder':
          this.#attention.folder(hint.path);
          break;
        case 'everything':
          this.#environment.log.info('engine.full-scan', { reason: hint.reason });
          this.#attention.everything();
          break;
        case 'lost':
          this.#environment.log.warn('engine.events-lost', { reason: hint.reason });
          this.#noteDone('events-lost', '', hint.reason);
          this.#attention.sweep();
          this.#schedule.lost();
          break;
        case 'watching':
          if (hint.reason !== null) this.#noteDone('polling', '', hint.reason);
          this.#schedule.watching(hint.works ? null : (hint.reason ?? 'changes are not reported'));
          this.#changed();
      }
      this.#attention.wake.ring();
    });
  }

  async #verifyRoot(): Promise<void> {
    const { filesystem, trees, space } = this.#options;
    await verifyRoot({ filesystem, trees, spaceId: space.spaceId, environment: this.#environment });
  }

  #flush(): Promise<void> {
    return makeDurable(this.#options.filesystem, this.#options.trees, this.#deps.touchedFolders);
  }

  /** What cannot be made durable now is observed again later. */
  async #tryFlush(): Promise<void> {
    try {
      await this.#flush();
    } catch (error) {
      this.#environment.log.error('engine.not-durable', { error: String(error) });
    }
  }

  #noteFullness(error: unknown): boolean {
    if (!isCairnError(error) || !this.#retries.noteFullness(error)) return false;
    this.#facts.trouble = { code: error.code, message: error.message };
    this.#environment.log.warn('engine.full', { code: error.code });
    return true;
  }

  /** Errors that stop the run are thrown on; others are shown, and tried again with growing delays. */
  #noteTrouble(error: unknown): void {
    if (this.#noteFullness(error)) return;
    if (isCairnError(error, 'root-missing', 'root-foreign', 'session-revoked', 'not-signed-in')) throw error;
    const known = isCairnError(error);
    const message = error instanceof Error ? error.message : String(error);
    this.#facts.trouble = { code: known ? error.code : 'internal', message };
    const backoffMs = this.#retries.retreat();
    this.#attention.server();
    const fields = {
      code: this.#facts.trouble.code,
      error: known ? message : (error as Error)?.stack,
      backoffMs,
    };
    if (isEngineWide(error)) this.#environment.log.warn('engine.server-trouble', fields);
    else this.#environment.log.error('engine.cycle-failed', fields);
    this.#facts.connection = isEngineWide(error) ? 'offline' : this.#facts.connection;
    this.#setState('offline');
  }

  #noteDone(operation: string, path: string, message?: string): void {
    const { onActivity } = this.#options;
    if (onActivity === undefined) return;
    const at = this.#environment.clock.now();
    onActivity({ at, operation, path, result: 'done', ...(message === undefined ? {} : { message }) });
  }

  #noteFailure({ entryId, operation, code, message, lastAt, nextAttemptMs }: Failure): void {
    const { onActivity, trees } = this.#options;
    if (onActivity === undefined) return;
    const path = findPath({ trees, local: this.#local }, entryId) ?? entryId;
    const nextAttemptAt = Math.round(lastAt + nextAttemptMs - this.#environment.clock.monotonicMs());
    onActivity({ at: lastAt, operation, path, result: 'failed', code, message, nextAttemptAt });
  }

  #setState(state: SyncState): void {
    if (this.#facts.state === state) return;
    this.#facts.state = state;
    if (state === 'offline' || state === 'paused' || state === 'stopped')
      this.#noteDone(state, '', state === 'offline' ? this.#facts.trouble?.message : undefined);
    this.#environment.log.info('engine.state', { state });
    this.#changed();
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }

  status(): SyncStatus {
    return describeStatus(this.#facts, {
      trees: this.#options.trees,
      local: this.#local,
      plan: this.#plan,
      failures: this.#failures,
      unsynced: this.#scanner.unsynced,
      transfers: [...this.#large.running],
      counters: this.#deps.counters,
      watch: this.#schedule.watch,
      selection: this.#selection.list(),
      differing: this.#countDiffering(),
      clock: this.#environment.clock,
      nextRetryMs: this.#retries.nextDueMs(),
    });
  }

  /** While there is much to do, what has been touched is counted: looking at each would take long. */
  #countDiffering(): number {
    const rests = ['in-sync', 'waiting', 'held'].includes(this.#facts.state);
    if (rests) return countDiffering(this.#deps, this.#plan);
    return [...this.#options.trees.touched()].length;
  }

  explain(path: string): Explanation {
    return explainPath(
      {
        trees: this.#options.trees,
        local: this.#local,
        failures: this.#failures,
        rules: this.#scanner.rules,
        unsynced: this.#scanner.unsynced,
        options: this.#planOptions(),
        state: this.#facts.state,
        trouble: this.#facts.trouble,
        clock: this.#environment.clock,
        nextRetryMs: this.#retries.nextDueMs(),
        isLeftOut: (entryId) => this.#selectionChanges.isLeftOut(entryId),
        isTransferring: (entryId) => this.#large.isRunning(entryId),
      },
      path,
    );
  }

  selection(): SelectionMark[] {
    return this.#selection.list();
  }

  async select(request: SelectionRequest): Promise<void> {
    const done = this.#selectionChanges.request(request);
    this.#attention.wake.ring();
    await done;
  }

  pause(): void {
    this.#paused = true;
    this.#attention.wake.ring();
  }

  resume(): void {
    this.#paused = false;
    this.refresh();
  }

  refresh(): void {
    this.#attention.everything();
    this.#attention.server();
    this.#retries.reset();
    this.#failures.retryAll();
    this.#attention.wake.ring();
  }

  confirmDeletes(): void {
    const held = this.#plan?.held;
    if (held) {
      this.#confirmed.add(held.direction);
      this.#noteDone('confirm', '', `${held.count} deletes`);
    }
    this.refresh();
  }

  rejectDeletes(): void {
    const held = this.#plan?.held;
    if (!held) return;
    this.#noteDone('reject', '', `${held.count} deletes`);
    const { trees } = this.#options;
    for (const { entryId } of [...trees.synced.values()]) {
      const gone = held.direction === 'up' ? trees.local.get(entryId) : trees.remote.get(entryId);
      if (gone === undefined) trees.synced.delete(entryId);
    }
    this.refresh();
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

function storedInstant(text: string | null): number | null {
  return text === null ? null : Number(text);
}
