import type { TemporaryFile } from '@cairn/filesystem';
import type { AnnouncedChunk, BlockId } from '@cairn/model';

/** Which chunks are where in a file that is not whole: only what was checked and written, and no two overlap. */
export class ReceivedChunks {
  /** Sorted. */
  readonly #positions: number[] = [];
  readonly #chunks = new Map<number, AnnouncedChunk>();
  /** Positions of those that are from another file on this disk. */
  readonly #copied = new Set<number>();
  #sizeBytes = 0;

  /** Of all chunks. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  has(position: number, part: { readonly block: BlockId; readonly sizeBytes: number }): boolean {
    const chunk = this.#chunks.get(position);
    return chunk?.block === part.block && chunk.sizeBytes === part.sizeBytes;
  }

  /** Whether the chunk at that position is from another file on this disk. */
  isCopied(position: number): boolean {
    return this.#copied.has(position);
  }

  get areAllCopied(): boolean {
    return this.#copied.size === this.#chunks.size;
  }

  /** To be called before anything is written from `start` to `end`. */
  forget(start: number, end: number): void {
    let from = this.#indexFrom(start);
    const before = this.#chunks.get(this.#positions[from - 1] ?? -1);
    if (before !== undefined && before.position + before.sizeBytes > start) from--;
    let to = from;
    for (; (this.#positions[to] ?? end) < end; to++) {
      const position = this.#positions[to] as number;
      this.#sizeBytes -= this.#chunks.get(position)?.sizeBytes ?? 0;
      this.#chunks.delete(position);
      this.#copied.delete(position);
    }
    this.#positions.splice(from, to - from);
  }

  /**
   * To be called once the chunk is written.
   * @param isCopied it is from another file on this disk
   */
  add(chunk: AnnouncedChunk, isCopied = false): void {
    this.forget(chunk.position, chunk.position + chunk.sizeBytes);
    this.#positions.splice(this.#indexFrom(chunk.position), 0, chunk.position);
    this.#chunks.set(chunk.position, chunk);
    if (isCopied) this.#copied.add(chunk.position);
    this.#sizeBytes += chunk.sizeBytes;
  }

  /** Index of the first position that is not before this one. */
  #indexFrom(position: number): number {
    let low = 0;
    let high = this.#positions.length;
    // Files are received in their order: it is the end, most of the time.
    if ((this.#positions.at(-1) ?? -1) < position) return high;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#positions[middle] as number) < position) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** A download's temporary with what was received before the file was committed. */
export interface ReceivedFile {
  readonly temporary: TemporaryFile;
  readonly chunks: ReceivedChunks;
  /** How long the temporary is at most: what is behind the last chunk is of no meaning. */
  readonly writtenBytes: number;
}
