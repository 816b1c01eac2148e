import type { TemporaryFile } from '@cairn/filesystem';
import type { AnnouncedFile, EntryId } from '@cairn/model';
import { isCairnError } from '@cairn/model';
import type { DownloadDeps } from './deps.ts';
import { type Download, fetchFiles, prepareDownload } from './download.ts';
import { type Inspection, inspectFiles } from './inspect.ts';
import { createPlacer, type Prepared } from './place-files.ts';

/** Files from this size on are transferred beside the loop, so that small changes overtake them, and announced. */
const LARGE_BYTES = 32 * 1024 * 1024;
const MAX_AT_ONCE = 2;

/** A download whose bytes are complete in a temporary file. */
interface FetchedFile extends Prepared {
  readonly temporary: TemporaryFile;
}

/**
 * Long transfers that run beside the engine's loop. They only read and fill temporary files; what they learn is
 * noted, and what they fetched is placed, by the loop itself.
 */
export class LargeTransfers {
  readonly #running = new Map<EntryId, Promise<void>>();
  readonly #fetched = new Map<EntryId, FetchedFile>();
  readonly #deps: DownloadDeps;
  readonly #onDone: () => void;
  readonly #onEngineWide: (error: unknown) => void;

  readonly #fromBytes: number;

  constructor(
    deps: DownloadDeps,
    onDone: () => void,
    onEngineWide: (error: unknown) => void,
    fromBytes = LARGE_BYTES,
  ) {
    this.#deps = deps;
    this.#fromBytes = fromBytes;
    this.#onDone = onDone;
    this.#onEngineWide = onEngineWide;
  }

  /** Whether a file of this size is transferred here, beside the loop. */
  takes(sizeBytes: number): boolean {
    return sizeBytes >= this.#fromBytes;
  }

  isRunning(entryId: EntryId): boolean {
    return this.#running.has(entryId);
  }

  /** Whether a transfer of this entry could start now, or needs no more than to be placed. */
  hasRoomFor(entryId: EntryId): boolean {
    return this.#running.size < MAX_AT_ONCE || this.#fetched.has(entryId);
  }

  /** Closes what was fetched for entries that nobody wants to place any more. */
  async keepOnly(wanted: ReadonlySet<EntryId>): Promise<void> {
    for (const [entryId, { temporary }] of this.#fetched) {
      if (wanted.has(entryId)) continue;
      this.#fetched.delete(entryId);
      await temporary.close();
    }
  }

  get hasFetched(): boolean {
    return this.#fetched.size > 0;
  }

  get running(): Iterable<EntryId> {
    return this.#running.keys();
  }

  get count(): number {
    return this.#running.size;
  }

  /** Starts reading (and uploading) a large file, if there is room. */
  inspect(inspection: Inspection, signal: AbortSignal): void {
    const announces = inspection.uploadExpected ? this.#announcedFile(inspection.entryId) : undefined;
    this.#start(inspection.entryId, () => inspectFiles(this.#deps, [inspection], signal, { announces }));
  }

  #announcedFile(entryId: EntryId): AnnouncedFile | undefined {
    const node = this.#deps.local.get(entryId);
    if (node === undefined || node.parentId === null) return undefined;
    return { entryId, parentId: node.parentId, name: node.name, sizeBytes: node.sizeBytes };
  }

  /** Places the file if its bytes are here; else starts fetching them, if there is room. */
  async download(download: Download, signal: AbortSignal): Promise<void> {
    const prepared = prepareDownload(this.#deps, download);
    const fetched = this.#fetched.get(download.entryId);
    if (fetched !== undefined) {
      this.#fetched.delete(download.entryId);
      const same =
        prepared !== null &&
        prepared.path === fetched.path &&
        prepared.entry.content.contentId === fetched.entry.content.contentId &&
        JSON.stringify(prepared.expected) === JSON.stringify(fetched.expected);
      if (same) {
        const placer = createPlacer(this.#deps);
        await placer.add(prepared, fetched.temporary);
        await placer.finish();
        return;
      }
      // The plan changed while it was fetched: what is still right in the temporary file will be found again.
      await fetched.temporary.close();
    }
    if (prepared === null) return;
    this.#start(download.entryId, () =>
      fetchFiles(this.#deps, [prepared], signal, {
        onTemporary: async (temporary) => {
          this.#fetched.set(download.entryId, { ...prepared, temporary });
        },
      }),
    );
  }

  #start(entryId: EntryId, work: () => Promise<void>): void {
    if (this.#running.has(entryId) || this.#running.size >= MAX_AT_ONCE) return;
    const task = work()
      .catch((error) => {
        if (isCairnError(error, 'cancelled') || (error as Error)?.name === 'AbortError') return;
        this.#onEngineWide(error);
      })
      .finally(() => {
        this.#running.delete(entryId);
        this.#onDone();
      });
    this.#running.set(entryId, task);
  }

  /** Waits for what is under way (the caller has aborted its signal) and closes what was fetched. */
  async finish(): Promise<void> {
    await Promise.all(this.#running.values());
    for (const { temporary } of this.#fetched.values()) await temporary.close();
    this.#fetched.clear();
  }
}
