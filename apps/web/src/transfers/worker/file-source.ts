import type { ByteSource } from '@cairn/content';
import { CairnError } from '@cairn/model';

/** One read of the browser is some milliseconds whatever its size, so files are read in windows … */
const WINDOW_BYTES = 4 * 1024 * 1024;
/** … some of them ahead, while the one before is cut and hashed. */
const WINDOWS_AHEAD = 2;
/** Where it can read into memory that it is given, little does: it reads ahead by itself. */
const BUFFER_BYTES = 1024 * 1024;

export interface FileSourceOptions {
  /** Resolves when reading may go on (it is not paused); rejects when the upload was cancelled. */
  gate(): Promise<void> | void;
  onRead(position: number): void;
}

/** The bytes of a file, piece by piece; `null` at its end. A piece is valid until the next one is asked for. */
interface Pieces {
  next(): Promise<Uint8Array | null>;
  stop(): void;
}

/** The fastest way: two buffers are filled by turns, one while the other is cut. `null` where a browser has none. */
function streamPieces(blob: Blob): Pieces | null {
  let reader: ReadableStreamBYOBReader;
  try {
    reader = blob.stream().getReader({ mode: 'byob' });
  } catch {
    return null;
  }
  let spare: ArrayBuffer | null = null;
  let inUse: ArrayBuffer | null = null;
  let coming: ReturnType<typeof ask> | null = null;

  function ask() {
    const buffer = spare ?? new ArrayBuffer(BUFFER_BYTES);
    spare = null;
    const asked = reader.read(new Uint8Array(buffer));
    // Somebody awaits it later, or nobody after an error.
    asked.catch(() => undefined);
    return asked;
  }

  return {
    async next() {
      coming ??= ask();
      spare = inUse;
      const { done, value } = await coming;
      if (done) return null;
      inUse = value.buffer;
      coming = ask();
      return value;
    },
    stop: () => void reader.cancel().catch(() => undefined),
  };
}

function windowPieces(blob: Blob): Pieces {
  const ahead: Promise<ArrayBuffer>[] = [];
  let asked = 0;

  function readAhead(): void {
    while (ahead.length < WINDOWS_AHEAD && asked < blob.size) {
      const end = Math.min(blob.size, asked + WINDOW_BYTES);
      const bytes = blob.slice(asked, end).arrayBuffer();
      bytes.catch(() => undefined);
      ahead.push(bytes);
      asked = end;
    }
  }

  return {
    async next() {
      readAhead();
      const bytes = await ahead.shift();
      readAhead();
      return bytes === undefined ? null : new Uint8Array(bytes);
    },
    stop: () => undefined,
  };
}

/** A file of the browser as bytes to cut, read once from its beginning, in bounded memory. */
export function createFileSource(blob: Blob, options: FileSourceOptions): ByteSource {
  let pieces: Pieces | null = null;
  let rest: Uint8Array | null = null;

  async function nextPiece(): Promise<Uint8Array | null> {
    pieces ??= streamPieces(blob) ?? windowPieces(blob);
    try {
      return await pieces.next();
    } catch (error) {
      throw unreadable(error);
    }
  }

  return {
    async read(into, position) {
      try {
        await options.gate();
      } catch (error) {
        pieces?.stop();
        throw error;
      }
      if (rest === null || rest.length === 0) rest = await nextPiece();
      if (rest === null) return 0;
      const count = Math.min(into.length, rest.length);
      into.set(rest.subarray(0, count));
      rest = rest.subarray(count);
      options.onRead(position + count);
      return count;
    },
    hold: (start, end) => blob.slice(start, end),
  };
}

/** What a browser says when a file cannot be read, in words that say what to do. */
export function unreadable(error: unknown): CairnError {
  const name = error instanceof Error ? error.name : '';
  if (name === 'NotFoundError') {
    return new CairnError('local-io', 'the file is not there any more; choose it again', { cause: error });
  }
  return new CairnError(
    'local-changed',
    'the file changed while it was read, or the browser may not read it; choose it again',
    { cause: error },
  );
}
