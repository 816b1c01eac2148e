import type { Chunker } from '../chunker.ts';

/** Lengths of the chunks of `bytes`, fed in pieces of the sizes that `pieceSize` names (at least 1). */
export function cutBytes(
  chunker: Chunker,
  bytes: Uint8Array,
  pieceSize: () => number = () => bytes.length,
): number[] {
  chunker.reset();
  const lengths: number[] = [];
  let position = 0;
  for (;;) {
    const space = chunker.space();
    const piece = bytes.subarray(position, position + Math.min(space.length, pieceSize()));
    space.set(piece);
    position += piece.length;
    if (piece.length === 0) chunker.end();
    else chunker.add(piece.length);
    for (let chunk = chunker.next(); chunk !== null; chunk = chunker.next()) lengths.push(chunk.length);
    if (piece.length === 0) return lengths;
  }
}
