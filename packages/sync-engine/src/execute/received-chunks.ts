import type { AnnouncedChunk, BlockId } from '@cairn/model';

/** Which chunks are where in a file that is not whole: only what was checked and written, and no two overlap. */
export class ReceivedChunks {
  /** Sorted. */
  readonly #positions: number[] = [];
  readonly #chunks = new Map<number, AnnouncedChunk>();
  #sizeBytes = 0;

  /** Of all chunks. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  has(position: number, part: { readonly block: BlockId; readonly sizeBytes: number }): boolean {
    const chunk = this.#chunks.get(position);
    return chunk?.block === part.block && chunk.sizeBytes === part.sizeBytes;
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
    }
    this.#positions.splice(from, to - from);
  }

  /** To be called once the chunk is written. */
  add(chunk: AnnouncedChunk): void {
    this.forget(chunk.position, chunk.position + chunk.sizeBytes);
    this.#positions.splice(this.#indexFrom(chunk.position), 0, chunk.position);
    this.#chunks.set(chunk.position, chunk);
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
