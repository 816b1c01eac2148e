import { copyFileSync, existsSync, mkdirSync, readdirSync, rmSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { openSegmentBlockStore } from '@cairn/block-store';
import type { StoredBlock } from '@cairn/content';
import type { Environment } from '@cairn/environment';
import type { BlockId } from '@cairn/model';
import type { Draw } from '../../random.ts';
import { scratchPath } from '../../world/template.ts';
import type { Timeline } from '../../world/timeline.ts';
import { DiskFiles } from './disk-files.ts';
import type { SimulatedProcess } from './simulated-process.ts';

type Store = Awaited<ReturnType<typeof openSegmentBlockStore>>;

/** Small, so that there are several, and some are compacted. */
const MAX_SEGMENT_BYTES = 32 * 1024;
const INDEX_LOG = 'index.sqlite-wal';
/** By then the store has flushed whatever it had left for later (ADR 0020). */
const INDEX_LAG_MS = 1_000;

interface Opened {
  readonly process: SimulatedProcess;
  readonly directory: string;
  readonly store: Promise<Store>;
  /** How long the index's log was, and when. */
  readonly logBytes: { readonly atMs: number; readonly sizeBytes: number }[];
}

function copyFolder(from: string, to: string): void {
  mkdirSync(to, { recursive: true });
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const isLock = entry.name.startsWith('lock.');
    if (entry.isFile() && !isLock) copyFileSync(join(from, entry.name), join(to, entry.name));
  }
}

/**
 * The folder of a real segment store, which one process after the other opens. Its segments are on a simulated disk, its
 * index in a real file in memory. Whoever is killed leaves all that it had written, and a cut of power what was flushed.
 */
export class StoreFolder {
  readonly #timeline: Timeline;
  readonly #draw: Draw;
  readonly #files: DiskFiles;
  #directory: string;
  #opened: Opened | null = null;

  constructor(timeline: Timeline, draw: Draw, from?: { directory: string; files: DiskFiles }) {
    this.#timeline = timeline;
    this.#draw = draw;
    this.#files = from?.files ?? new DiskFiles(timeline, draw);
    this.#directory = from?.directory ?? `${scratchPath()}.store`;
  }

  /** Whether a cut of power could take anything. */
  get hasUnflushed(): boolean {
    return this.#files.hasUnflushed;
  }

  /** Recovers the store for this process; takes simulated time. */
  open(
    process: SimulatedProcess,
    environment: Environment,
    verify: (block: StoredBlock) => boolean,
  ): Promise<Store> {
    if (this.#opened !== null) throw new Error('the folder is in use');
    const directory = this.#directory;
    mkdirSync(directory, { recursive: true });
    const store = openSegmentBlockStore({
      directory,
      environment,
      verify,
      files: this.#files.as(process, directory),
      maxSegmentBytes: MAX_SEGMENT_BYTES,
      reserveBytes: 0,
    });
    const opened: Opened = { process, directory, store, logBytes: [] };
    this.#opened = opened;
    return store.then((result) => {
      this.noteWrite();
      return result;
    });
  }

  /** Ends the store in good order. */
  async close(): Promise<void> {
    const opened = this.#opened;
    if (opened === null) return;
    await (await opened.store).close();
    if (this.#opened === opened) this.#opened = null;
  }

  /** To be called after each write: the index may be behind by what was written last. */
  noteWrite(): void {
    const opened = this.#opened;
    const path = join(this.#directory, INDEX_LOG);
    if (opened === null || !existsSync(path)) return;
    opened.logBytes.push({ atMs: this.#timeline.nowMs, sizeBytes: statSync(path).size });
    if (opened.logBytes.length > 64) opened.logBytes.splice(0, 32);
  }

  /**
   * The process that had the folder has just died: takes what it left, at once. Resolves when nothing of it is left in
   * memory.
   */
  async leave(isPowerCut: boolean): Promise<void> {
    const opened = this.#opened;
    this.#opened = null;
    if (opened === null) {
      if (isPowerCut) this.#files.cutPower();
      return;
    }
    this.#directory = `${scratchPath()}.store`;
    copyFolder(opened.directory, this.#directory);
    if (isPowerCut) {
      this.#files.cutPower();
      this.#cutIndexLog(opened);
    }
    const store = await opened.store.catch(() => null);
    await store?.close().catch(() => undefined);
    rmSync(opened.directory, { recursive: true, force: true });
  }

  /** Transactions of the last second may be lost, and the last one that is left may be torn. */
  #cutIndexLog({ process, logBytes }: Opened): void {
    const path = join(this.#directory, INDEX_LOG);
    const flushedMs = this.#timeline.nowMs - INDEX_LAG_MS;
    const sure = logBytes.findLast(({ atMs }) => atMs < flushedMs)?.sizeBytes ?? logBytes[0]?.sizeBytes;
    // While it stood still no timer flushed anything.
    if (sure === undefined || process.resumedMs >= flushedMs || !existsSync(path)) return;
    const { size } = statSync(path);
    if (size > sure) truncateSync(path, sure + this.#draw.below(size - sure + 1));
  }

  /** The folder as it is now, all of it durable. */
  copy(): StoreFolder {
    const directory = `${scratchPath()}.store`;
    if (existsSync(this.#directory)) copyFolder(this.#directory, directory);
    return new StoreFolder(this.#timeline, this.#draw, { directory, files: this.#files.copy() });
  }

  /** Flips a bit of the newest record of this block. */
  rot(blockId: BlockId, payload: Uint8Array): boolean {
    return this.#files.rot(Buffer.from(blockId, 'hex'), payload);
  }

  /** Nobody needs it any more. */
  remove(): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }
}
