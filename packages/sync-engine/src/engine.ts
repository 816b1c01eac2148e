import { forgetIdleChunkers } from '@cairn/content';
import type { Environment } from '@cairn/environment';
import type { FolderWatch } from '@cairn/filesystem';
import { createOrderedId, type EntryId, isCairnError } from '@cairn/model';
import type { Plan, PlanOptions } from '@cairn/planner';
import { type AnswerSources, answerStatus, answerWhy } from './answers.ts';
import { Attention } from './attention.ts';
import { type CycleDeps, DEBOUNCE_MS, runCycle } from './cycle.ts';
import type { SyncEngine, SyncEngineOptions } from './engine-types.ts';
import { createCounters, type DownloadDeps } from './execute/deps.ts';
import { isEngineWide } from './execute/engine-wide.ts';
import { LargeTransfers } from './execute/large-transfers.ts';
import { PlacingNotes } from './execute/placing-notes.ts';
import { ReceivingAhead } from './execute/receive-ahead.ts';
import { RestlessFiles } from './execute/restless-files.ts';
import type { Explanation } from './explain-path.ts';
import { Failures } from './failures.ts';
import { followHints } from './follow-hints.ts';
import { followServer } from './follow-server.ts';
import { leaveAlone } from './leave-alone.ts';
import { LocalTree } from './local-tree.ts';
import { makeDurable } from './make-durable.ts';
import { ActivityNotes } from './note-activities.ts';
import { createScanner, type Scanner } from './observe/scan.ts';
import { makePlanOptions } from './plan-options.ts';
import { RemovalWindow, takeBackDeletes } from './removal-window.ts';
import { Rest } from './rest.ts';
import { Retries } from './retries.ts';
import { RootLink } from './root-link.ts';
import { ScanSchedule } from './scan-schedule.ts';
import { Selection, type SelectionMark, type SelectionRequest } from './selection.ts';
import { SelectionChanges } from './selection-changes.ts';
import { type EngineFacts, LAST_IN_SYNC, readLastInSync, type SyncState, type SyncStatus } from './status.ts';

/** Composes an engine from its ports. The composition root opens and closes what it hands over. */
export function createSyncEngine(options: SyncEngineOptions): SyncEngine {
  return new Engine(options);
}

class Engine implements SyncEngine {
  readonly #options: SyncEngineOptions;
  readonly #environment: Environment;
  readonly #local: LocalTree;
  readonly #notes: ActivityNotes;
  readonly #failures: Failures;
  readonly #restless: RestlessFiles;
  readonly #deps: DownloadDeps;
  readonly #scanner: Scanner;
  readonly #link: RootLink;
  readonly #large: LargeTransfers;
  readonly #ahead: ReceivingAhead;
  readonly #attention = new Attention();
  readonly #retries: Retries;
  readonly #removals: RemovalWindow;
  readonly #schedule: ScanSchedule;
  readonly #selection: Selection;
  readonly #selectionChanges: SelectionChanges;
  readonly #cycle: CycleDeps;
  readonly #pause: Rest;
  readonly #listeners = new Set<() => void>();
  readonly #confirmed = new Set<'up' | 'down'>();
  readonly #facts: EngineFacts;
  #paused = false;
  /** The full scan under way was due by the clock, not asked for. */
  #isRoutine = false;
  #watch: FolderWatch | null = null;
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
    this.#notes = new ActivityNotes(options, this.#local);
    this.#failures = new Failures(environment, (failure) => this.#notes.failed(failure));
    this.#restless = new RestlessFiles(environment.clock);
    this.#retries = new Retries(environment);
    this.#removals = new RemovalWindow(environment.clock);
    this.#schedule = new ScanSchedule(environment.clock, options.fullScanMs);
    this.#facts = {
      state: 'starting',
      connection: 'offline',
      trouble: null,
      lastInSyncAt: readLastInSync(trees),
    };
    this.#link = new RootLink(options);
    this.#selection = new Selection(trees, space.rootId);
    this.#selectionChanges = new SelectionChanges({
      selection: this.#selection,
      trees,
      local: this.#local,
      rules: () => this.#scanner.rules,
      reservedNames: filesystem.capabilities.reservedNames,
      flush: async () => {
        await this.#flush();
        // What was let go is not here on purpose; to an older copy of the database it would count as deleted.
        await this.#link.renew();
      },
      lookAtAll: () => {
        this.#attention.everything();
        this.#attention.server();
        this.#retries.reset();
        this.#failures.retryAll();
        this.#notes.done('select', '');
      },
    });
    this.#scanner = createScanner({
      filesystem,
      local: this.#local,
      environment,
      selection: this.#selection,
      isHeld: (file) =>
        this.#restless.isHeld(file) &&
        trees.synced.get(file.entryId)?.contentId !== trees.local.get(file.entryId)?.content?.contentId,
      folderMoved: (entryId, from, to) => this.#selectionChanges.folderMoved(entryId, from, to),
      leaveAlone: (entryIds) => leaveAlone(trees, entryIds),
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
      placing: new PlacingNotes(trees),
      counters: createCounters(),
      deviceName,
      touchedFolders: new Set(),
      markDirty: (path) => this.#attention.folder(path),
      markMoved: (from, to) => this.#attention.moved(from, to),
      markRemoteDirty: () => this.#attention.server(),
      noteDone: (operation, path, message) => this.#notes.done(operation, path, message),
      noteRemoved: (direction, count) => this.#removals.note(direction, count),
      noteCommitted: (sequence) => {
        this.#committedSequence = Math.max(this.#committedSequence, sequence);
      },
      makeDurable: () => this.#flush(),
      createEntryId: () => createOrderedId<EntryId>(environment.clock.now(), environment.random.bytes(16)),
      isIgnored: (path) => this.#selectionChanges.isPlaceLeftOut(path),
      isLeftOut: (entryId) => this.#selectionChanges.isLeftOut(entryId),
      ahead: { claim: (entry, name) => this.#ahead.claim(entry, name) },
      folderMoved: (entryId, from, to) => this.#selectionChanges.folderMoved(entryId, from, to),
    };
    this.#ahead = new ReceivingAhead(this.#deps, () => this.#paused, options.ahead);
    this.#large = new LargeTransfers(
      this.#deps,
      () => this.#attention.wake.ring(),
      (error) => {
        this.#transferError = error;
      },
      options.largeBytes,
    );
    this.#cycle = {
      execute: this.#deps,
      large: this.#large,
      scanner: this.#scanner,
      attention: this.#attention,
      retries: this.#retries,
      planOptions: () => this.#planOptions(),
      verifyRoot: () => this.#link.verify(),
      schedule: this.#schedule,
      onUnhinted: () => {
        if (this.#isRoutine) this.#watch?.probe?.();
        this.#isRoutine = false;
      },
      flush: () => this.#flush(),
      selection: this.#selectionChanges,
      setState: (state) => this.#setState(state),
      leaveSync: () => {
        if (this.#facts.state === 'in-sync') this.#setState('syncing');
      },
      onServerAnswered: (rebased) => this.#onServerAnswered(rebased),
      onPlan: (planned) => {
        if (planned.held !== null && this.#plan?.held == null)
          this.#notes.done('held', '', `${planned.held.count} deletes wait for the user`);
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
    this.#pause = new Rest({
      environment,
      attention: this.#attention,
      retries: this.#retries,
      schedule: this.#schedule,
      scanner: this.#scanner,
      link: this.#link,
      failures: this.#failures,
      restless: this.#restless,
      isPaused: () => this.#paused,
      onScanDue: (isUnasked) => {
        this.#isRoutine = isUnasked;
      },
    });
  }

  async run(signal: AbortSignal): Promise<void> {
    const { filesystem, space, trees } = this.#options;
    if ((await this.#link.claim()) === 'merged') this.#notes.merged('known-anew');
    await this.#scanner.loadRules();
    this.#selectionChanges.touch();
    this.#notes.done('start', '');
    const stop = new AbortController();
    const stopped = AbortSignal.any([signal, stop.signal]);
    const watch = await filesystem.watch(
      followHints({
        attention: this.#attention,
        schedule: this.#schedule,
        notes: this.#notes,
        log: this.#environment.log,
        onChange: () => this.#changed(),
      }),
      (paths) => this.#attention.stirred(paths),
    );
    this.#watch = watch;
    await this.#ahead.start();
    const hints = followServer({
      space,
      trees,
      attention: this.#attention,
      retries: this.#retries,
      ahead: this.#ahead,
      committedSequence: () => this.#committedSequence,
      facts: this.#facts,
      onChange: () => this.#changed(),
    });
    try {
      while (!signal.aborted) {
        try {
          await this.#link.renewWhenDue();
          this.#rest((await runCycle(this.#cycle, stopped)).state);
        } catch (error) {
          if (signal.aborted) break;
          await this.#tryFlush();
          this.#noteTrouble(error);
        }
        await this.#pause.wait(signal);
      }
    } finally {
      stop.abort();
      this.#selectionChanges.stop();
      hints.close();
      watch.close();
      await this.#large.finish();
      await this.#ahead.finish();
      await this.#tryFlush();
      await this.#link.renew();
      this.#setState('stopped');
    }
  }

  #onServerAnswered(rebased: boolean): void {
    if (this.#facts.connection === 'offline') this.#facts.connection = 'polling';
    this.#facts.trouble = null;
    if (!rebased) return;
    this.#committedSequence = 0;
    this.#notes.merged('history-changed');
  }

  #planOptions(): PlanOptions {
    return makePlanOptions(this.#options, {
      rules: this.#scanner.rules,
      selection: this.#selection,
      removals: this.#removals,
      confirmed: this.#confirmed,
    });
  }

  #rest(state: SyncState): void {
    if (state === 'in-sync') {
      for (const direction of this.#confirmed) this.#removals.forget(direction);
      this.#confirmed.clear();
      this.#retries.reset();
      this.#deps.placing.forgetBefore();
      this.#facts.lastInSyncAt = this.#environment.clock.now();
      // Written with the next flush; not worth one of its own.
      if (this.#facts.state !== 'in-sync')
        this.#options.trees.setValue(LAST_IN_SYNC, String(this.#facts.lastInSyncAt));
    }
    this.#setState(state);
  }

  #flush(): Promise<void> {
    return makeDurable(this.#deps);
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
    if (error.code === 'local-disk-full') this.#ahead.yieldRoom();
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

  #setState(state: SyncState): void {
    if (this.#facts.state === state) return;
    this.#facts.state = state;
    if (state === 'offline' || state === 'paused' || state === 'stopped')
      this.#notes.done(state, '', state === 'offline' ? this.#facts.trouble?.message : undefined);
    this.#environment.log.info('engine.state', { state });
    this.#changed();
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }

  #sources(): AnswerSources {
    return {
      options: this.#options,
      facts: this.#facts,
      execute: this.#deps,
      scanner: this.#scanner,
      large: this.#large,
      ahead: this.#ahead,
      selection: this.#selection,
      schedule: this.#schedule,
      retries: this.#retries,
    };
  }

  status(): SyncStatus {
    return answerStatus(this.#sources(), this.#plan);
  }

  explain(path: string): Explanation {
    return answerWhy(this.#sources(), this.#planOptions(), path);
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

  giveMemoryBack(): void {
    this.#options.trees.giveMemoryBack();
    this.#options.space.giveMemoryBack();
    forgetIdleChunkers();
  }

  confirmDeletes(): void {
    const held = this.#plan?.held;
    if (held) {
      this.#confirmed.add(held.direction);
      this.#notes.done('confirm', '', `${held.count} deletes`);
    }
    this.refresh();
  }

  rejectDeletes(): void {
    const held = this.#plan?.held;
    if (!held) return;
    this.#notes.done('reject', '', `${held.count} deletes`);
    takeBackDeletes(this.#options.trees, held.direction);
    this.refresh();
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
