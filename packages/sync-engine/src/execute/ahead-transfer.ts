import type { TemporaryFile } from '@cairn/filesystem';
import type { AnnouncedChunk, AnnouncedFile, ContentId, TransferId } from '@cairn/model';
import { CairnError } from '@cairn/model';
import type { SpaceConnection } from '../ports.ts';
import { ReceivedChunks } from './received-chunks.ts';

/** Announcements that are not worked off yet; what comes beyond that is fetched once the file is committed. */
const MAX_PENDING_CHUNKS = 16_384;
/** Bytes of one call of the reading side, which has bounds of its own for what it holds. */
const BATCH_BYTES = 16 * 1024 * 1024;
/** What was received is made durable in steps of this, so that little is left to be when the file is placed. */
const FLUSH_BYTES = 32 * 1024 * 1024;

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
  #pendingBytes = 0;
  #unflushedBytes = 0;
  #flushing: Promise<void> = Promise.resolve();

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
    return this.#pending.length > 0;
  }

  /** Queues what is not here, as long as it takes no more than `roomBytes`. */
  queue(chunks: readonly AnnouncedChunk[], roomBytes: number): void {
    let left = roomBytes;
    for (const chunk of chunks) {
      const { position, sizeBytes } = chunk;
      if (position + sizeBytes > this.file.sizeBytes || this.received.has(position, chunk)) continue;
      left -= sizeBytes;
      if (left < 0 || this.#pending.length >= MAX_PENDING_CHUNKS) return;
      this.#pending.push(chunk);
      this.#pendingBytes += sizeBytes;
    }
  }

  forgetPending(): void {
    this.#pending = [];
    this.#pendingBytes = 0;
  }

  /** What is to be received next. */
  takeBatch(): AnnouncedChunk[] {
    let bytes = 0;
    let count = 0;
    for (const { sizeBytes } of this.#pending) {
      if (count > 0 && bytes + sizeBytes > BATCH_BYTES) break;
      bytes += sizeBytes;
      count++;
    }
    this.#pendingBytes -= bytes;
    return this.#pending.splice(0, count);
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
    this.#unflushedBytes += reached;
    if (this.#unflushedBytes >= FLUSH_BYTES) await this.#flush(temporary);
  }

  /** Begins to make durable what is here; waits only while that is under way from the time before. */
  async #flush(temporary: TemporaryFile): Promise<void> {
    await this.#flushing;
    this.#unflushedBytes = 0;
    // Once it failed nothing more can be written, which is what the next batch is told.
    this.#flushing = temporary.sync().catch(() => undefined);
  }

  /** Gives the temporary away; `null` when there is none. Only while no batch is under way. */
  async release(): Promise<TemporaryFile | null> {
    await this.#flushing;
    const temporary = this.#temporary;
    this.#temporary = null;
    return temporary;
  }
}
