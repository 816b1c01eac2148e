import type { TemporaryFile } from '@cairn/filesystem';
import {
  type AnnouncedChunk,
  type AnnouncedCopies,
  type AnnouncedFile,
  CairnError,
  type ContentId,
  type CopiedRun,
  type TransferId,
} from '@cairn/model';
import type { SpaceConnection } from '../ports.ts';
import { type CopyDeps, CopySource } from './ahead-copies.ts';
import { ReceivedChunks } from './received-chunks.ts';

/** Announcements that are not worked off yet; what comes beyond that is fetched once the file is committed. */
const MAX_PENDING_CHUNKS = 16_384;
const MAX_PENDING_RUNS = 4096;
/** Bytes of one call of the reading side, which has bounds of its own for what it holds. */
const BATCH_BYTES = 16 * 1024 * 1024;

/** What is to be received next: chunks that are read from the server, or a run of such as are on this disk. */
export type AheadBatch =
  | { readonly chunks: readonly AnnouncedChunk[]; readonly sizeBytes: number }
  | { readonly run: CopiedRun; readonly base: ContentId; readonly sizeBytes: number };

/** One file that is being received before anybody has committed it. */
export class AheadTransfer {
  file: AnnouncedFile;
  transferId: TransferId;
  /** Whose temporary it has. */
  readonly slot: number;
  readonly received = new ReceivedChunks();
  /** How long the temporary is at most, with what was begun to be written. */
  writtenBytes = 0;
  readonly stop = new AbortController();
  /** The batch under way; never rejects. */
  busy: Promise<void> | null = null;
  lastHeardMs = 0;
  /** Grows with each batch, of all transfers. */
  lastServed = 0;
  cancelIdle = (): void => undefined;
  #temporary: TemporaryFile | null = null;
  #pending: AnnouncedChunk[] = [];
  #runs: { readonly run: CopiedRun; readonly base: ContentId }[] = [];
  #pendingBytes = 0;
  /** Grows when what was pending is forgotten. */
  #forgotten = 0;
  #copiedLast = false;
  /** Where the runs of a base are from; `null`: nothing here has it. */
  #source: { readonly base: ContentId; readonly found: CopySource | null } | null = null;

  constructor(file: AnnouncedFile, transferId: TransferId, slot: number) {
    this.file = file;
    this.transferId = transferId;
    this.slot = slot;
  }

  /** Received and awaited. */
  get sizeBytes(): number {
    return this.received.sizeBytes + this.#pendingBytes;
  }

  get isPending(): boolean {
    return this.#pending.length > 0 || this.#runs.length > 0;
  }

  /** Queues what is not here, as long as it takes no more than `roomBytes`. */
  queue(chunks: readonly AnnouncedChunk[], copies: AnnouncedCopies | undefined, roomBytes: number): void {
    let left = roomBytes;
    for (const chunk of chunks) {
      const { position, sizeBytes } = chunk;
      if (position + sizeBytes > this.file.sizeBytes || this.received.has(position, chunk)) continue;
      left -= sizeBytes;
      if (left < 0 || this.#pending.length >= MAX_PENDING_CHUNKS) break;
      this.#pending.push(chunk);
      this.#pendingBytes += sizeBytes;
    }
    if (copies === undefined || left < 0) return;
    for (const run of copies.runs) {
      if (run.position + run.sizeBytes > this.file.sizeBytes) continue;
      left -= run.sizeBytes;
      if (left < 0 || this.#runs.length >= MAX_PENDING_RUNS) return;
      this.#runs.push({ run, base: copies.base });
      this.#pendingBytes += run.sizeBytes;
    }
  }

  forgetPending(): void {
    this.#pending = [];
    this.#runs = [];
    this.#pendingBytes = 0;
    this.#forgotten++;
  }

  /** What is to be received next: from the server and from this disk in turn. */
  takeBatch(): AheadBatch | null {
    const copies = this.#runs.length > 0 && (this.#pending.length === 0 || !this.#copiedLast);
    this.#copiedLast = copies;
    const next = copies ? this.#runs.shift() : undefined;
    const batch = next === undefined ? this.#takeChunks() : { ...next, sizeBytes: next.run.sizeBytes };
    if (batch !== null) this.#pendingBytes -= batch.sizeBytes;
    return batch;
  }

  #takeChunks(): AheadBatch | null {
    let bytes = 0;
    let count = 0;
    for (const { sizeBytes } of this.#pending) {
      if (count > 0 && bytes + sizeBytes > BATCH_BYTES) break;
      bytes += sizeBytes;
      count++;
    }
    return count === 0 ? null : { chunks: this.#pending.splice(0, count), sizeBytes: bytes };
  }

  /**
   * Copies chunks from a file on this disk, each of which is checked against its id, to where they belong.
   * @param open opens the temporary at the first call
   */
  async copy(
    run: CopiedRun,
    base: ContentId,
    deps: CopyDeps,
    open: () => Promise<TemporaryFile>,
    signal: AbortSignal,
  ): Promise<void> {
    if (this.#source?.base !== base)
      this.#source = { base, found: await CopySource.find(deps, this.file, base, signal) };
    const { found } = this.#source;
    if (found === null) return;
    this.#temporary ??= await open();
    const temporary = this.#temporary;
    const forgotten = this.#forgotten;
    await found.copy(deps, run, {
      temporary,
      received: this.received,
      noteWriting: (end) => {
        this.writtenBytes = Math.max(this.writtenBytes, end);
      },
      goesOn: () => this.#forgotten === forgotten && !signal.aborted,
    });
  }

  /**
   * Reads chunks, each of which is checked against its id by the connection, and writes them to where they belong.
   * @param open opens the temporary at the first call
   */
  async receive(
    batch: readonly AnnouncedChunk[],
    space: Pick<SpaceConnection, 'readContents'>,
    open: () => Promise<TemporaryFile>,
    signal: AbortSignal,
  ): Promise<void> {
    this.#temporary ??= await open();
    const temporary = this.#temporary;
    // A list of parts is read like any file; its own id is of no meaning.
    const content = {
      contentId: '' as ContentId,
      sizeBytes: batch.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
      manifest: { profile: 't32-1m', depth: 0, parts: batch } as const,
    };
    let index = 0;
    /** Of the list: where the chunk at `index` begins, and how far it has come. */
    let start = 0;
    let reached = 0;
    for await (const { position, bytes } of space.readContents([{ content }], { signal })) {
      if (position !== reached)
        throw new CairnError('block-wrong', 'pieces of a list came out of their order');
      reached += bytes.length;
      for (let offset = 0; offset < bytes.length; ) {
        const chunk = batch[index];
        if (chunk === undefined) throw new CairnError('block-wrong', 'more came than was asked for');
        const inChunk = position + offset - start;
        const count = Math.min(chunk.sizeBytes - inChunk, bytes.length - offset);
        const at = chunk.position + inChunk;
        this.received.forget(at, at + count);
        this.writtenBytes = Math.max(this.writtenBytes, at + count);
        await temporary.write(bytes.subarray(offset, offset + count), at);
        offset += count;
        if (inChunk + count < chunk.sizeBytes) continue;
        this.received.add(chunk);
        start += chunk.sizeBytes;
        index++;
      }
    }
  }

  /** Gives the temporary away; `null` when there is none. Only while no batch is under way. */
  release(): TemporaryFile | null {
    const temporary = this.#temporary;
    this.#temporary = null;
    return temporary;
  }
}
