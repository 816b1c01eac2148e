import { packError } from './pack-format.ts';

/** Gives memory for so many bytes. */
export type Allocate = (sizeBytes: number) => Uint8Array;

const allocateOwn: Allocate = (sizeBytes) => new Uint8Array(sizeBytes);

/** Reads exact lengths from a stream of pieces of any length. */
export class ByteQueue {
  readonly #source: AsyncIterator<Uint8Array>;
  #piece: Uint8Array = new Uint8Array(0);
  #position = 0;
  #ended = false;

  constructor(pieces: AsyncIterable<Uint8Array>) {
    this.#source = pieces[Symbol.asyncIterator]();
  }

  async #fill(): Promise<boolean> {
    while (this.#position >= this.#piece.length) {
      if (this.#ended) return false;
      const next = await this.#source.next();
      if (next.done === true) {
        this.#ended = true;
        return false;
      }
      this.#piece = next.value;
      this.#position = 0;
    }
    return true;
  }

  /**
   * Exactly `count` bytes in memory of their own, or in what `allocate` gives for them; throws `bad-request` (`truncated`)
   * when the stream ends first.
   */
  async take(count: number, allocate: Allocate = allocateOwn): Promise<Uint8Array> {
    const taken = allocate(count);
    let filled = 0;
    while (filled < count) {
      if (!(await this.#fill())) throw packError('truncated', 'the pack is cut off');
      const span = this.#piece.subarray(this.#position, this.#position + count - filled);
      taken.set(span, filled);
      filled += span.length;
      this.#position += span.length;
    }
    return taken;
  }

  /** The next byte, which stays; throws `bad-request` (`truncated`) when there is none. */
  async peek(): Promise<number> {
    if (!(await this.#fill())) throw packError('truncated', 'the pack is cut off');
    return this.#piece[this.#position] as number;
  }

  /** Throws `bad-request` when anything is left. */
  async expectEnd(): Promise<void> {
    if (await this.#fill()) throw packError('malformed', 'something follows the pack');
  }

  /** Tells the source that nothing more is wanted. */
  async close(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    await this.#source.return?.();
  }
}
