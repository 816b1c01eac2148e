import type { ByteSource } from '@cairn/content';
import { CairnError } from '@cairn/model';

/** One read of the browser is some milliseconds whatever its size, so files are read in windows … */
const WINDOW_BYTES = 4 * 1024 * 1024;
/** … some of them ahead, while the one before is cut and hashed. */
const WINDOWS_AHEAD = 2;

export interface FileSourceOptions {
  /** Resolves when reading may go on (it is not paused); rejects when the upload was cancelled. */
  gate(): Promise<void> | void;
  onRead(position: number): void;
}

/** A file of the browser as bytes to cut, read once from its beginning, three windows in memory at most. */
export function createFileSource(blob: Blob, options: FileSourceOptions): ByteSource {
  const ahead: { readonly start: number; readonly bytes: Promise<ArrayBuffer> }[] = [];
  let asked = 0;
  let current: { readonly start: number; readonly bytes: Uint8Array } | null = null;

  function readAhead(): void {
    while (ahead.length < WINDOWS_AHEAD && asked < blob.size) {
      const end = Math.min(blob.size, asked + WINDOW_BYTES);
      const bytes = blob.slice(asked, end).arrayBuffer();
      // Somebody awaits it later, or nobody after an error.
      bytes.catch(() => undefined);
      ahead.push({ start: asked, bytes });
      asked = end;
    }
  }

  async function windowAt(position: number): Promise<Uint8Array | null> {
    if (current !== null && position < current.start + current.bytes.length) {
      return current.bytes.subarray(position - current.start);
    }
    current = null;
    readAhead();
    const next = ahead.shift();
    if (next === undefined) return null;
    try {
      current = { start: next.start, bytes: new Uint8Array(await next.bytes) };
    } catch (error) {
      throw unreadable(error);
    }
    readAhead();
    return current.bytes;
  }

  return {
    async read(into, position) {
      await options.gate();
      const bytes = await windowAt(position);
      if (bytes === null) return 0;
      const count = Math.min(into.length, bytes.length);
      into.set(bytes.subarray(0, count));
      options.onRead(position + count);
      return count;
    },
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
