import type { Writable } from 'node:stream';

/** Of one write: what Node enciphers at once and hands to the system with one call. */
const SLICE_BYTES = 128 * 1024;

/** Resolves when the system has taken all of it, so that its memory is free. Rejects when the peer is gone. */
function writeOne(target: Writable, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    const onClose = (): void => reject(new Error('the peer is gone'));
    if (target.destroyed) {
      onClose();
      return;
    }
    target.once('close', onClose);
    target.write(bytes, (error) => {
      target.off('close', onClose);
      if (error) reject(error);
      else resolve();
    });
  });
}

/**
 * Writes pieces of any length, each by itself and large ones cut, and returns when the system has taken all of them: Node
 * copies what is written together into new memory, and keeps all that it enciphered until it is sent.
 */
export async function sendPieces(target: Writable, pieces: readonly Uint8Array[]): Promise<void> {
  for (const piece of pieces) {
    for (let from = 0; from < piece.length; from += SLICE_BYTES)
      await writeOne(target, piece.subarray(from, from + SLICE_BYTES));
  }
}
