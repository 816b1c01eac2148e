import { Readable } from 'node:stream';
import { ZipFile } from 'yazl';

/** One thing to be put into a zip, with its bytes (none for folders). */
export interface ZipSource {
  /** With `/` between folders. */
  readonly path: string;
  readonly kind: 'folder' | 'file';
  readonly sizeBytes: number;
  readonly modifiedAt: Date;
  /** Type and rights as Unix has them. */
  readonly unixMode: number;
  readonly bytes: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

/**
 * A zip of any size as a stream. Files are stored as they are, one after the other, each asked for when it is its turn: what
 * is kept in memory is the directory alone. Bytes that are not as many as was said are an error, as is every error of a source:
 * there is never an end that looks whole.
 * @throws what a source throws; Error when a source has another length than it said
 */
export async function* writeZip(sources: AsyncIterable<ZipSource>): AsyncGenerator<Uint8Array> {
  const zip = new ZipFile();
  const output = zip.outputStream as Readable;
  zip.on('error', (error: Error) => output.destroy(error));
  let reading: Readable | null = null;
  /** Ends the wait for a file whose turn may never come. */
  let stopWaiting: () => void = () => undefined;

  function putFile({ path, sizeBytes, modifiedAt, unixMode, bytes }: ZipSource): Promise<void> {
    return new Promise((resolve) => {
      stopWaiting = resolve;
      const options = { size: sizeBytes, mtime: modifiedAt, mode: unixMode, compress: false };
      zip.addReadStreamLazy(path, options, (begin) => {
        reading = Readable.from(bytes, { objectMode: false });
        reading.once('error', (error) => output.destroy(error)).once('close', resolve);
        begin(null, reading);
      });
    });
  }

  async function putAll(): Promise<void> {
    for await (const source of sources) {
      if (output.destroyed) return;
      if (source.kind === 'folder') {
        zip.addEmptyDirectory(source.path, { mtime: source.modifiedAt, mode: source.unixMode });
      } else await putFile(source);
    }
    zip.end();
  }

  const putting = putAll().catch((error: Error) => void output.destroy(error));
  try {
    yield* output;
  } finally {
    output.destroy();
    (reading as Readable | null)?.destroy();
    stopWaiting();
    await putting;
  }
}
