import { crc32 } from 'node:zlib';
import { dataDescriptor, directoryRecord, endRecords, localHeader, type ZipEntry } from './zip-format.ts';

/** One thing to be put into a zip, with its bytes (none for folders). */
export interface ZipSource extends ZipEntry {
  readonly bytes: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

/** Small pieces go out together. */
const GATHERED_BYTES = 64 * 1024;

/**
 * A zip of any size as a stream. What is kept in memory is the directory alone: some 80 bytes and the name for each entry.
 * Bytes that are not as many as was said are an error, as is every error of a source: there is never an end that looks whole.
 * @throws what a source throws; Error when a source has another length than it said
 */
export async function* writeZip(sources: AsyncIterable<ZipSource>): AsyncGenerator<Uint8Array> {
  const directory: Uint8Array[] = [];
  let position = 0;
  let waiting: Uint8Array[] = [];
  let waitingBytes = 0;

  function put(bytes: Uint8Array): Uint8Array | null {
    position += bytes.length;
    waitingBytes += bytes.length;
    waiting.push(bytes);
    return waitingBytes < GATHERED_BYTES ? null : gather();
  }
  function gather(): Uint8Array {
    const all = waiting.length === 1 ? (waiting[0] as Uint8Array) : Buffer.concat(waiting);
    waiting = [];
    waitingBytes = 0;
    return all;
  }

  for await (const source of sources) {
    const start = position;
    const header = put(localHeader(source));
    if (header !== null) yield header;
    let checksum = 0;
    let sizeBytes = 0;
    for await (const piece of source.bytes) {
      checksum = crc32(piece, checksum);
      sizeBytes += piece.length;
      const full = put(piece);
      if (full !== null) yield full;
    }
    if (sizeBytes !== source.sizeBytes) {
      throw new Error(`a file of ${source.sizeBytes} bytes gave ${sizeBytes} for an archive`);
    }
    const descriptor = put(dataDescriptor(source, checksum));
    if (descriptor !== null) yield descriptor;
    const { bytes: _bytes, ...entry } = source;
    directory.push(directoryRecord({ ...entry, checksum, position: start }));
  }

  const directoryPosition = position;
  for (const record of directory) {
    const full = put(record);
    if (full !== null) yield full;
  }
  put(endRecords(directory.length, directoryPosition, position - directoryPosition));
  yield gather();
}
