import { finished, type Readable } from 'node:stream';
import { CairnError } from '@cairn/model';
import { PROTOCOL_LIMITS } from '@cairn/protocol';

/** A pack's bytes in memory that is used again; call `release` when nobody looks at them any more. */
export interface PackBody {
  readonly bytes: Uint8Array;
  release(): void;
}

/** Buffers are kept in this size: our clients' packs fit, and larger ones get memory of their own. */
const POOLED_BYTES = 8 * 1024 * 1024;

/** Smaller ones get memory of their own, too: it is pages of the heap, and cheaper than to find a pooled one taken. */
const SMALL_BYTES = 64 * 1024;

/** Whether a pack of this stated length needs no pooled buffer. */
export function isSmallPack(lengthBytes: number | null): boolean {
  return lengthBytes !== null && lengthBytes <= SMALL_BYTES;
}

export interface PackBuffers {
  /**
   * Reads a whole body. Throws `too-large` over the limit of a pack, as soon as that is known.
   * @param lengthBytes as the request states it, `null` when it does not
   */
  collect(body: Readable, lengthBytes: number | null): Promise<PackBody>;
}

/**
 * Fresh memory is what receiving costs most, so packs are received into buffers that are already there. Those that are kept
 * are in memory that other threads see, which can check what is in them. Others are not, since V8 does not hurry to
 * collect such memory: garbage of it grows several times as large as any other.
 * @param maxKept buffers that are kept for later
 */
export function createPackBuffers(maxKept: number): PackBuffers {
  const free: Uint8Array[] = [];
  /** In `free` or in use. */
  let shared = 0;
  /** Of bodies that nobody released, because their request came to nothing before it was handled. */
  const lost = new FinalizationRegistry<null>(() => shared--);

  function take(): Uint8Array {
    const kept = free.pop();
    if (kept !== undefined) return kept;
    if (shared >= maxKept) return new Uint8Array(POOLED_BYTES);
    shared++;
    return new Uint8Array(new SharedArrayBuffer(POOLED_BYTES));
  }

  function give(buffer: Uint8Array): void {
    if (isShared(buffer)) free.push(buffer);
  }

  return {
    async collect(body, lengthBytes) {
      if (lengthBytes !== null && lengthBytes > PROTOCOL_LIMITS.maxPackBytes) throw tooLarge();
      const pooled = lengthBytes !== null && !isSmallPack(lengthBytes) && lengthBytes <= POOLED_BYTES;
      let buffer = pooled ? take() : new Uint8Array(lengthBytes ?? 64 * 1024);
      let length = 0;
      const received = eachPiece(body, (piece) => {
        if (length + piece.length > PROTOCOL_LIMITS.maxPackBytes) throw tooLarge();
        if (length + piece.length > buffer.length) {
          const larger = new Uint8Array(
            Math.min(PROTOCOL_LIMITS.maxPackBytes, Math.max(buffer.length * 2, length + piece.length)),
          );
          larger.set(buffer.subarray(0, length));
          give(buffer);
          buffer = larger;
        }
        buffer.set(piece, length);
        length += piece.length;
      });
      try {
        await received;
      } catch (error) {
        give(buffer);
        throw error;
      }
      let released = false;
      const packBody: PackBody = {
        bytes: buffer.subarray(0, length),
        release() {
          if (released) return;
          released = true;
          lost.unregister(packBody);
          give(buffer);
        },
      };
      if (isShared(buffer)) lost.register(packBody, null, packBody);
      return packBody;
    },
  };
}

function isShared({ buffer }: Uint8Array): boolean {
  return buffer instanceof SharedArrayBuffer;
}

/**
 * Takes the pieces of a body as they come: of a large one there are many, and a loop that awaits each costs as much as
 * receiving it. Rejects when the body breaks off, and with what `take` throws; then the rest is not wanted any more.
 */
function eachPiece(body: Readable, take: (piece: Uint8Array) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    finished(body, { writable: false }, (error) => (error ? reject(error) : resolve()));
    body.on('data', (piece: Uint8Array) => {
      try {
        take(piece);
      } catch (error) {
        reject(error);
        body.destroy();
      }
    });
  });
}

function tooLarge(): CairnError {
  return new CairnError(
    'too-large',
    `a pack has at most ${PROTOCOL_LIMITS.maxPackBytes} bytes; send several smaller ones`,
  );
}
