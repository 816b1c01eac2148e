import type { ByteSource } from '@cairn/content';
import { CairnError } from '@cairn/model';

/**
 * Lets pieces of any length be read as a sequential source; holds one piece at a time.
 * @param sizeBytes length that was announced: more or fewer bytes throw `bad-request`
 */
export function createByteSource(
  pieces: AsyncIterable<Uint8Array>,
  sizeBytes: number | undefined,
): ByteSource & { close(): Promise<void> } {
  const iterator = pieces[Symbol.asyncIterator]();
  let piece: Uint8Array = new Uint8Array();
  let ended = false;
  let receivedBytes = 0;

  function checkLength(): void {
    const wrong =
      sizeBytes !== undefined && (ended ? receivedBytes !== sizeBytes : receivedBytes > sizeBytes);
    if (wrong) {
      throw new CairnError('bad-request', 'the file has not the length that was announced; send it again', {
        details: { announcedBytes: sizeBytes, receivedBytes },
      });
    }
  }

  return {
    async read(into) {
      while (piece.length === 0) {
        if (ended) return 0;
        const next = await iterator.next();
        if (next.done === true) ended = true;
        else {
          piece = next.value;
          receivedBytes += piece.length;
        }
        checkLength();
      }
      const count = Math.min(piece.length, into.length);
      into.set(piece.subarray(0, count));
      piece = piece.subarray(count);
      return count;
    },
    async close() {
      if (!ended) await iterator.return?.();
    },
  };
}
