/** Bytes that the cut predicate looks at: the last byte of a chunk and the 31 before it. */
export const PREDICATE_BYTES = 32;

/** The hot loop of the chunker with the memory that it works on. */
export interface CutFinder {
  readonly implementation: 'wasm' | 'typescript';
  /** The memory to read into. Never moves or grows. */
  readonly window: Uint8Array;
  /**
   * First offset in `[from, to)` at which a chunk may end (the offset of its last byte), or -1.
   * @param from at least 31, so that the predicate's 32 bytes lie inside the window
   * @param threshold unsigned 32-bit; the stage-2 hash must be below it
   */
  find(from: number, to: number, threshold: number): number;
  /** Offset of the first byte in `[from, to)` that is not zero, or `to`. */
  firstNonZero(from: number, to: number): number;
}
