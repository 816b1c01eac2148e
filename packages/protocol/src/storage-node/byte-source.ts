/** Bytes as they arrive from somewhere, for who knows how many come next. */
export interface ByteSource {
  /**
   * Fills `into` from its start and resolves with how many bytes that were: fewer than it holds only at the end. One call
   * at a time. Rejects when what they come from breaks.
   */
  fill(into: Uint8Array): Promise<number>;
  /** Nothing more is wanted. */
  close(): void | Promise<void>;
}

/** The bytes of pieces of any length. */
export function sourceOfPieces(pieces: AsyncIterable<Uint8Array>): ByteSource {
  const iterator = pieces[Symbol.asyncIterator]();
  let left: Uint8Array = new Uint8Array(0);
  let hasEnded = false;
  return {
    async fill(into) {
      let filled = 0;
      while (filled < into.length) {
        if (left.length === 0) {
          const next = hasEnded ? { done: true as const } : await iterator.next();
          if (next.done === true) {
            hasEnded = true;
            break;
          }
          left = next.value;
          continue;
        }
        const part = left.subarray(0, into.length - filled);
        into.set(part, filled);
        filled += part.length;
        left = left.subarray(part.length);
      }
      return filled;
    },
    async close() {
      if (hasEnded) return;
      hasEnded = true;
      await iterator.return?.();
    },
  };
}
