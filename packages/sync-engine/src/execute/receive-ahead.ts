import type { TemporaryFile } from '@cairn/filesystem';
import { type Announcement, type EntryId, type FileEntry, isCairnError, type TransferId } from '@cairn/model';
import { joinPath, pathIn } from '../local-tree.ts';
import { AheadTransfer } from './ahead-transfer.ts';
import type { DownloadDeps } from './deps.ts';
import { isEngineWide } from './engine-wide.ts';
import type { ReceivedFile } from './received-chunks.ts';

/** What a device receives before it is committed, at most. */
export interface AheadLimits {
  /** Of all files together; 0: nothing is received ahead. */
  readonly maxBytes: number;
  /** That much of the disk is left for others. */
  readonly keepFreeBytes: number;
}

export const AHEAD_LIMITS: AheadLimits = { maxBytes: 8 * 1024 ** 3, keepFreeBytes: 1024 ** 3 };

const MAX_TRANSFERS = 4;
/** Names of the temporaries: this and a number. */
const NAME_PREFIX = 'ahead-';
/** A sender that was not heard of for so long has given up, or its commit went by unseen. */
const IDLE_MS = 10 * 60_000;
/** One that was silent for so long gives way to another. */
const GIVES_WAY_MS = 60_000;
/** After a disk was full, or nearly so. */
const FULL_DISK_PAUSE_MS = 10 * 60_000;
/** Temporaries of any time, also of one to come: clocks are set back. */
const ANY_AGE_MS = -100 * 365 * 24 * 3_600_000;
/** Transfers that are over, of which announcements may still come. */
const MAX_REMEMBERED = 32;

type AheadDeps = Pick<
  DownloadDeps,
  'filesystem' | 'space' | 'trees' | 'local' | 'platform' | 'environment' | 'isIgnored' | 'isLeftOut'
>;

/** A file that is being received ahead, for people. */
export interface ReceivingFile {
  /** Relative to the synced folder; only its name where its folder is not known yet. */
  readonly path: string;
  readonly receivedBytes: number;
  readonly sizeBytes: number;
}

/**
 * Receives large files while other devices still send them, into temporaries that nobody sees. Only a download, which a
 * plan asked for after a commit, makes files of them. Everything here may be dropped at any moment: it is fetched again.
 */
export class ReceivingAhead {
  readonly #deps: AheadDeps;
  readonly #isPaused: () => boolean;
  readonly #limits: AheadLimits;
  readonly #transfers = new Map<EntryId, AheadTransfer>();
  readonly #slots = new Set<number>();
  readonly #over = new Set<TransferId>();
  #stop = new AbortController();
  /** What is dropped while nobody is at work on it; never rejects. */
  #clearing: Promise<void> = Promise.resolve();
  #isRunning = false;
  #working: Promise<void> | null = null;
  #served = 0;
  #refusesUntilMs = Number.NEGATIVE_INFINITY;

  constructor(deps: AheadDeps, isPaused: () => boolean, limits: Partial<AheadLimits> = {}) {
    this.#deps = deps;
    this.#isPaused = isPaused;
    this.#limits = { ...AHEAD_LIMITS, ...limits };
  }

  /** Drops what a process that ended had received; what had become a download's is resumed by that. */
  async start(): Promise<void> {
    const { filesystem, environment } = this.#deps;
    try {
      await filesystem.removeOldTemporaries(ANY_AGE_MS, NAME_PREFIX);
    } catch (error) {
      // Each is emptied before it is used, so this is only about room.
      environment.log.warn('ahead.not-tidied', { code: isCairnError(error) ? error.code : 'internal' });
    }
    this.#stop = new AbortController();
    this.#isRunning = true;
  }

  /** Takes a hint of another device. Never waits, never throws. */
  take(announcement: Announcement): void {
    const { clock, timers } = this.#deps.environment;
    const now = clock.monotonicMs();
    if (!this.#isRunning || now < this.#refusesUntilMs || this.#limits.maxBytes === 0) return;
    const transfer = this.#find(announcement, now);
    if (transfer === null) return;
    transfer.lastHeardMs = now;
    transfer.cancelIdle();
    transfer.cancelIdle = timers.schedule(IDLE_MS, () => this.#drop(transfer, 'not-committed'));
    transfer.queue(announcement.chunks, announcement.copies, this.#limits.maxBytes - this.#sizeBytes);
    this.#work();
  }

  /**
   * What was received of an entry whose committed version is to be downloaded; `null` when nothing was. It is the caller's
   * from now on.
   * @param temporaryName name that the download looks for when it is interrupted
   */
  async claim({ entryId }: FileEntry, temporaryName: string): Promise<ReceivedFile | null> {
    const transfer = this.#transfers.get(entryId);
    if (transfer === undefined) return null;
    this.#forget(transfer);
    // What is on its way would have to be fetched again.
    await transfer.busy;
    const temporary = transfer.release();
    try {
      if (temporary !== null && transfer.received.sizeBytes > 0) {
        await temporary.rename(temporaryName);
        return { temporary, chunks: transfer.received, writtenBytes: transfer.writtenBytes };
      }
      if (temporary !== null) await this.#discard(temporary);
    } catch (error) {
      this.#note('ahead.not-used', error);
      if (temporary !== null) await this.#discard(temporary);
    } finally {
      this.#slots.delete(transfer.slot);
    }
    return null;
  }

  /** Gives all room back: the disk is full. */
  yieldRoom(): void {
    this.#refusesUntilMs = this.#deps.environment.clock.monotonicMs() + FULL_DISK_PAUSE_MS;
    for (const transfer of [...this.#transfers.values()]) this.#drop(transfer, 'disk-full');
  }

  get receiving(): ReceivingFile[] {
    return [...this.#transfers.values()]
      .filter(({ received }) => received.sizeBytes > 0)
      .map(({ file, received }) => ({
        path: this.#pathOf(file) ?? file.name,
        receivedBytes: received.sizeBytes,
        sizeBytes: file.sizeBytes,
      }));
  }

  /** Ends what is under way and drops everything. */
  async finish(): Promise<void> {
    this.#isRunning = false;
    this.#stop.abort();
    for (const transfer of [...this.#transfers.values()]) this.#drop(transfer, 'stopped');
    await this.#working;
    await this.#clearing;
  }

  get #sizeBytes(): number {
    let sum = 0;
    for (const transfer of this.#transfers.values()) sum += transfer.sizeBytes;
    return sum;
  }

  /** The transfer that an announcement is about, a new one perhaps; `null` when it is of no interest. */
  #find(announcement: Announcement, now: number): AheadTransfer | null {
    const { transferId, chunks: _chunks, copies: _copies, ...file } = announcement;
    const known = this.#transfers.get(file.entryId);
    if (!this.#isWanted(file)) {
      if (known !== undefined) this.#drop(known, 'left-out');
      return null;
    }
    if (this.#over.has(transferId)) return null;
    if (known !== undefined) {
      // The sender began anew: what is the same at the same place counts as received.
      if (known.transferId !== transferId) known.forgetPending();
      known.transferId = transferId;
      known.file = file;
      return known;
    }
    if (this.#slots.size >= MAX_TRANSFERS) {
      const [oldest] = [...this.#transfers.values()].sort((a, b) => a.lastHeardMs - b.lastHeardMs);
      if (oldest !== undefined && now - oldest.lastHeardMs >= GIVES_WAY_MS) this.#drop(oldest, 'gave-way');
    }
    const slot = [...Array(MAX_TRANSFERS).keys()].find((each) => !this.#slots.has(each));
    if (slot === undefined) return null;
    const transfer = new AheadTransfer(file, transferId, slot);
    this.#slots.add(slot);
    this.#transfers.set(file.entryId, transfer);
    return transfer;
  }

  #isWanted(file: Pick<Announcement, 'entryId' | 'parentId' | 'name'>): boolean {
    if (this.#isPaused() || this.#deps.isLeftOut(file.entryId)) return false;
    const path = this.#pathOf(file);
    return path === null || !this.#deps.isIgnored(path);
  }

  #pathOf({ parentId, name }: Pick<Announcement, 'parentId' | 'name'>): string | null {
    const { local, trees } = this.#deps;
    const folder = local.path(parentId) ?? pathIn(trees.remote, local.rootId, parentId);
    return folder === null ? null : joinPath(folder, name);
  }

  #work(): void {
    if (this.#working !== null || this.#next() === undefined) return;
    this.#working = this.#receiveAll().finally(() => {
      this.#working = null;
      this.#work();
    });
  }

  /** The one with something to receive whose turn was longest ago. */
  #next(): AheadTransfer | undefined {
    if (!this.#isRunning) return undefined;
    let next: AheadTransfer | undefined;
    for (const transfer of this.#transfers.values())
      if (transfer.isPending && (next === undefined || transfer.lastServed < next.lastServed))
        next = transfer;
    return next;
  }

  /** One batch at a time, whatever the number of files: what is committed goes first on the connection. */
  async #receiveAll(): Promise<void> {
    for (let transfer = this.#next(); transfer !== undefined; transfer = this.#next()) {
      transfer.lastServed = ++this.#served;
      transfer.busy = this.#receive(transfer);
      await transfer.busy;
      transfer.busy = null;
      if (transfer.stop.signal.aborted) await this.#clear(transfer);
    }
  }

  async #receive(transfer: AheadTransfer): Promise<void> {
    const { space, filesystem } = this.#deps;
    const batch = transfer.takeBatch();
    if (batch === null) return;
    try {
      const free = await filesystem.freeBytes();
      if (free !== null && free - batch.sizeBytes < this.#limits.keepFreeBytes) {
        this.yieldRoom();
        return;
      }
      const signal = AbortSignal.any([this.#stop.signal, transfer.stop.signal]);
      const open = () => this.#open(transfer);
      if ('run' in batch) await transfer.copy(batch.run, batch.base, this.#deps, open, signal);
      else await transfer.receive(batch.chunks, space, open, signal);
    } catch (error) {
      if (transfer.stop.signal.aborted) return;
      this.#note('ahead.failed', error);
      if (isCairnError(error, 'local-disk-full')) this.yieldRoom();
      else if (isEngineWide(error) && !isCairnError(error, 'root-missing')) transfer.forgetPending();
      else this.#drop(transfer, 'failed');
    }
  }

  async #open({ slot }: AheadTransfer): Promise<TemporaryFile> {
    const temporary = await this.#deps.filesystem.openTemporary(`${NAME_PREFIX}${slot}`);
    if (temporary.existingBytes > 0) await temporary.truncate(0);
    return temporary;
  }

  /** Takes it out of the list; late announcements do not bring it back. */
  #forget(transfer: AheadTransfer): void {
    transfer.cancelIdle();
    transfer.forgetPending();
    this.#transfers.delete(transfer.file.entryId);
    this.#over.add(transfer.transferId);
    for (const oldest of this.#over) {
      if (this.#over.size <= MAX_REMEMBERED) break;
      this.#over.delete(oldest);
    }
  }

  #drop(transfer: AheadTransfer, reason: string): void {
    if (this.#transfers.get(transfer.file.entryId) !== transfer) return;
    this.#deps.environment.log.debug('ahead.dropped', { entryId: transfer.file.entryId, reason });
    this.#forget(transfer);
    transfer.stop.abort();
    // Else it is cleared by who is at work on it.
    if (transfer.busy === null) this.#clearing = this.#clearing.then(() => this.#clear(transfer));
  }

  async #clear(transfer: AheadTransfer): Promise<void> {
    const temporary = transfer.release();
    if (temporary !== null) await this.#discard(temporary);
    this.#slots.delete(transfer.slot);
  }

  async #discard(temporary: TemporaryFile): Promise<void> {
    try {
      await temporary.discard();
    } catch (error) {
      this.#note('ahead.not-removed', error);
    }
  }

  #note(event: string, error: unknown): void {
    const code = isCairnError(error) ? error.code : 'internal';
    this.#deps.environment.log.debug(event, { code, message: String(error) });
  }
}
