import { CairnError } from '@cairn/model';
import type { BodyPiece } from './transport.ts';

export function pieceBytes(piece: BodyPiece): number {
  return piece instanceof Blob ? piece.size : piece.length;
}

/** The pieces in memory. @throws CairnError `local-changed` when a file is not what it was */
export async function bytesOf(pieces: readonly BodyPiece[]): Promise<readonly Uint8Array[]> {
  const bytes: Uint8Array[] = [];
  for (const piece of pieces) bytes.push(piece instanceof Blob ? await readHeld(piece) : piece);
  return bytes;
}

/** @throws CairnError `local-changed` */
export async function readHeld(piece: Blob): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return new Uint8Array(await piece.arrayBuffer());
  } catch (error) {
    throw new CairnError('local-changed', 'the file changed while it was sent, or may not be read', {
      cause: error,
    });
  }
}

export function areInMemory(pieces: readonly BodyPiece[]): pieces is readonly Uint8Array[] {
  return pieces.every((piece) => piece instanceof Uint8Array);
}
