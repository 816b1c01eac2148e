import type { ContentPlatform } from '@cairn/content';
import type { Environment } from '@cairn/environment';
import type { Filesystem, FolderWatch } from '@cairn/filesystem';
import { createId, type EntryId, isCairnError } from '@cairn/model';
import { type Plan, type PlanOptions, plan } from '@cairn/planner';
import type { TreeStore } from '@cairn/tree-store';
import { createCounters, type ExecuteDeps } from './execute/deps.ts';
import type { DownloadDeps } from './execute/download.ts';
import { classOf, entryOf, executePlan } from './execute/execute-plan.ts';
import { isEngineWide } from './execute/inspect.ts';
import { LargeTransfers } from './execute/large-transfers.ts';
import { type Explanation, explainPath } from './explain-path.ts';
import { Failures } from './failures.ts';
import { LocalTree } from './local-tree.ts';
import { followJournal } from './observe/follow.ts';
import { createScanner } from './observe/scan.ts';
import type { SpaceConnection } from './ports.ts';
import { claimRoot, noteRoot, verifyRoot } from './root-marker.ts';
import { describeStatus, type EngineFacts, type SyncState, type SyncStatus } from './status.ts';
import { Wake } from './wake.ts';

/** After a hint from the disk we wait this long for its companions (both ends of a move, a save in steps). */
const DEBOUNCE_MS = 25;
/** How long one plan is executed before the engine looks at the disk and the journal again. */
const EXECUTE_BUDGET_MS = 1500;
/** A full scan at least this often: the watcher is only a hint. */
const FULL_SCAN_MS = 15 * 60_000;
const FULL_DISK_PAUSE_MS = 5_000;
const MAX_BACKOFF_MS = 30_000;

export interface SyncEngineOptions {
  readonly filesystem: Filesystem;
  readonly space: SpaceConnection;
  readonly trees: TreeStore;
  readonly platform: ContentPlatform;
  readonly environment: Environment;
  /** Shown in the names of conflict copies. */
  readonly deviceName: string;
  readonly brake?: PlanOptions['brake'];
  readonly fullScanMs?: number;
}

/** Keeps one folder equal to one space. */
export interface SyncEngine {
  /**
   * Runs until aborted. Rejects for what only the user can mend: `root-missing`, `root-foreign`,
   * `session-revoked`, `not-signed-in`.
   */
  run(signal: AbortSignal): Promise<void>;
  status(): SyncStatus;
  /** Everything known about one path, in words. */
  explain(path: string): Explanation;
  pause(): void;
  resume(): void;
  /** Lets the deletes that are held go ahead, once. */
  confirmDeletes(): void;
  /** Takes the deletes that are held back: what is gone on one side is brought back from the other. */
  rejectDeletes(): void;
  /** Scan everything and ask the server, now. */
  refresh(): void;
  /** Called after every change of state. */
  onChange(listener: () => void): () => void;
}

/** Composes an engine from its ports. The composition root opens and closes what it hands over. */
export function createSyncEngine(options: SyncEngineOptions): SyncEngine {
  return new Engine(options);
}

class Engine implements SyncEngine {
  readonly #options: SyncEngineOptions;
  readonly #environment: Environment;
  readonly #local: LocalTree;
  readonly #failures: Failures;
  readonly #deps: DownloadDeps;
  readonly #scanner: ReturnType<typeof createScanner>;
  readonly #large: LargeTransfers;
  readonly #wake = new Wake();
  readonly #listeners = new Set<() => void>();
  readonly #confirmed = new Set<'up' | 'down'>();
  readonly #facts: EngineFacts;

  #dirty = new Set<string>();
  #fullScan = true;
  #remoteDirty = true;
  #paused = false;
  #lastFullScanMs = 0;
  #backoffMs = 0;
  #localFullUntilMs = 0;
  #serverFullUntilMs = 0;
  #plan: Plan | null = null;
  /** What a large transfer met that is not about its file alone; the loop deals with it. */
  #transferError: unknown = null;

  constructor(options: SyncEngineOptions) {
    const { filesystem, space, trees, platform, environment } = options;
    this.#options = options;
    this.#environment = environment;
    this.#local = new LocalTree(trees.local, space.rootId);
    this.#failures = new Failures(environment);
    this.#facts = { state: 'starting', connection: 'offline', trouble: null, lastInSyncAt: null };
    this.#scanner = createScanner({
      filesystem,
      local: this.#local,
      environment,
      takeLateHints: () => this.#takeLateHints(),
    });
    const shared: ExecuteDeps = {
      filesystem,
      space,
      trees,
      local: this.#local,
      platform,
      environment,
      failures: this.#failures,
      uploaded: new Set(),
      counters: createCounters(),
      markDirty: (path) => this.#markDirty(path),
      markRemoteDirty: () => {
        this.#remoteDirty = true;
      },
      createEntryId: () => createId<EntryId>(environment.random.bytes(16)),
    };
    this.#deps = {
      ...shared,
      touchedFolders: new Set(),
      isIgnored: (path) => {
        const isFolder = path.endsWith('/');
        return this.#scanner.rules.isIgnored(isFolder ? path.slice(0, -1) : path, isFolder);
      },
    };
    this.#large = new LargeTransfers(
      this.#deps,
      () => this.#wake.ring(),
      (error) => {
        this.#transferError = error;
      },
    );
  }

  async run(signal: AbortSignal): Promise<void> {
    const { filesystem, space, trees } = this.#options;
    const marker = { filesystem, trees, spaceId: space.spaceId, environment: this.#environment };
    await claimRoot(marker);
    await noteRoot(marker, space.rootId);
    await this.#scanner.loadRules();
    const stop = new AbortController();
    const stopped = AbortSignal.any([signal, stop.signal]);
    const watch = await this.#startWatch();
    const hints = space.hints(
      (sequence) => {
        if (sequence !== null && trees.cursor !== null && trees.cursor.sequence >= sequence) return;
        this.#remoteDirty = true;
        this.#backoffMs = 0;
        this.#wake.ring();
      },
      (state) => {
        if (this.#facts.connection !== 'offline' || state === 'live') this.#facts.connection = state;
        this.#changed();
      },
    );
    try {
      while (!signal.aborted) {
        try {
          await this.#cycle(stopped);
        } catch (error) {
          if (signal.aborted) break;
          await this.#flush();
          this.#noteTrouble(error);
        }
        await this.#sleep(signal);
      }
    } finally {
      stop.abort();
      hints.close();
      watch?.close();
      await this.#large.finish();
      await this.#flush();
      this.#setState('stopped');
    }
  }

  /** Observes, plans and executes until nothing is left to do or everything left has to wait. */
  async #cycle(signal: AbortSignal): Promise<void> {
    for (;;) {
      signal.throwIfAborted();
      if (this.#transferError !== null) {
        const error = this.#transferError;
        this.#transferError = null;
        throw error;
      }
      if (this.#paused) {
        this.#setState('paused');
        return;
      }
      await this.#observeDisk();
      await this.#observeServer(signal);
      const candidates = [...this.#options.trees.touched()];
      const planned = this.#makePlan(candidates);
      this.#plan = planned;
      const runnable = planned.operations.filter(({ operation }) => {
        const id = entryOf(operation);
        return (
          !this.#failures.isWaiting(id) && !this.#large.isRunning(id) && this.#isPermitted(classOf(operation))
        );
      });
      this.#forgetSettled(candidates, planned);
      if (runnable.length === 0) {
        await this.#flush();
        this.#rest(planned);
        if (this.#hasWork()) continue;
        return;
      }
      this.#setState('syncing');
      if (runnable.some(({ operation }) => operation.kind === 'push-remove')) await this.#verifyRoot();
      const permissions = { mayWriteLocally: this.#isPermitted('local'), mayPush: this.#isPermitted('push') };
      try {
        await executePlan(
          this.#deps,
          this.#large,
          planned.operations,
          permissions,
          EXECUTE_BUDGET_MS,
          signal,
        );
      } catch (error) {
        if (!this.#noteFullness(error)) throw error;
      }
      await this.#flush();
      this.#changed();
      if (runnable.every(({ operation }) => this.#large.isRunning(entryOf(operation))) && !this.#hasWork())
        return;
    }
  }

  async #observeDisk(): Promise<void> {
    const { clock } = this.#environment;
    const fullScanMs = this.#options.fullScanMs ?? FULL_SCAN_MS;
    if (clock.monotonicMs() - this.#lastFullScanMs > fullScanMs) this.#fullScan = true;
    while (this.#fullScan || this.#dirty.size > 0) {
      const recursive = this.#fullScan;
      const paths = recursive ? new Set(['']) : this.#dirty;
      this.#fullScan = false;
      this.#dirty = new Set();
      if (recursive) {
        await this.#verifyRoot();
        this.#lastFullScanMs = clock.monotonicMs();
      }
      const result = await this.#scanner.scan({ paths, recursive });
      if (result.rulesChanged) this.#fullScan = true;
      for (const path of result.again) this.#dirty.add(path);
      if (result.again.size > 0) await this.#environment.timers.sleep(DEBOUNCE_MS);
    }
  }

  async #observeServer(signal: AbortSignal): Promise<void> {
    if (!this.#remoteDirty) return;
    const { space, trees } = this.#options;
    this.#remoteDirty = false;
    try {
      const result = await followJournal({ space, trees, environment: this.#environment }, signal);
      if (this.#facts.connection === 'offline') this.#facts.connection = 'polling';
      this.#facts.trouble = null;
      this.#backoffMs = 0;
      if (result.rebased) {
        const text =
          'The server holds another history than before (restored or replaced). Both sides were merged; nothing was deleted.';
        trees.addNotice({ at: this.#environment.clock.now(), kind: 'history-changed', path: '/', text });
      }
    } catch (error) {
      this.#remoteDirty = true;
      throw error;
    }
  }

  #makePlan(candidates: readonly EntryId[]): Plan {
    const { trees, space } = this.#options;
    const view = { rootId: space.rootId, remote: trees.remote, local: trees.local, synced: trees.synced };
    return plan(view, this.#planOptions(), candidates);
  }

  #planOptions(): PlanOptions {
    const { filesystem, deviceName, brake } = this.#options;
    return {
      deviceName,
      date: new Date(this.#environment.clock.now()).toISOString().slice(0, 10),
      foldsNames: !(filesystem.capabilities.caseSensitive && filesystem.capabilities.unicodeSensitive),
      brake: brake ?? { count: 200, share: 0.5 },
      confirmed: this.#confirmed,
    };
  }

  #isPermitted(group: ReturnType<typeof classOf>): boolean {
    const now = this.#environment.clock.monotonicMs();
    if (group === 'push') return now >= this.#serverFullUntilMs;
    if (group === 'local' || group === 'download') return now >= this.#localFullUntilMs;
    return true;
  }

  /** Entries that were looked at and need nothing are not looked at again until something touches them. */
  #forgetSettled(candidates: readonly EntryId[], planned: Plan): void {
    const open = new Set<EntryId>();
    for (const { operation } of planned.operations) {
      open.add(entryOf(operation));
      if (operation.kind === 'adopt') open.add(operation.remoteId);
    }
    for (const { entryId } of planned.issues) open.add(entryId);
    if (planned.held !== null) return;
    this.#options.trees.forgetTouched(candidates.filter((id) => !open.has(id)));
  }

  #rest(planned: Plan): void {
    const waiting =
      planned.operations.length > 0 || planned.issues.length > 0 || this.#failures.list().length > 0;
    if (planned.operations.length === 0)
      for (const failure of this.#failures.list()) this.#failures.forget(failure.entryId);
    if (planned.held !== null) {
      this.#setState('held');
    } else if (this.#large.count > 0) {
      this.#setState('syncing');
    } else if (waiting && planned.operations.length + planned.issues.length > 0) {
      this.#setState('waiting');
    } else {
      this.#confirmed.clear();
      this.#facts.lastInSyncAt = this.#environment.clock.now();
      this.#setState('in-sync');
    }
  }

  #hasWork(): boolean {
    return this.#fullScan || this.#remoteDirty || this.#dirty.size > 0;
  }

  async #sleep(signal: AbortSignal): Promise<void> {
    const { timers, clock } = this.#environment;
    if (this.#hasWork() && this.#backoffMs === 0 && !this.#paused) return;
    const now = clock.monotonicMs();
    const due = [(this.#options.fullScanMs ?? FULL_SCAN_MS) - (now - this.#lastFullScanMs)];
    if (this.#backoffMs > 0) due.push(this.#backoffMs * (0.75 + this.#environment.random.fraction() / 2));
    const nextFailureMs = this.#failures.nextDueMs();
    if (nextFailureMs !== null && this.#backoffMs === 0) due.push(Math.max(nextFailureMs, 50));
    if (this.#localFullUntilMs > now) due.push(this.#localFullUntilMs - now);
    if (this.#serverFullUntilMs > now) due.push(this.#serverFullUntilMs - now);
    await this.#wake.wait(timers, Math.max(1, Math.min(...due)), signal);
    if (this.#dirty.size > 0 && !signal.aborted) await timers.sleep(DEBOUNCE_MS);
  }

  async #startWatch(): Promise<FolderWatch> {
    return this.#options.filesystem.watch((hint) => {
      if (hint.kind === 'everything') {
        this.#environment.log.info('engine.full-scan', { reason: hint.reason });
        this.#fullScan = true;
      } else {
        this.#dirty.add(hint.path);
      }
      this.#wake.ring();
    });
  }

  async #takeLateHints(): Promise<ReadonlySet<string>> {
    await this.#environment.timers.sleep(DEBOUNCE_MS);
    const late = this.#dirty;
    this.#dirty = new Set();
    return late;
  }

  #markDirty(path: string): void {
    this.#dirty.add(path);
  }

  async #verifyRoot(): Promise<void> {
    const { filesystem, trees, space } = this.#options;
    await verifyRoot({ filesystem, trees, spaceId: space.spaceId, environment: this.#environment });
  }

  /** Makes what was done durable: first the names on disk, then what we know about them. */
  async #flush(): Promise<void> {
    const { touchedFolders, filesystem, trees } = { ...this.#deps };
    if (touchedFolders.size > 0) {
      const folders = [...touchedFolders];
      touchedFolders.clear();
      await filesystem.syncFolders(folders);
    }
    trees.flush();
  }

  /** Full disks pause one direction only. */
  #noteFullness(error: unknown): boolean {
    const untilMs = this.#environment.clock.monotonicMs() + FULL_DISK_PAUSE_MS;
    if (isCairnError(error, 'local-disk-full')) this.#localFullUntilMs = untilMs;
    else if (isCairnError(error, 'storage-full', 'quota-exceeded')) this.#serverFullUntilMs = untilMs;
    else return false;
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
    this.#backoffMs = Math.min(MAX_BACKOFF_MS, Math.max(250, this.#backoffMs * 2));
    this.#remoteDirty = true;
    const fields = {
      code: this.#facts.trouble.code,
      error: known ? message : (error as Error)?.stack,
      backoffMs: this.#backoffMs,
    };
    if (isEngineWide(error)) this.#environment.log.warn('engine.server-trouble', fields);
    else this.#environment.log.error('engine.cycle-failed', fields);
    this.#facts.connection = isEngineWide(error) ? 'offline' : this.#facts.connection;
    this.#setState('offline');
  }

  #setState(state: SyncState): void {
    if (this.#facts.state === state) return;
    this.#facts.state = state;
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
    });
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
      },
      path,
    );
  }

  pause(): void {
    this.#paused = true;
    this.#wake.ring();
  }

  resume(): void {
    this.#paused = false;
    this.refresh();
  }

  refresh(): void {
    this.#fullScan = true;
    this.#remoteDirty = true;
    this.#backoffMs = 0;
    this.#failures.retryAll();
    this.#wake.ring();
  }

  confirmDeletes(): void {
    const held = this.#plan?.held;
    if (held) this.#confirmed.add(held.direction);
    this.refresh();
  }

  rejectDeletes(): void {
    const held = this.#plan?.held;
    if (!held) return;
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
